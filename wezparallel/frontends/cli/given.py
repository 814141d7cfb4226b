"""What the command line gives along: `--var NAME=VALUE`, the environment of this shell, and this terminal.

Above: every verb that compiles a template or starts something. Environment and terminal are kept in the daemon's
memory only, if at all.
"""

from __future__ import annotations

import os
import re

from wezparallel.client.terminal import window_size
from wezparallel.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

MAX_FACT = 256
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def given(context: Context) -> JsonObject:
    """Return the fields of a command that compiles a template. Raises RequestError `command.bad_value`."""
    return {"variables": variables(getattr(context.args, "var", None) or []), "environment": dict(os.environ)}


def terminal(context: Context) -> JsonObject | None:
    """Return what this terminal is, if what is started will be shown on it at once."""
    if not context.interactive or context.args.detach:
        return None
    rows, columns, x_pixels, y_pixels = window_size()
    names = ("TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION")
    facts = {name.lower(): _plain(os.environ.get(name, "")) for name in names}
    return {"rows": rows, "columns": columns, "x_pixels": x_pixels, "y_pixels": y_pixels, **facts}


def variables(words: list[str]) -> dict[str, str]:
    """Return `NAME=VALUE` words as a map."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not _NAME.match(name):
            raise RequestError(
                "command.bad_value", f"--var takes NAME=VALUE, such as --var PORT=8080; got {word!r}", field="var"
            )
        found[name] = value
    return found


def _plain(fact: str) -> str:
    """Return a fact as a request can carry it."""
    return fact if fact.isprintable() and len(fact) <= MAX_FACT else ""
