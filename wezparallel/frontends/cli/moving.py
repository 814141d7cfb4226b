"""`open`, `switch` and `focus`: go to a workspace or to one process, from anywhere.

The daemon notes where somebody went and has WezTerm go there. Where its plugin is not, panes are made beside the
one in which it was called; outside WezTerm a terminal goes to the process itself.
"""

from __future__ import annotations

import os

from wezparallel.client import states, terminal
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, given, names, panes, small

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject


SHOWN_S = 3.0  # a pane takes some hundredths of that


def open_workspace(context: Context) -> int:
    """Have a workspace's processes up as they are defined, without a look at its template; or show one process."""
    context.client(asked=True)
    try:
        workspace = names.workspace(context, context.args.name)
    except RequestError as error:
        try:
            process = names.process(context, context.args.name)
        except RequestError:
            raise error from None
        return _show(context, process)
    place = panes.find(context)
    fields = {"name": workspace["name"], "environment": dict(os.environ)}
    if place is None:
        fields["terminal"] = given.terminal(context)
    opened = panes.watch(context, place, "WorkspaceOpen", fields)
    if context.json:
        context.dump(opened.reply)
    focus = opened.reply["workspace"]["focus"] or opened.first
    if context.interactive and not context.args.detach and not place and focus and opened.is_up(focus):
        small.become_attach(context, focus)
    return exits.FAILED if opened.failed else exits.OK


def switch(context: Context) -> int:
    """Make a workspace the current one, and go to the process that has the focus there."""
    workspace = names.workspace(context, context.args.name)
    if not workspace["open"]:
        raise RequestError(
            "process.bad_state", f"{workspace['name']} is closed; `wezparallel open {workspace['name']}` opens it"
        )
    reply = context.call("WorkspaceSwitch", name=workspace["name"])
    return _go(context, reply, reply["workspace"]["focus"])


def focus(context: Context) -> int:
    """Make a process the one that has the focus in its workspace, and go to it."""
    process = names.process(context, context.args.process)
    if process["workspace"] is None:
        reply = context.call("ViewFocus", process=process["process_id"], mux=_mux())
        return _said(context, reply, f"WezTerm was asked to go to {process['process_id']}")
    reply = context.call("WorkspaceSwitch", name=process["workspace"], focus=process["process_id"])
    return _go(context, reply, process["process_id"])


def _go(context: Context, reply: JsonObject, focused: str | None) -> int:
    name = reply["workspace"]["name"]
    if context.json:
        context.dump(reply)
        return exits.OK
    if reply.get("mux") is not None:
        return _said(context, reply, f"{name} is the current workspace; WezTerm goes there")
    place = panes.find(context)
    if place is not None:
        panes.show(context, place, name)
        return exits.OK
    members = context.processes(name)
    target = next((one for one in members if one["process_id"] == focused), None)
    if target is None or target["state"] not in states.UP:
        target = target or next(
            (one for one in members if one["state"] in states.UP and not states.is_spare(one)), None
        )
    if context.interactive and not context.args.detach and target is not None and target["state"] in states.UP:
        small.become_attach(context, target["process_id"])
    where = f", at {target['process_id']}" if target is not None else ""
    context.screen.say(f"{name} is the current workspace{where}")
    if target is not None and target["state"] not in states.UP:
        context.note(f"{target['process_id']} does not run; wezparallel start {target['process_id']}")
    return exits.OK


def _show(context: Context, process: JsonObject) -> int:
    """Have WezTerm show a process; where no WezTerm is, a terminal becomes its view."""
    process_id = process["process_id"]
    fields = {"process": process_id, "where": context.args.where, "mux": _mux(), "wait_s": SHOWN_S}
    try:
        reply = context.call("ViewOpen", **fields)
    except RequestError as error:
        if error.code != "process.bad_state" or not context.interactive or context.args.detach:
            raise
        small.become_attach(context, process_id)
    view = reply["view"]
    if view is None:
        context.note(f"nothing was shown within {SHOWN_S:.0f} s; `wezparallel doctor` looks at WezTerm's plugin")
        return _said(context, reply, f"WezTerm was asked to show {process_id}")
    return _said(context, reply, f"{process_id} is shown in pane {view['pane'] or '?'}")


def _said(context: Context, reply: JsonObject, sentence: str) -> int:
    if context.json:
        context.dump(reply)
    else:
        context.screen.say(sentence)
    return exits.OK


def _mux() -> str | None:
    """Return the WezTerm that this was called in."""
    return os.environ.get("WEZTERM_UNIX_SOCKET") or None if terminal.inside_wezterm() else None
