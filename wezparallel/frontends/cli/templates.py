"""`template list | show | check`: what can be opened, drawn as it would be."""

from __future__ import annotations

import os
import sys

from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, given, text
from wezparallel.frontends.cli.render import Cell, Column
from wezparallel.frontends.cli.up import FILE, check, project_root, template_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject


def template(context: Context) -> int:
    """List templates, show one, or check a file."""
    root = os.path.realpath(context.args.root) if context.args.root else project_root(os.getcwd())
    verbs = {"list": _list, "show": _show, "check": _check}
    return verbs[context.args.what](context, root)


def _list(context: Context, root: str) -> int:
    found = context.call("TemplateList", root=root)["templates"]
    if context.json:
        context.dump({"templates": found})
        return exits.OK
    if not found:
        context.screen.say(f"No template anywhere; write {FILE}, or let `wezparallel up` draw one.")
        return exits.OK
    home = os.path.expanduser("~")
    rows = [
        [
            Cell(one["name"], "bold"), Cell(one["description"]),
            Cell(text.plural(one["processes"], "process", "processes")),
            Cell(one["origin"], "dim"),
            Cell("" if one["origin"] == "built-in" else text.home(one["path"], home), "dim"),
        ]
        for one in found
    ]  # fmt: skip
    columns = (
        Column(least=8), Column(rank=1, least=16), Column(rank=2, cut=""), Column(rank=3, cut=""),
        Column(rank=4, cut="middle", least=12),
    )  # fmt: skip
    context.screen.table(columns, rows)
    return exits.OK


def _show(context: Context, root: str) -> int:
    name = context.args.name
    named = None if name is None else template_name(name)
    reply = context.call("TemplateGet", root=root, name=named, **given.given(context))
    if context.json:
        context.dump(reply)
        return exits.OK
    screen = context.screen
    record = reply["template"]
    if record["origin"] == "detected":
        found = ", ".join(reply["found"])
        screen.say(f"No {FILE} here." + (f" From {found}:" if found else ""))
    else:
        where = "built-in" if record["origin"] == "built-in" else text.home(record["path"], os.path.expanduser("~"))
        screen.say(
            f"{screen.paint(record['name'], 'bold')}  {record['description']}".rstrip()
            + screen.paint(f"  {where}", "dim")
        )
    screen.say()
    for line in reply["picture"].splitlines():
        screen.say("  " + line)
    screen.say()
    rows = [_row(one) for one in reply["settings"]]
    screen.table((Column(least=8), Column(rank=1), Column(rank=2, cut=""), Column(rank=3, cut="")), rows, indent=2)
    screen.say()
    screen.say(screen.paint(f"open it: wezparallel up {name}" if name else "open it: wezparallel up", "dim"))
    return exits.OK


def _row(settings: JsonObject) -> list[Cell]:
    command = settings["command"] or " ".join(settings["argv"])
    return [
        Cell(settings["name"], "bold"), Cell(command), Cell("" if settings["pane"] else "no pane", "dim"),
        Cell("" if settings["restart"] == "never" else f"restarts {settings['restart'].replace('_', ' ')}", "dim"),
    ]  # fmt: skip


def _check(context: Context, root: str) -> int:
    name = context.args.name or os.path.relpath(os.path.join(root, FILE))
    source = sys.stdin.read() if name == "-" else _read(name)
    reply = check(context, source, root, "stdin" if name == "-" else name)
    if context.json:
        context.dump(reply)
        return exits.OK
    panes = sum(len(tab["panes"]) for tab in reply["plan"]["tabs"])
    context.screen.say(f"{name} is right: {text.plural(panes, 'pane')}")
    context.screen.say()
    for line in reply["picture"].splitlines():
        context.screen.say("  " + line)
    return exits.OK


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise RequestError("template.not_found", f"{path} cannot be read: {error.strerror}", path=path) from None
    except UnicodeDecodeError:
        raise RequestError("template.syntax", f"{path} is not UTF-8", path=path) from None
