"""`template list | show | check | new | schema | trust | delete`: what can be opened, drawn as it would be.

`import` and `save` have modules of their own.
"""

from __future__ import annotations

import os
import sys

from wezparallel import paths
from wezparallel.client import text
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, given, importing, saving, trusting, writing_files
from wezparallel.frontends.cli.render import Cell, Column
from wezparallel.frontends.cli.up import FILE, check, project_root, template_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_ONE = ("show", "new", "save", "import", "trust", "delete")


def template(context: Context) -> int:
    """Do one thing with templates."""
    root = os.path.realpath(context.args.root) if context.args.root else project_root(os.getcwd())
    what, names = context.args.what, context.args.names
    if what in _ONE and len(names) > 1:
        raise RequestError("command.bad_value", f"`template {what}` takes one at a time, not {len(names)}")
    if what == "schema":
        return _schema(context)
    if what == "save":
        return saving.save(context)
    verbs = {
        "list": _list, "show": _show, "check": _check, "new": _new, "import": importing.import_, "trust": _trust,
        "delete": _delete,
    }  # fmt: skip
    return verbs[what](context, root)


def _list(context: Context, root: str) -> int:
    found = context.call("TemplateList", root=root)["templates"]
    found += context.call("TemplateList", root=root, kind="process")["templates"]
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
            Cell(_size(one)),
            Cell(one["origin"], "dim"), Cell("" if one["trusted"] else "not accepted yet", "needs"),
            Cell("" if one["origin"] == "built-in" else text.home(one["path"], home), "dim"),
        ]
        for one in found
    ]  # fmt: skip
    columns = (
        Column(least=8), Column(rank=1, least=16), Column(rank=2, cut=""), Column(rank=3, cut=""),
        Column(rank=3, cut=""), Column(rank=4, cut="middle", least=12),
    )  # fmt: skip
    context.screen.table(columns, rows)
    return exits.OK


def _size(record: JsonObject) -> str:
    if record["kind"] == "process":
        return "run --template"
    return text.plural(record["processes"], "process", "processes")


def _show(context: Context, root: str) -> int:
    name = context.args.names[0] if context.args.names else None
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
    if reply["picture"]:
        screen.say()
    rows = [_row(one) for one in reply["settings"]]
    for table in (rows, [_variable(one) for one in record["variables"]]):
        if table:
            columns = (Column(least=8), Column(rank=1), Column(rank=2, cut=""), Column(rank=3, cut=""))
            screen.table(columns[: len(table[0])], table, indent=2)
            screen.say()
    for note in reply["notes"]:
        screen.say(screen.paint(note, "dim"))
    if not record["trusted"]:
        screen.say(
            "It came with its folder and was not accepted yet; what starts it shows all that it runs, and asks."
        )
    verb = "start it: wezparallel run --template" if record["kind"] == "process" else "open it: wezparallel up"
    screen.say(screen.paint(f"{verb} {name}" if name else verb, "dim"))
    return exits.OK


def _row(settings: JsonObject) -> list[Cell]:
    command = (settings["command"] or " ".join(settings["argv"])).replace("\n", " ⏎ ")
    return [
        Cell(settings["name"], "bold"), Cell(command), Cell("" if settings["pane"] else "no pane", "dim"),
        Cell("" if settings["restart"] == "never" else f"restarts {settings['restart'].replace('_', ' ')}", "dim"),
    ]  # fmt: skip


def _variable(variable: JsonObject) -> list[Cell]:
    default = variable["default"]
    needs = "needs a value" if variable["required"] else "may be left out"
    example = f"for example {variable['example']}" if variable["example"] else ""
    says = [variable["description"].rstrip("."), example]
    return [
        Cell("{{" + variable["name"] + "}}", "bold"), Cell(needs if default is None else f"else {default}"),
        Cell("; ".join(filter(None, says)), "dim"),
    ]  # fmt: skip


def _check(context: Context, root: str) -> int:
    """Check one file or several; each error is told with its lines."""
    names = context.args.names or [os.path.relpath(os.path.join(root, FILE))]
    if len(names) == 1:
        _check_one(context, names[0], root)
        return exits.OK
    worst = exits.OK
    for name in names:
        try:
            _check_one(context, name, root)
        except RequestError as error:
            from wezparallel.frontends.cli.main import complain  # noqa: PLC0415  main imports this module

            complain(context, error)
            worst = max(worst, exits.of(error))
    return worst


def _check_one(context: Context, name: str, root: str) -> None:
    source = sys.stdin.read() if name == "-" else writing_files.read(name)
    reply = check(context, source, root, "stdin" if name == "-" else name)
    if context.json:
        context.dump(reply)
        return
    for note in reply["notes"]:
        context.note(f"wezparallel: {note}")
    if reply["kind"] == "process":
        context.screen.say(f"{name} is right: a template of one process")
        return
    panes = sum(len(tab["panes"]) for tab in reply["plan"]["tabs"])
    context.screen.say(f"{name} is right: {text.plural(panes, 'pane')}")
    context.screen.say()
    for line in reply["picture"].splitlines():
        context.screen.say("  " + line)


def _new(context: Context, root: str) -> int:
    """Write a template: what was found in the folder, or a copy of another one, to begin with."""
    base, names = context.args.base, context.args.names
    found = context.call(
        "TemplateGet", root=root, name=None if base is None else template_name(base), **given.given(context)
    )
    if base is None and found["template"]["origin"] != "detected" and not names:
        there = writing_files.shown(found["template"]["path"])
        raise RequestError(
            "process.bad_state", f"this folder has {there} already; give the new one a name, or say --from"
        )
    source = found["source"]
    if names:
        try:
            reply = context.call("TemplateCreate", name=names[0], source=source)
        except RequestError as error:
            if not (error.data.get("path") and context.args.force):
                raise
            reply = context.call("TemplateUpdate", name=names[0], source=source)
        path = reply["path"]
    else:
        path = os.path.join(root, FILE)
        writing_files.write(context, path, source)
        trusting.trust_own(context, path, root)
    if context.json:
        context.dump({"path": path, "source": source})
        return exits.OK
    context.screen.say(f"{text.home(path, os.path.expanduser('~'))} is written:")
    context.screen.say()
    for line in found["picture"].splitlines():
        context.screen.say("  " + line)
    context.screen.say()
    context.screen.say(context.screen.paint(f"open it: wezparallel up {names[0] if names else ''}".rstrip(), "dim"))
    return exits.OK


def _schema(context: Context) -> int:
    """Print the JSON Schema of templates, for editors."""
    path = os.path.join(paths.share_dir("config/schema"), "template.schema.json")
    context.screen.out.write(writing_files.read(path))
    return exits.OK


def _trust(context: Context, root: str) -> int:
    """Show what a template runs and accept it, now and not at `up`."""
    name = context.args.names[0] if context.args.names else None
    found = context.call(
        "TemplateGet", root=root, name=None if name is None else template_name(name), **given.given(context)
    )
    record = found["template"]
    if record["origin"] == "detected":
        raise RequestError("template.not_found", f"there is no template in {root}; name one", root=root)
    if not record["trusted"]:
        trusting.show(context, {"path": record["path"], "commands": found["commands"]})
        if not context.args.yes:
            if not context.interactive:
                context.note("wezparallel: when these commands are right, say --yes")
                return exits.USAGE
            if context.ask("Accept these? [y/N]", "n") != "y":
                context.screen.say("Nothing was changed.")
                return exits.REFUSED
        sha256 = found["sha256"]
        context.call("TemplateTrust", name=record["path"], root=root, sha256=sha256, **given.given(context))
    if context.json:
        context.dump({"path": record["path"], "sha256": found["sha256"]})
    else:
        said = "was accepted already" if record["trusted"] else "is accepted"
        context.screen.say(f"{text.home(record['path'], os.path.expanduser('~'))} {said}")
    return exits.OK


def _delete(context: Context, _root: str) -> int:
    """Delete one of the user's own templates, after a question."""
    if not context.args.names:
        raise RequestError("command.bad_value", "`template delete` needs the name of one of your templates")
    name = context.args.names[0]
    if not context.args.yes:
        if not context.interactive:
            context.note(f"wezparallel: this deletes the template {name}; say --yes")
            return exits.USAGE
        if context.ask(f"Delete the template {name}? [y/N]", "n") != "y":
            context.screen.say("Nothing was changed.")
            return exits.OK
    reply = context.call("TemplateDelete", name=name)
    if context.json:
        context.dump(reply)
    else:
        context.screen.say(f"{text.home(reply['path'], os.path.expanduser('~'))} is deleted")
    return exits.OK
