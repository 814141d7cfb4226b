"""A workspace's panes in WezTerm, when `up` is called in one of them. Above: up.py; below: siblings.py."""

from __future__ import annotations

import os

from wezparallel.errors import RequestError
from wezparallel.frontends.cli import opening, siblings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_HINT = (
    "wezparallel: opened beside this tab. `wezparallel init` adds to WezTerm: a key that opens, switches and finds "
    "workspaces, a status of who needs you, and panes that come back after a restart"
)
_OTHERS = ("TMUX", "STY")  # they keep WezTerm's variables, also those of a WezTerm that is long gone


def can_show(context: Context) -> bool:
    """Tell whether a person called us in a pane of WezTerm and wants to see the workspace."""
    told = os.environ
    inside = bool(told.get("WEZTERM_UNIX_SOCKET")) and told.get("WEZTERM_PANE", "").isdigit()
    return inside and context.interactive and not context.args.detach and not any(map(told.get, _OTHERS))


def watch(context: Context, command: str, fields: JsonObject) -> opening.Opening:
    """Open a workspace in panes beside this one and watch it come up; where it is shown here, go there.

    What was made for this is taken back where its panes cannot be made; what was there before stays.
    Raises RequestError.
    """
    told: list[JsonObject] = []

    def show(reply: JsonObject) -> None:
        name = reply["workspace"]["name"]
        try:
            told.append(sibling.answer(name))
        except RequestError as error:
            if command == "WorkspaceCreate":
                context.call("WorkspaceDelete", name=name)
                error.message = f"{error.message}\n{name} was not opened; `--detach` opens it without panes"
            else:
                error.message = f"{error.message}\n{name} is open; `wezparallel attach` shows one process of it"
            raise

    # Started first, because its start takes longer than the daemon's answer, and processes wait for their panes.
    words = ("show", "-", "--socket", context.socket, "--keeper-socket", context.keeper_socket)
    with siblings.Sibling(siblings.WEZTERM, *words) as sibling:
        opened = opening.watch(context, command, fields, show)
    name = opened.reply["workspace"]["name"]
    for shown in told:
        if not shown["built"]:
            context.note(f"wezparallel: {name} was on the screen already; its pane has the focus")
        elif not shown["set_up"]:
            context.note(_HINT)
    return opened
