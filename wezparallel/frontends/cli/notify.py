"""`notify`: a process asks for a look, from within itself or by name."""

from __future__ import annotations

import os

from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context

MAX_TEXT = 500
_USUAL = "asks for a look"


def notify(context: Context) -> int:
    """Have a process ask for a look; it ends when somebody looks at it or types into it."""
    named = context.args.process or os.environ.get("WEZPARALLEL_PROCESS")
    if not named:
        raise RequestError(
            "command.bad_value", "which process? Inside one that is kept it is itself; elsewhere say --process NAME"
        )
    text = " ".join(context.args.text) or _USUAL
    if len(text) > MAX_TEXT:
        raise RequestError("command.bad_value", f"a notice has at most {MAX_TEXT} characters; this has {len(text)}")
    process_id = named if not context.args.process else names.process(context, named)["process_id"]
    reply = context.call("ProcessNotify", process=process_id, text="" if context.args.clear else text)
    if context.json:
        context.dump(reply)
    elif context.screen.is_terminal:
        said = "asks for nothing any more" if context.args.clear else f"asks for a look: {text}"
        context.screen.say(f"{reply['process']['process_id']} {said}")
    return exits.OK
