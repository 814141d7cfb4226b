"""Tells a person of what happened where nobody looks: a process waits, ended badly, or ended after a long time.

Two channels. Where WezTerm's plugin is there it shows a toast, unless that very pane has the focus; else the terminal
that somebody came to last shows a notification (OSC 777, or OSC 9 where it knows only that). What is told, and to
whom else, will be rules one day; these three are told today.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.keeper import messages

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.gui.requests import Requests
    from wezparallel.hub.gui.views import View, Views
    from wezparallel.protocol.events import Event
    from wezparallel.types import JsonObject, Seconds

FINISHED_AFTER_S = 30.0  # a command that took so long was left alone meanwhile
QUIET_S = 30.0  # the same of the same process is told once in that time: a crash loop is one piece of news


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
        what = _worth_telling(event)
        if what is None:
            return None
        kind, body = what
        process_id = event.data["process_id"]
        if not self._is_news(process_id, kind):
            return None
        mux = self._requests.plugin()
        if mux is not None:
            return self._requests.make("toast", mux, title=process_id, body=body, process_id=process_id)
        view = self._elsewhere(process_id)
        if view is not None:
            self._hub.link.send(
                {"m": messages.NOTIFY, "viewer_id": view.viewer_id, "title": process_id, "body": body}
            )
        return None

    def forget(self, process_id: str) -> None:
        """A process is no more."""
        for key in [key for key in self._told if key[0] == process_id]:
            del self._told[key]

    def _is_news(self, process_id: str, kind: str) -> bool:
        now = self._hub.now_ms()
        last = self._told.get((process_id, kind))
        if last is not None and 0 <= now - last < QUIET_S * 1000:
            return False
        self._told[process_id, kind] = now
        return True

    def _elsewhere(self, process_id: str) -> View | None:
        """Return the terminal that somebody came to last. Who looks at the process itself sees what happens to it."""
        views = [view for view in self._views if view.viewer_id is not None]
        if any(view.process_id == process_id and view.place is None for view in views):
            return None
        return next((view for view in reversed(views) if view.process_id != process_id), None)


def _worth_telling(event: Event) -> tuple[str, str] | None:
    """Return what kind of news an event is, and in which words; None for most."""
    data = event.data
    if event.name == "process.notified":
        return ("waits", data["text"]) if data.get("text") else None
    if event.name == "process.failed":
        return "failed", f"given up: {data.get('reason') or 'it ended too often'}"
    if event.name != "process.exited":
        return None
    code, signal, ran_s = data.get("exit_code"), data.get("signal"), data.get("ran_s")
    if code == 0:
        if ran_s is None or ran_s < FINISHED_AFTER_S:
            return None
        return "finished", f"finished after {_duration(ran_s)}"
    if signal is not None:
        return "ended", f"ended by signal {signal}" + (f" after {_duration(ran_s)}" if ran_s else "")
    if code is not None:
        return "ended", f"exited {code}" + (f" after {_duration(ran_s)}" if ran_s else "")
    return None


def _duration(seconds: Seconds) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours = whole // 60, whole // 3600
    return f"{minutes} min" if minutes < 60 else f"{hours} h {minutes % 60} min"
