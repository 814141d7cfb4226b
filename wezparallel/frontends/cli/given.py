"""What the command line gives a template along: `--var NAME=VALUE`, and the environment of this shell.

Above: every verb that compiles a template. The environment is kept in the daemon's memory only, if at all.
"""

from __future__ import annotations

import os
import re

from wezparallel.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def given(context: Context) -> JsonObject:
    """Return the fields of a command that compiles a template. Raises RequestError `command.bad_value`."""
    return {"variables": variables(getattr(context.args, "var", None) or []), "environment": dict(os.environ)}


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
