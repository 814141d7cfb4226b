"""Templates that came with a folder: their commands are shown and asked about once, before anything of them runs.

Without a terminal nobody can be asked, so it is refused unless `--trust` says that they were looked at. Above: `up`,
`template`. Below: `TemplateTrust`.
"""

from __future__ import annotations

import os

from wezparallel.client import text
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_SHOWN = 100
"""Lines that are shown at once; a longer list is paged by nobody and read by nobody."""


def asking(context: Context, what: Callable[[Context], int]) -> int:
    """Do something that may need a template to be accepted first; ask, and do it again. Raises RequestError."""
    try:
        return what(context)
    except RequestError as error:
        if error.code != "template.untrusted":
            raise
        if not accept(context, error):
            if context.interactive:
                context.screen.say("Nothing was opened.")
                return exits.REFUSED
            raise RequestError(error.code, _refusal(error.data), **error.data) from None
    return what(context)


def accept(context: Context, error: RequestError) -> bool:
    """Show what a template would run; tell whether it was accepted, and have that kept."""
    data = error.data
    if not getattr(context.args, "trust", False):
        if not context.interactive:
            return False
        show(context, data)
        if context.ask("Run these? [y/N]", "n") != "y":
            return False
    context.call("TemplateTrust", name=data["path"], root=data["root"], sha256=data["sha256"], **given.given(context))
    return True


def trust_own(context: Context, path: str, root: str) -> None:
    """Accept a template that the person wrote just now."""
    told = context.call("TemplateGet", name=path, root=root, **given.given(context))
    if not told["template"]["trusted"]:
        context.call("TemplateTrust", name=path, root=root, sha256=told["sha256"], **given.given(context))


def show(context: Context, data: JsonObject) -> None:
    """Draw what would run, or what has changed since it was accepted."""
    screen = context.screen
    name = text.home(data["path"], os.path.expanduser("~"))
    changes = data.get("changes")
    if changes:
        screen.say(f"{name} runs other commands than those that you accepted:")
    else:
        screen.say(f"{name} came with its folder. It runs:")
    screen.say()
    lines = changes or data["commands"]
    for line in lines[:_SHOWN]:
        style = {"+": "good", "-": "bad"}.get(line[:1], "") if changes else ""
        screen.say("  " + (screen.paint(line, style) if style else line))
    if len(lines) > _SHOWN:
        screen.say(f"  … and {text.plural(len(lines) - _SHOWN, 'line')} more; `wezparallel template show` has all")
    screen.say()


def _refusal(data: JsonObject) -> str:
    shown = "\n".join(f"    {line}" for line in (data.get("changes") or data["commands"])[:_SHOWN])
    why = "runs other commands than those that were accepted" if data.get("changes") else "was not accepted yet"
    return f"{data['path']} {why}:\n\n{shown}\n\nWhen they are right, say --trust, or `wezparallel template trust`."
