"""A workspace's panes in WezTerm, when `up` is called in one of them. Above: up.py; below: siblings.py."""

from __future__ import annotations

import os

from wezparallel.client import terminal
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import opening, siblings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

    class Place(NamedTuple):
        """A pane of a WezTerm."""

        mux: str
        pane: str
else:
    from collections import namedtuple

    Place = namedtuple("Place", "mux pane")

_HINT = (
    "wezparallel: opened beside this tab. `wezparallel init` adds to WezTerm: a key that opens, switches and finds "
    "workspaces, a status of who needs you, and panes that come back after a restart"
)


def find(context: Context) -> Place | None:
    """Return the pane of WezTerm in which a person called us and wants to see the workspace, if it is one.

    A program that we keep does not know its pane, which may change; the daemon knows what shows it now.
    """
    told = os.environ
    if not context.interactive or context.args.detach or terminal.in_multiplexer():
        return None
    mux, pane = told.get("WEZTERM_UNIX_SOCKET", ""), told.get("WEZTERM_PANE", "")
    if mux and pane.isdigit() and terminal.inside_wezterm():
        return Place(mux, pane)
    process = told.get("WEZPARALLEL_PROCESS")
    if not process:
        return None
    try:
        views = context.call("ViewList", process=process)["views"]
    except RequestError:  # another daemon's process, or a daemon from before there were views
        return None
    places = [Place(view["mux"], view["pane"]) for view in views if view["mux"] and view["pane"]]
    return places[-1] if places else None


def watch(context: Context, place: Place | None, command: str, fields: JsonObject) -> opening.Opening:
    """Open a workspace and watch it come up, in panes beside a pane if there is one; where it is shown, go there.

    What was made for this is taken back where its panes cannot be made; what was there before stays.
    Raises RequestError.
    """
    if place is None:
        return opening.watch(context, command, {**fields, "view": "none"})
    told: list[JsonObject] = []

    def draw(reply: JsonObject) -> None:
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
        if told[-1]["plugin"]:
            context.call("WorkspaceSwitch", name=name)

    # Started first, because its start takes longer than the daemon's answer, and processes wait for their panes.
    with _sibling(context, place) as sibling:
        opened = opening.watch(context, command, {**fields, "view": "plan"}, draw)
    for shown in told:
        _tell(context, shown, opened.reply["workspace"]["name"])
    return opened


def show(context: Context, place: Place, name: str) -> None:
    """Go to the panes of a workspace that is open, made beside a pane where there are none. Raises RequestError."""
    with _sibling(context, place) as sibling:
        _tell(context, sibling.answer(name), name)


def _sibling(context: Context, place: Place) -> siblings.Sibling:
    words = ("show", "-", "--pane", place.pane, "--socket", context.socket, "--keeper-socket", context.keeper_socket)
    return siblings.Sibling(siblings.WEZTERM, *words, WEZTERM_UNIX_SOCKET=place.mux)


def _tell(context: Context, shown: JsonObject, name: str) -> None:
    if shown["plugin"]:
        context.note(f"wezparallel: WezTerm goes to {name}")
    elif not shown["built"]:
        context.note(f"wezparallel: {name} was on the screen already; its pane has the focus")
    elif not shown["set_up"]:
        context.note(_HINT)
