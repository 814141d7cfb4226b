"""A plan becomes tabs and panes, or nothing: what was made for a plan that fails is closed again.

Above: show.py. Below: cli.py, cells.py. The sizes of a tab are worked out before anything is cut, because a cut for
which there is no room leaves a program behind that nobody sees. The plugin's `layout.lua` does the same by mux calls.
"""

from __future__ import annotations

import contextlib

from wezparallel.errors import RequestError
from wezparallel.frontends.wezterm.cells import arrange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from wezparallel.frontends.wezterm.cli import Pane, Wezterm
    from wezparallel.types import JsonObject, ProcessId

    Size: TypeAlias = tuple[int, int]
    """Columns, rows."""
    CommandLine: TypeAlias = Callable[[JsonObject, Size | None], list[str]]
    """What runs in a planned pane, and the size that it will have, if that is known."""


class Place:
    """Where a plan is built: in the window of a pane, or in a new window of a workspace."""

    def __init__(self, *, pane: int | None = None, workspace: str = "", cwd: str = "/") -> None:
        self.pane = pane
        self.workspace = workspace
        self.cwd = cwd


def build(wezterm: Wezterm, plan: JsonObject, place: Place, command_line: CommandLine) -> dict[ProcessId, int]:
    """Make all panes of a plan, give the focus; return process -> pane.

    Raises RequestError when it cannot be made; then nothing of it is left.
    """
    building = _Building(wezterm, place, command_line)
    try:
        building.expect(plan)
        for tab in plan["tabs"]:
            building.add(tab)
        building.give_focus()
    except RequestError:
        clean_up(wezterm, building.made)
        raise
    return building.shown


class _Building:
    """What there is of a plan so far."""

    def __init__(self, wezterm: Wezterm, place: Place, command_line: CommandLine) -> None:
        self._wezterm = wezterm
        self._place = place
        self._command_line = command_line
        self._window: int | None = None
        self._size: Size | None = None
        """Of a tab, as far as it is known: that of the window's other tabs."""
        self._focus: int | None = None
        self.made: list[int] = []
        self.shown: dict[ProcessId, int] = {}

    def expect(self, plan: JsonObject) -> None:
        """Find out how large a tab will be beside the caller's, and whether all of it has room."""
        panes = self._wezterm.panes() if self._place.pane is not None else []
        caller = next((pane for pane in panes if pane.pane_id == self._place.pane), None)
        if caller is None:
            return
        beside = [pane for pane in panes if pane.tab_id == caller.tab_id]
        columns = max(pane.left + pane.columns for pane in beside)
        self._size = columns, max(pane.top + pane.rows for pane in beside)
        for tab in plan["tabs"]:
            arrange(tab["first"], tab["splits"], self._size)

    def add(self, tab: JsonObject) -> None:
        """Make one tab."""
        wezterm, place = self._wezterm, self._place
        planned = {one["pane"]: one for one in tab["panes"]}
        sizes: dict[str, Size] = {}
        if self._size is not None:
            sizes = arrange(tab["first"], tab["splits"], self._size)[1]
        argv = self._command_line(planned[tab["first"]], sizes.get(tab["first"]))
        first = wezterm.spawn(argv, cwd=place.cwd, pane=place.pane, window=self._window, workspace=place.workspace)
        self.made.append(first)
        here = _seen(wezterm, first, planned[tab["first"]]["process_id"])
        self._window, self._size = here.window_id, (here.columns, here.rows)
        cells, sizes = arrange(tab["first"], tab["splits"], self._size)
        panes = {tab["first"]: first}
        for split, count in zip(tab["splits"], cells, strict=True):
            name = split["pane"]
            argv = self._command_line(planned[name], sizes[name])
            panes[name] = wezterm.split(panes[split["of"]], split["direction"], count, argv, cwd=place.cwd)
            self.made.append(panes[name])
        wezterm.set_tab_title(first, tab["title"])
        focus = panes[tab.get("focus") or tab["first"]]
        if self.made[-1] != focus:  # what was made last has it
            wezterm.activate(focus)
        self.shown |= {one["process_id"]: panes[one["pane"]] for one in tab["panes"]}
        focused = [panes[one["pane"]] for one in tab["panes"] if one["focus"]]
        self._focus = focused[0] if focused else self._focus

    def give_focus(self) -> None:
        """Show the tab that has the focus of all, and the pane in it; without one, the first."""
        if self.made:
            self._wezterm.activate(self.made[0] if self._focus is None else self._focus)


def _seen(wezterm: Wezterm, pane: int, process_id: ProcessId) -> Pane:
    found = next((one for one in wezterm.panes() if one.pane_id == pane), None)
    if found is None:
        raise RequestError("process.bad_state", f"the pane of {process_id} closed at once; see `wezparallel doctor`")
    return found


def clean_up(wezterm: Wezterm, panes: Sequence[int]) -> None:
    """Close panes, the newest first, as far as WezTerm still answers."""
    for pane in reversed(panes):
        with contextlib.suppress(RequestError):
            wezterm.kill(pane)
