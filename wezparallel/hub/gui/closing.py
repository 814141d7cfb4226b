"""What the end of a view means: the user closed its pane, WezTerm is gone, or something else that means nothing.

Decided 2 s after the view has gone, by whether the program that made the pane still lives: at a quit the panes go
first. Only where a person closed the last pane of a process does its `on_close` act. All of it is memory: a hub that
dies within these 2 s forgets the closing, and the process is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from wezparallel.hub.pool.supervise import alive
from wezparallel.hub.state.model import on_close

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.gui.views import View, Views
    from wezparallel.hub.state.model import Process

WAIT_S = 2.0
ASKED_S = 10.0  # in which a pane that the GUI was asked to close has to go
BY = {"user": None, "role": "hub", "via": "policy", "run_id": None}
BY_HAND = frozenset({"hangup", "lost"})
"""Why a viewer is gone (keeper/messages.py), where a person may have closed its pane."""

log = structlog.get_logger()


class Closing:
    """Decides, and has `on_close` act."""

    def __init__(self, hub: Hub, views: Views) -> None:
        self._hub = hub
        self._views = views
        self._asked: dict[tuple[str, str], float] = {}
        """mux and pane -> until when that is closed because we asked for it"""

    def expect(self, place: tuple[str, str]) -> None:
        """The GUI was asked to close this pane: that is nobody's wish about the process."""
        self._asked[place] = self._hub.now_ms() / 1000 + ASKED_S

    def gone(self, view: View, reason: str) -> None:
        """A view has ended. Outside WezTerm nobody can tell why."""
        if view.place is None:
            return
        if reason in BY_HAND and view.owns_pane and not self._was_asked(view):
            self._hub.timers.after(WAIT_S, lambda: self._decide(view))
        else:
            self._tell("view.closed", view, by="program", on_close="keep")

    def _decide(self, view: View) -> None:
        if not view.parent_lives():
            self._tell("view.lost", view, reason="gui_gone")
            return
        process = self._hub.state.processes.get(view.process_id)
        acts = "keep"
        if process is not None and not process.removed and not self._views.of(view.process_id) and _is_up(process):
            acts = on_close(process.settings)
        with self._hub.bus.caused_by(BY):
            self._tell("view.closed", view, by="user", on_close=acts)
            if process is not None:
                self._act(process, view, acts)

    def _act(self, process: Process, view: View, acts: str) -> None:
        if acts == "stop":
            log.info("view.closed", process=process.process_id, stops=True)
            self._hub.pool.want_down(process)
        elif acts == "ask":
            fields = {"process_id": process.process_id, "name": process.name}
            self._hub.gui.ask("ask_close", view.mux, **fields)

    def _was_asked(self, view: View) -> bool:
        now = self._hub.now_ms() / 1000
        self._asked = {place: until for place, until in self._asked.items() if until > now}
        return view.place in self._asked

    def _tell(self, name: str, view: View, **more: Any) -> None:
        self._hub.bus.publish(name, event_data(self._hub, view) | more)


def event_data(hub: Hub, view: View) -> dict[str, Any]:
    """Return what every event of a view says."""
    process = hub.state.processes.get(view.process_id)
    return {
        "process_id": view.process_id, "workspace": process.workspace if process is not None else None,
        "view_id": view.view_id, "pane": view.pane, "mux": view.mux,
    }  # fmt: skip


def _is_up(process: Process) -> bool:
    """Tell whether there is something to stop: a run, or one that is to come."""
    return alive(process.run) or process.planned is not None or process.state == "backoff"
