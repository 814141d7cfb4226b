"""Tells a person of what happened where nobody looks: a process waits, ended badly, was given up, or took long.

Two ways. Where WezTerm's plugin is there it shows a toast, unless that very pane has the focus; else the terminal
that somebody came to last shows a notification (OSC 777, or OSC 9 where it knows only that). Four kinds are told by
itself, unless `notifications:` switches one off; what else is told, and to whom, are rules (`integrations/notify`),
which come here for their channels `desktop` and `terminal`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.keeper import messages
from wezparallel.protocol import news

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.gui.requests import Requests
    from wezparallel.hub.gui.views import View, Views
    from wezparallel.protocol.events import Event
    from wezparallel.types import JsonObject

_TOLD = frozenset({"process.notified", "process.failed", "process.exited"})
"""Told by itself; what else is news is told by rules only."""


class Notifying:
    """Hears every event, tells of few."""

    def __init__(self, hub: Hub, views: Views, requests: Requests) -> None:
        self._hub = hub
        self._views = views
        self._requests = requests
        self._told: dict[tuple[str, str], int] = {}
        """process id and kind -> when it was told last, in milliseconds"""

    def told(self, event: Event) -> JsonObject | None:
        """Tell of an event if it is one to tell; return the request for the toast, if WezTerm shows it."""
        kind = news.kind_of(event.name, event.data) if event.name in _TOLD else None
        if kind is None or not self._wants(kind, event.data):
            return None
        process_id = event.data["process_id"]
        return self.display(process_id, news.words(event.name, event.data), process_id, kind)[1]

    def display(
        self, title: str, body: str, process_id: str | None, kind: str | None
    ) -> tuple[str, JsonObject | None]:
        """Show it where somebody is; return by what, and the request for the toast, if WezTerm shows it.

        The same kind of news of a process is shown once in a while, whoever asks: a crash loop is one piece of news.
        """
        key = (process_id or "", kind or "")
        if all(key) and not self._is_news(key):
            return "already", None
        showing = self._views.muxes_of([process_id] if process_id else ())
        mux, view = self._requests.plugin(showing), self._elsewhere(process_id)
        if mux is None and view is None:
            return "already" if self._is_looked_at(process_id) else "nobody", None
        if all(key):
            self._told[key] = self._hub.now_ms()
        if mux is not None:
            return "toast", self._requests.make("toast", mux, title=title, body=body, process_id=process_id)
        assert view is not None
        self._hub.link.send({"m": messages.NOTIFY, "viewer_id": view.viewer_id, "title": title, "body": body})
        return "terminal", None

    def forget(self, process_id: str) -> None:
        """A process is no more."""
        for key in [key for key in self._told if key[0] == process_id]:
            del self._told[key]

    def _wants(self, kind: str, data: JsonObject) -> bool:
        settings = self._hub.settings.notifications
        if not getattr(settings, f"tell_{kind}"):
            return False
        return kind != "finished" or data["ran_s"] >= settings.finished_after

    def _is_news(self, key: tuple[str, str]) -> bool:
        last = self._told.get(key)
        return last is None or not 0 <= self._hub.now_ms() - last < self._hub.settings.notifications.quiet * 1000

    def _is_looked_at(self, process_id: str | None) -> bool:
        """Tell whether somebody has it in a terminal that is no pane of WezTerm's: who looks sees what happens."""
        views = [view for view in self._views if view.viewer_id is not None]
        return any(view.process_id == process_id and view.place is None for view in views)

    def _elsewhere(self, process_id: str | None) -> View | None:
        """Return the terminal that somebody came to last; none where somebody looks at the process itself."""
        if self._is_looked_at(process_id):
            return None
        views = [view for view in self._views if view.viewer_id is not None]
        return next((view for view in reversed(views) if view.process_id != process_id), None)
