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

    CommandLine: TypeAlias = Callable[[JsonObject], list[str]]
    """What runs in a planned pane."""


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
    made: list[int] = []
    shown: dict[ProcessId, int] = {}
    focus: int | None = None
    window: int | None = None
    try:
        for tab in plan["tabs"]:
            by_name = {one["pane"]: one for one in tab["panes"]}
            argv = command_line(by_name[tab["first"]])
            first = wezterm.spawn(argv, cwd=place.cwd, pane=place.pane, window=window, workspace=place.workspace)
            made.append(first)
            here = _seen(wezterm, first, by_name[tab["first"]]["process_id"])
            window = here.window_id
            cells = arrange(tab["first"], tab["splits"], (here.columns, here.rows))
            panes = {tab["first"]: first}
            for split, count in zip(tab["splits"], cells, strict=True):
                argv = command_line(by_name[split["pane"]])
                of = panes[split["of"]]
                panes[split["pane"]] = wezterm.split(of, split["direction"], count, argv, cwd=place.cwd)
                made.append(panes[split["pane"]])
            wezterm.set_tab_title(first, tab["title"])
            if made[-1] != panes[tab.get("focus") or tab["first"]]:  # what was made last has it
                wezterm.activate(panes[tab.get("focus") or tab["first"]])
            shown |= {one["process_id"]: panes[one["pane"]] for one in tab["panes"]}
            focused = next((panes[one["pane"]] for one in tab["panes"] if one["focus"]), None)
            focus = focus if focused is None else focused
        if focus is None and shown:
            focus = next(iter(shown.values()))
        if focus is not None:
            wezterm.activate(focus)
    except RequestError:
        clean_up(wezterm, made)
        raise
    return shown


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
