"""`wait`: return when a process is ready, has exited, or has written a line; for scripts, so the exit code tells."""

from __future__ import annotations

import time

from wezparallel.client import states
from wezparallel.client.ended import exit_code
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

LONGEST_S = 3600.0  # of one request; who waits longer asks again


def wait(context: Context) -> int:
    """Wait; 0 when it came, 124 when it did not come in time, 1 when it will not come."""
    args = context.args
    what, equals, regex = args.what.partition("=")
    if what not in ("ready", "exited", "output") or (what == "output") != bool(equals) or (equals and not regex):
        raise RequestError(
            "command.bad_value", f"'{args.what}' cannot be waited for; write ready, exited, or output=REGEX"
        )
    process_id = names.process(context, args.process)["process_id"]
    fields: JsonObject = {"process": process_id, "for": what}
    if regex:
        fields["regex"] = regex
    reply = _ask(context, fields, args.timeout)
    if context.json:
        context.dump(reply)
    return _tell(context, reply, what)


def _ask(context: Context, fields: JsonObject, timeout_s: float | None) -> JsonObject:
    until = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left = LONGEST_S if until is None else min(LONGEST_S, max(0.0, until - time.monotonic()))
        reply = context.client().call("ProcessWait", {**fields, "timeout_s": left})
        if reply["outcome"] != "timeout" or (until is not None and time.monotonic() >= until):
            return reply


def _tell(context: Context, reply: JsonObject, what: str) -> int:
    process = reply["process"]
    if reply["outcome"] == "met":
        if reply["line"] is not None and not context.json:
            context.screen.say(reply["line"])
        return exit_code(process) if what == "exited" and context.args.exit_code else exits.OK
    state = states.word(process)
    why = states.reason(process, context.now)
    now = state + (f" ({why})" if why and why != state else "")
    if reply["outcome"] == "timeout":
        context.note(f"wezparallel: {process['process_id']} is still {now}; {_awaited(what)} did not come in time")
        return exits.TIMEOUT
    context.note(
        f"wezparallel: {process['process_id']} is {now}, so {_awaited(what)} will not come; "
        f"why: wezparallel logs {process['process_id']}"
    )
    return exits.FAILED


def _awaited(what: str) -> str:
    return {"ready": "'ready'", "exited": "its end", "output": "that line"}[what]
