"""`config show | check | schema | edit | reload`: the settings, also where no daemon runs.

With a daemon it is asked, because its environment is what counts; without one `wezparallel.hub.offline` answers from
the same files, in a process of its own.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys

from wezparallel import paths
from wezparallel.client import launch, text
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits
from wezparallel.frontends.cli.render import Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import Json, JsonObject

_NAMES = ("config.yaml", "config.yml", "config.toml")
_TEMPLATE = "framework.yaml"
_PATIENCE_S = 30


def config(context: Context) -> int:
    """Show, check, edit or reload the configuration."""
    verbs: dict[str, Callable[[Context], int]] = {
        "show": _show, "check": _check, "schema": _schema, "edit": _edit, "reload": _reload,
    }  # fmt: skip
    return verbs[context.args.what](context)


def ask(context: Context, command: str, **fields: Json) -> JsonObject:
    """Ask the daemon if one runs, else the files. Raises RequestError."""
    given = {name: value for name, value in fields.items() if value is not None}
    if context.args.socket or launch.listens(context.socket):
        try:
            return context.call(command, **given)
        except RequestError as error:
            if error.code != "command.unknown":  # a daemon from before there was a configuration
                raise
    done = _offline(command, json.dumps(given))
    tag, body = next(iter(json.loads(done).items()))
    if tag == "Error":
        raise RequestError(body["code"], body["message"], **body["data"])
    found: JsonObject = body
    return found


def option(context: Context, name: str, usual: Json) -> Json:
    """Return what the daemon has for an option; where it knows none, the usual."""
    try:
        values = context.call("ConfigGet")["values"]
    except RequestError:
        return usual
    return next((value["value"] for value in values if value["option"] == name), usual)


def _offline(command: str, given: str = "") -> str:
    argv = [launch.interpreter(), "-m", "wezparallel.hub.offline", command]
    done = subprocess.run(
        argv, input=given, capture_output=True, text=True, check=False, timeout=_PATIENCE_S,
        env=launch.environment(),
    )  # fmt: skip
    if done.returncode or not done.stdout:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RequestError("internal.bug", f"the configuration could not be read: {last}")
    return done.stdout


def _show(context: Context) -> int:
    reply = ask(context, "ConfigGet")
    if context.json:
        context.dump(reply)
        return exits.OK
    screen, home = context.screen, os.path.expanduser("~")
    where = text.home(reply["path"], home) if reply["path"] else f"no file; {text.home(usual_path(), home)} is read"
    screen.say(screen.paint(where, "dim"))
    screen.say()
    columns = (Column(least=24), Column(rank=1, least=8), Column(rank=2, least=8, cut="middle"))
    screen.table(columns, [_row(value, origin=context.args.origin, home=home) for value in reply["values"]])
    if reply["templates"]:
        screen.say()
        screen.say(f"{screen.paint('templates', 'bold')}  {', '.join(map(text.clean, reply['templates']))}")
    for problem in (*reply["errors"], *reply["warnings"]):
        context.note("\n" + problem["message"])
    return exits.OK


def _row(value: JsonObject, *, origin: bool, home: str) -> list[Cell]:
    is_default = value["origin"] == "default"
    said = _said(value["value"])
    unit = f" {value['unit']}" if value["unit"] and said not in ("none", "null") else ""
    where = text.home(value["where"], home) or value["origin"]
    return [
        Cell(value["option"], "dim" if is_default else ""), Cell(said + unit, "dim" if is_default else "bold"),
        Cell(where, "dim") if origin else Cell("" if is_default else value["origin"], "dim"),
    ]  # fmt: skip


def _said(value: Json) -> str:
    if value is None or value == {}:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _check(context: Context) -> int:
    return _checked(context, context.args.file)


def _checked(context: Context, name: str | None) -> int:
    """Check a file and say what was found; return the exit code."""
    if name == "-":
        reply = ask(context, "ConfigCheck", source=sys.stdin.read())
    else:
        reply = ask(context, "ConfigCheck", path=None if name is None else os.path.abspath(os.path.expanduser(name)))
    if context.json:
        context.dump(reply)
        return exits.FAILED if reply["errors"] else exits.OK
    screen = context.screen
    for kind, style in (("errors", "bad"), ("warnings", "needs"), ("notes", "dim")):
        for problem in reply[kind]:
            first, *rest = map(text.clean, problem["message"].split("\n"))
            screen.say(screen.paint(kind[:-1], style) + f"  {first}")
            for line in rest:
                screen.say(line)
            screen.say()
    shown = "stdin" if name == "-" else text.home(name or reply["path"] or "", os.path.expanduser("~"))
    if reply["errors"]:
        screen.say(f"{shown or 'The environment'} is wrong: {text.plural(len(reply['errors']), 'error')}.")
        return exits.FAILED
    if not shown:
        screen.say("There is no file: everything has its default. `wezparallel config edit` makes one.")
        return exits.OK
    templates = f", {text.plural(len(reply['templates']), 'template')}" if reply["templates"] else ""
    screen.say(f"{shown} is right: {text.plural(reply['options'], 'option')}{templates}.")
    return exits.OK


def _schema(context: Context) -> int:
    context.screen.out.write(_offline("schema"))
    return exits.OK


def _reload(context: Context, *, told: bool = False) -> int:
    """Have the daemon read it again; `told`: a check has said already what there is to say."""
    if not launch.listens(context.socket) and not context.args.socket:
        context.note("wezparallel: no daemon runs; it reads the configuration when it starts")
        return exits.NO_DAEMON
    reply = context.call("ConfigReload")
    if context.json:
        context.dump(reply)
        return exits.OK
    for problem in [] if told else reply["warnings"]:
        context.note(problem["message"])
    changed = reply["changed"]
    context.screen.say(f"Changed: {', '.join(changed)}." if changed else "Nothing has changed.")
    return exits.OK


def _edit(context: Context) -> int:
    path = _file(context)
    if not sys.stdin.isatty() and not (os.environ.get("VISUAL") or os.environ.get("EDITOR")):
        context.note(f"wezparallel: there is no terminal to edit in; the file is {path}")
        return exits.USAGE
    while True:
        _run_editor(path)
        code = _checked(context, path)
        if code == exits.OK:
            break
        if not context.interactive or context.ask("Edit it again? [Y/n]", "y") != "y":
            context.note("wezparallel: the daemon goes on with what it has until the file is right")
            return code
    if launch.listens(context.socket):
        return _reload(context, told=True)
    return exits.OK


def _file(context: Context) -> str:
    """Return the file that is read; where there is none, one with every option as a comment."""
    path: str
    if context.args.file:
        path = os.path.abspath(os.path.expanduser(context.args.file))
    else:
        path = ask(context, "ConfigGet")["path"] or usual_path()
    if not os.path.lexists(path):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        source = os.path.join(paths.share_dir("config/templates"), _TEMPLATE)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it may get secrets
        with open(descriptor, "wb") as file, open(source, "rb") as sample:
            if not path.endswith(".toml"):
                shutil.copyfileobj(sample, file)
    return path


def _run_editor(path: str) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or shutil.which("vi") or "nano"
    try:
        done = subprocess.run([*shlex.split(editor), path], check=False)
    except (OSError, ValueError) as error:
        raise RequestError(
            "command.bad_value", f"the editor {editor!r} cannot be run: {error}; set EDITOR, the file is {path}"
        ) from None
    if done.returncode:
        raise RequestError("command.bad_value", f"{editor} ended with {done.returncode}; the file is {path}")


def usual_path() -> str:
    """Return where the file lies unless told otherwise."""
    return os.path.join(paths.config_dir(), _NAMES[0])
