"""Which pane of which WezTerm shows what: attached clients as the keeper tells of them, and panes that were bound.

Memory only; the keeper lists its viewers again to each new hub. `closing.py` says what the end of one means.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wezparallel.hub.comms.callers import start_time
from wezparallel.peers import is_marked
from wezparallel.protocol.view import ViewRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from wezparallel.types import JsonObject


@dataclass(slots=True)
class View:
    """One of them."""

    view_id: str
    process_id: str
    pane: str | None = None
    mux: str | None = None
    pid: int | None = None
    start: int = 0
    """Start time of a bound view's program."""
    size: tuple[int, int] | None = None
    read_only: bool = False
    viewer_id: int | None = None
    """The keeper's number; None for a bound one."""
    owns_pane: bool = False
    """Its client is the pane's own program, so that its parent is WezTerm itself."""
    parent: tuple[int, int] = (0, 0)
    """pid and start time"""

    @property
    def place(self) -> tuple[str, str] | None:
        """Return mux and pane; None outside WezTerm."""
        return None if self.pane is None or self.mux is None else (self.mux, self.pane)

    def record(self) -> ViewRecord:
        """Return what clients see of it."""
        return ViewRecord(
            view_id=self.view_id, process_id=self.process_id, pane=self.pane, mux=self.mux, pid=self.pid,
            size=self.size, read_only=self.read_only, origin="bound" if self.viewer_id is None else "viewer",
        )  # fmt: skip

    @property
    def is_in_shell(self) -> bool:
        """Tell whether its client was started in a pane that has another program, which would end with the pane."""
        return self.viewer_id is not None and not self.owns_pane

    def parent_lives(self) -> bool:
        """Tell whether the program that made the pane is still there."""
        pid, start = self.parent
        return is_alive(pid, start)


class Views:
    """All of them."""

    def __init__(self) -> None:
        self._by_id: dict[str, View] = {}
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[View]:
        """Yield them, the oldest first."""
        return iter(self._by_id.values())

    def get(self, view_id: str) -> View | None:
        """Return one by its id."""
        return self._by_id.get(view_id)

    def of(self, process_id: str) -> list[View]:
        """Return those of a process, the oldest first."""
        return [view for view in self._by_id.values() if view.process_id == process_id]

    def at(self, mux: str, pane: str) -> View | None:
        """Return what a pane shows."""
        return next((view for view in self._by_id.values() if view.place == (mux, pane)), None)

    def attached(self, message: JsonObject) -> tuple[View, bool] | None:
        """Take in that a viewer came; return its view, and whether its pane was not bound to the process before.

        Who only reads output (`logs -f`, probes) shows it in no place that could be gone to.
        """
        if message.get("kind", "terminal") == "frames":
            return None
        # An agent has no pane, whatever its environment says: where one is shown, keys go and panes are closed.
        pane, mux = (None, None) if is_marked(message.get("pid") or 0) else (message.get("pane"), message.get("mux"))
        view = View(
            f"v-{message['viewer_id']}", message["process_id"], pane or None, mux or None, message.get("pid"), 0,
            tuple(message.get("size") or ()) or None, bool(message.get("read_only")), message["viewer_id"],
            _leads_session(message.get("pid")),
            (message.get("parent_pid", 0), message.get("parent_start", 0)),
        )  # fmt: skip
        is_new = self._take_place(view)
        self._by_id[view.view_id] = view
        return view, is_new

    def gone(self, viewer_id: int) -> View | None:
        """Take in that a viewer went; return the view that it was."""
        return self._by_id.pop(f"v-{viewer_id}", None)

    def bind(self, process_id: str, mux: str, pane: str, pid: int | None) -> tuple[View, bool]:
        """Take in that a pane was made for a process; return its view, and whether that is news."""
        there = self.at(mux, pane)
        if there is not None and there.process_id == process_id and (there.viewer_id is not None or there.pid == pid):
            return there, False
        start = start_time(pid) if pid is not None else 0
        view = View(f"b-{next(self._numbers)}", process_id, pane, mux, pid, start)
        is_new = self._take_place(view)
        self._by_id[view.view_id] = view
        return view, is_new

    def drop(self, view: View) -> bool:
        """Forget one; tell whether it was there."""
        return self._by_id.pop(view.view_id, None) is not None

    def ended(self, lives: Callable[[str], bool]) -> list[View]:
        """Return the bound views whose program has ended, or without one their GUI. Nothing tells; who asks looks."""
        bound = (view for view in self._by_id.values() if view.viewer_id is None)
        return [
            view
            for view in bound
            if not (lives(view.mux or "") if view.pid is None else is_alive(view.pid, view.start))
        ]

    def panes(self) -> dict[str, list[JsonObject]]:
        """Return the panes by process id, as the snapshot shows them."""
        found: dict[str, list[JsonObject]] = {}
        for view in self._by_id.values():
            if view.place is not None:
                shown: JsonObject = {"pane": view.pane, "mux": view.mux}
                if view.is_in_shell:
                    shown["in_shell"] = True
                found.setdefault(view.process_id, []).append(shown)
        return found

    def muxes(self) -> Iterable[str]:
        """Return the sockets of the WezTerms that show something, who showed something last first."""
        return dict.fromkeys(view.mux for view in reversed(self._by_id.values()) if view.mux is not None)

    def muxes_of(self, process_ids: Iterable[str]) -> frozenset[str]:
        """Return the sockets of the WezTerms that show one of these processes."""
        wanted = frozenset(process_ids)
        views = self._by_id.values()
        return frozenset(view.mux for view in views if view.mux is not None and view.process_id in wanted)

    def _take_place(self, view: View) -> bool:
        """Forget what the pane of a view showed before; tell whether that was another process, or nothing."""
        place = view.place
        there = self.at(*place) if place is not None else None
        if there is None or there.view_id == view.view_id:
            return there is None
        if there.viewer_id is None or view.viewer_id is not None:
            del self._by_id[there.view_id]
        return there.process_id != view.process_id


def is_alive(pid: int, start: int) -> bool:
    """Tell whether a process is the one that it was; where start times are not known, its pid must do."""
    if pid <= 1:
        return False
    now: int = start_time(pid)
    if now or start:
        return now != 0 and start in (0, now) and not _is_zombie(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_zombie(pid: int) -> bool:
    """Tell whether a process has ended and only waits to be read by its parent."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except (OSError, IndexError):
        return False


def _leads_session(pid: Any) -> bool:
    try:
        return isinstance(pid, int) and pid > 0 and os.getsid(pid) == pid
    except OSError:
        return False
