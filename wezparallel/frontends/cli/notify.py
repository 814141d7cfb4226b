"""`notify`: a process asks for a look, from within itself or by name; `--test` sends a test through channels."""

from __future__ import annotations

import os

from wezparallel.client import text
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context

MAX_TEXT = 500
_USUAL = "asks for a look"


def notify(context: Context) -> int:
    """Have a process ask for a look; it ends when somebody looks at it or types into it."""
    if context.args.test:
        return _test(context, context.args.test)
    named = context.args.process or os.environ.get("WEZPARALLEL_PROCESS")
    if not named:
        raise RequestError(
            "command.bad_value", "which process? Inside one that is kept it is itself; elsewhere say --process NAME"
        )
    said = " ".join(context.args.text) or _USUAL
    if len(said) > MAX_TEXT:
        raise RequestError("command.bad_value", f"a notice has at most {MAX_TEXT} characters; this has {len(said)}")
    process_id = named if not context.args.process else names.process(context, named)["process_id"]
    reply = context.call("ProcessNotify", process=process_id, text="" if context.args.clear else said)
    if context.json:
        context.dump(reply)
    elif context.screen.is_terminal:
        now = "asks for nothing any more" if context.args.clear else f"asks for a look: {said}"
        context.screen.say(f"{reply['process']['process_id']} {now}")
    return exits.OK


def _test(context: Context, name: str) -> int:
    """Send a test through a channel, or through those of a rule; say what became of it."""
    reply = context.call("AlertTest", name=name)
    if context.json:
        context.dump(reply)
    else:
        for one in reply["results"]:
            mark = context.screen.paint("✓", "good") if one["reason"] is None else context.screen.paint("✗", "bad")
            context.screen.say(f"{mark} {text.clean(one['channel'])}  {text.clean(one['reason'] or 'sent')}")
    return exits.FAILED if any(one["reason"] for one in reply["results"]) else exits.OK
