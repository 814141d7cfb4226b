"""`show`: put a workspace on the screen of a WezTerm in which no Lua of ours was asked.

Above: `wezparallel up`, which runs this as a program. Below: building.py.
"""

from __future__ import annotations

import os

from wezparallel import paths
from wezparallel.client import launch
from wezparallel.client.sync import Client
from wezparallel.errors import RequestError
from wezparallel.frontends.wezterm import building, json_files, linking
from wezparallel.frontends.wezterm.cli import Wezterm

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from wezparallel.types import JsonObject


def show(args: argparse.Namespace) -> JsonObject:
    """Build the panes of a workspace, or go to those that it has here.

    Returns `panes` (process -> pane), `built`, whether the plugin is `set_up`, and whether it is the `plugin`'s turn,
    because it has spoken in this WezTerm. Raises RequestError, LinkError.
    """
    mux = os.environ.get("WEZTERM_UNIX_SOCKET", "")
    if not mux:
        raise RequestError(
            "process.bad_state",
            "this is no pane of WezTerm (WEZTERM_UNIX_SOCKET is not set); `wezparallel attach` works anywhere",
        )
    with Client(args.socket) as hub:
        told = hub.call("WorkspaceGet", {"name": args.workspace})
        views = _views(hub, args.workspace)
    # Also where its panes are on the screen: they may be in a workspace of WezTerm's that only Lua can go to.
    if _has_plugin(mux):
        return {"panes": {}, "built": False, "set_up": True, "plugin": True}
    set_up = linking.is_set_up()
    with Wezterm(mux) as wezterm:
        seen = _seen_here(wezterm, mux, views)
        if seen:
            focus = told["workspace"]["focus"]
            wezterm.activate(seen.get(focus) or next(iter(seen.values())))
            return {"panes": seen, "built": False, "set_up": set_up, "plugin": False}
        place = building.Place(pane=_caller(args), workspace=args.workspace, cwd=_folder(told["workspace"]["root"]))
        made = building.build(wezterm, told["plan"], place, command_line(args.keeper_socket, args.socket))
    return {"panes": made, "built": True, "set_up": set_up, "plugin": False}


def command_line(keeper_socket: str | None, socket: str | None) -> building.CommandLine:
    """Return what runs in a planned pane: the attach client, or for a `direct` one the program's own wrapper."""
    client = os.path.join(paths.package_dir(), "client")
    bare = [launch.interpreter(), "-I", "-S"]

    def of(pane: JsonObject, size: building.Size | None) -> list[str]:
        program, at = ("direct", socket or paths.client_socket())
        if not pane.get("direct"):
            program, at = ("attach", keeper_socket or paths.keeper_socket())
        sized = [] if size is None else ["--size", f"{size[1]}x{size[0]}"]
        return [*bare, f"{client}/{program}.py", pane["process_id"], "--socket", at, *sized]

    return of


def _has_plugin(mux: str) -> bool:
    """Tell whether this WezTerm's plugin is the one that spoke to the daemon last."""
    try:
        told = json_files.read(paths.gui_snapshot())
        return bool(told["gui"] == mux)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _caller(args: argparse.Namespace) -> int | None:
    """Return the pane beside which the tab is made; None for a new window."""
    if args.new_window:
        return None
    named = args.pane or os.environ.get("WEZTERM_PANE", "")
    if not named.isdigit():
        raise RequestError("command.bad_value", "in which window? give --pane ID, or --new-window")
    return int(named)


def _views(hub: Client, workspace: str) -> list[JsonObject]:
    try:
        return list(hub.call("ViewList", {"workspace": workspace})["views"])
    except RequestError as error:
        if error.code != "command.unknown":  # a daemon from before there were views
            raise
        return []


def _seen_here(wezterm: Wezterm, mux: str, views: list[JsonObject]) -> dict[str, int]:
    """Return process -> pane of what this very WezTerm shows already."""
    told = {
        str(view["process_id"]): int(view["pane"])
        for view in views
        if view.get("mux") == mux and str(view.get("pane") or "").isdigit()
    }
    if not told:
        return {}
    panes = {pane.pane_id for pane in wezterm.panes()}
    return {process_id: pane for process_id, pane in told.items() if pane in panes}


def _folder(root: str) -> str:
    return root if os.path.isdir(root) else os.path.expanduser("~")
