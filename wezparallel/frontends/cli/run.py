"""`run`: keep one command, or what a template says, in the workspace of the current folder, and look at it."""

from __future__ import annotations

import os
import subprocess
import sys

from wezparallel.client import states
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import door, exits, given, names, trusting
from wezparallel.frontends.cli.up import project_root, template_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

HOME = "home"  # the workspace of what was started outside every workspace


def run(context: Context) -> int:
    """Add the command as a process; attach unless told otherwise. Returns the program's exit code."""
    return trusting.asking(context, _run)


def _run(context: Context) -> int:
    args, argv = context.args, context.args.command
    if argv[:1] == ["--"]:
        argv = argv[1:]
    if not argv and args.template is None:
        raise RequestError("command.bad_value", "run needs a command, as in `wezparallel run -- npm run dev`")
    if args.var and args.template is None:
        raise RequestError("command.bad_value", "--var is a value for --template, which is not said", field="var")
    names.check_new(args.name)
    cwd = os.getcwd()
    context.client(asked=True)
    here = names.workspace_of(context, cwd)
    workspace = here["name"] if here else HOME
    tty = context.interactive if args.tty is None else args.tty
    if args.template is None:
        what: JsonObject = {
            "command": program(argv[0], cwd), "args": argv[1:], "cwd": cwd, "restart": "never", "on_close": "stop",
        }  # fmt: skip
        name = process_name(argv)
    else:
        name, what = _of_template(context, cwd)
        what["args"] = argv or None
    reply = context.call(
        "ProcessAdd", id=f"{workspace}/{args.name or name}", tty=tty, unique=True, environment=dict(os.environ),
        root=None if here else os.path.expanduser("~"), terminal=given.terminal(context) if tty else None, **what,
    )  # fmt: skip
    process = reply["process"]
    if reply.get("error"):
        # A typo leaves nothing behind.
        context.call("ProcessRemove", process=process["process_id"])
        error = reply["error"]
        raise RequestError(error.get("code", "process.bad_state"), error.get("message", "it was refused"))
    if reply.get("not_reused"):
        context.note(reply["not_reused"])
    attaches = context.interactive and not context.args.detach
    if context.json:
        context.dump(reply)
    elif not attaches:
        tell(context, process)
    return attach(context, process["process_id"]) if attaches else exits.OK


def _of_template(context: Context, cwd: str) -> tuple[str, JsonObject]:
    """Return a template's name, and the fields that say what is started from it."""
    root = project_root(cwd)
    told = context.call(
        "TemplateGet", name=template_name(context.args.template), kind="process", root=root, **given.given(context)
    )
    folders = [one["cwd"] for one in told["settings"] if one["cwd"] != root]  # none: it does not say where
    record = told["template"]
    fields = {"template": record["path"], "variables": given.variables(context.args.var or [])}
    return process_name([record["name"]]), {**fields, "cwd": folders[0] if folders else cwd}


def process_name(argv: list[str]) -> str:
    """Return the name for a command: its program's, without folder and suffix."""
    base = argv[0].rstrip("/").rpartition("/")[2]
    stem = base.rpartition(".")[0] or base
    cleaned = "".join(char for char in stem if char.isprintable() and char != "/")[: names.MAX_NAME]
    return cleaned or "command"


def program(word: str, cwd: str) -> str:
    """Return what to start: a path is meant from here, a bare name from the PATH."""
    return os.path.normpath(os.path.join(cwd, word)) if "/" in word and not word.startswith("/") else word


def tell(context: Context, process: JsonObject) -> None:
    """Say that it is kept, and how to come back."""
    screen = context.screen
    symbol, style = states.look(process)
    pid = f"pid {process['pid']}" if process["pid"] is not None else states.word(process)
    screen.say(f"{screen.paint(symbol, style)} {process['process_id']}  {screen.paint(pid, 'dim')}")
    if screen.is_terminal:
        screen.say(screen.paint(f"look: wezparallel attach {process['process_id']}", "dim"))


def attach(context: Context, process_id: str) -> int:
    """Show the program until it ends or the person leaves; return its exit code, 0 after leaving."""
    door.flush()
    command = door.command_line("attach", [process_id, "--socket", context.keeper_socket, "--exit"])
    environment = {**os.environ, "WEZPARALLEL_SOCKET": context.socket} if context.args.socket else None
    attached = subprocess.run(command, check=False, env=environment)
    sys.stdout.flush()
    return attached.returncode if attached.returncode >= 0 else 128 - attached.returncode
