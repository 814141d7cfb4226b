"""`env`: the environment that a process's next run gets, line by line, secrets covered."""

from __future__ import annotations

import shlex

from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, names
from wezparallel.frontends.cli.render import Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_COLUMNS = (Column(least=16), Column(least=20), Column(rank=1, cut=""))
_COVER = "••••••"
_ORIGINS = {"caller": "", "login": "login shell", "template": "its settings", "daemon": "the daemon"}


def env(context: Context) -> int:
    """Show the variables of a process; secrets only on a terminal, and only when asked for."""
    shows = context.args.show_secrets
    if shows and not context.interactive:
        raise RequestError(
            "command.bad_value", "--show-secrets works on a terminal only; a pipe may end in a file or a log"
        )
    process = names.process(context, context.args.process)
    reply = context.call("EnvironmentGet", process=process["process_id"], show_secrets=shows)
    if context.json:
        context.dump(reply)
        return exits.OK
    if context.screen.columns is None:
        for one in reply["variables"]:
            # What is not told is no value: a file that is read by a shell must not set it.
            known = one["value"] is not None
            context.screen.say(f"{one['name']}={shlex.quote(one['value'])}" if known else f"# {one['name']}")
        return exits.OK
    rows = [
        [Cell(one["name"]), Cell(_value(one), "dim" if one["masked"] else ""), Cell(_ORIGINS[one["origin"]], "dim")]
        for one in reply["variables"]
    ]
    context.screen.table(_COLUMNS, rows, widest=0)
    if any(one["masked"] for one in reply["variables"]):
        context.note("secrets are covered; --show-secrets shows them")
    return exits.OK


def _value(variable: JsonObject) -> str:
    if variable["value"] is not None:
        return str(variable["value"])
    return _COVER if variable["masked"] else ""
