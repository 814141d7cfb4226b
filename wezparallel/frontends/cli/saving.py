"""`template save`: the workspace as it is now, written as a template of the user's.

Its plan is drawn again: the cuts give rectangles, their edges the rows and columns of a picture. Above: `template`.
Below: `WorkspaceGet`, `TemplateCreate`; importers/writing.py, which writes our YAML.
"""

from __future__ import annotations

import math
import os
from itertools import pairwise

from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, names
from wezparallel.frontends.cli.importers.writing import Tab, Template, literal
from wezparallel.protocol import masking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_STEPS = 1200  # of a side; cuts that fall onto the same step are one edge
_PLAIN = ("title", "focus", "worktree", "isolate", "direct", "watch", "may", "on_close", "depends_on")


def save(context: Context) -> int:
    """Write a workspace as a template into the user's folder."""
    args = context.args
    if len(args.names) != 1:
        raise RequestError("command.bad_value", "`template save` needs the name that the template gets")
    workspace = names.workspace(context, args.workspace)
    told = context.call("WorkspaceGet", name=workspace["name"], settings=True)
    source, notes = template(told)
    name = args.names[0]
    try:
        reply = context.call("TemplateCreate", name=name, source=source)
    except RequestError as error:
        if not (error.data.get("path") and args.force):
            raise
        reply = context.call("TemplateUpdate", name=name, source=source)
    if context.json:
        context.dump({**reply, "source": source, "notes": notes})
        return exits.OK
    path = os.path.join("~", os.path.relpath(reply["path"], os.path.expanduser("~")))
    context.screen.say(f"{workspace['name']} is saved as {name}, in {path if '..' not in path else reply['path']}")
    for note in notes:
        context.note(note)
    context.screen.say(context.screen.paint(f"open it elsewhere: wezparallel up {name}", "dim"))
    return exits.OK


def template(told: JsonObject) -> tuple[str, list[str]]:
    """Return a workspace's template and what could not be written down."""
    workspace = told["workspace"]
    notes: list[str] = []
    root = workspace["root"]
    found = Template(f"Saved from the workspace {workspace['name']}.")
    found.tabs = [drawn(tab) for tab in told["plan"]["tabs"]]
    shown = {pane for tab in found.tabs for row in tab.rows for pane in row}
    if len(found.tabs) == 1:
        found.tabs[0].title = ""
    for settings in told["settings"]:
        one = _process(settings, root, notes)
        (found.panes if settings["name"] in shown else found.processes)[settings["name"]] = one
    return found.text(), notes


def drawn(tab: JsonObject) -> Tab:
    """Return a tab of a plan as a picture."""
    boxes: dict[str, tuple[float, float, float, float]] = {tab["first"]: (0.0, 0.0, 1.0, 1.0)}
    for cut in tab["splits"]:
        x, y, width, height = boxes[cut["of"]]
        if cut["direction"] == "right":
            rest = width * (1 - cut["share"])
            boxes[cut["of"]] = (x, y, rest, height)
            boxes[cut["pane"]] = (x + rest, y, width - rest, height)
        else:
            rest = height * (1 - cut["share"])
            boxes[cut["of"]] = (x, y, width, rest)
            boxes[cut["pane"]] = (x, y + rest, width, height - rest)
    steps = {
        name: tuple(round(side * _STEPS) for side in (x, y, x + width, y + height))
        for name, (x, y, width, height) in boxes.items()
    }
    columns = sorted({edge for box in steps.values() for edge in (box[0], box[2])})
    rows = sorted({edge for box in steps.values() for edge in (box[1], box[3])})
    picture = [
        [next(name for name, box in steps.items() if _covers(box, x, y)) for x in columns[:-1]] for y in rows[:-1]
    ]
    return Tab(tab["title"], picture, _weights(rows), _weights(columns))


def _covers(box: tuple[int, ...], x: int, y: int) -> bool:
    return box[0] <= x < box[2] and box[1] <= y < box[3]


def _weights(edges: list[int]) -> list[int]:
    parts = [after - before for before, after in pairwise(edges)]
    least = math.gcd(*parts)
    return [] if len(set(parts)) == 1 else [part // least for part in parts]


def _process(settings: JsonObject, root: str, notes: list[str]) -> dict[str, Any]:
    """Return what a template says of a process; what is as usual is left out."""
    argv, command = settings["argv"], settings["command"]
    in_shell = len(argv) == 3 and argv[1] == "-c" and argv[2].removeprefix("exec ") == command
    is_shell = len(argv) == 1 and command == "shell"
    words: Any = literal(command) if in_shell or is_shell else [literal(word) for word in argv]
    one: dict[str, Any] = {"command": words}
    if settings["agent"]:
        one["agent"] = settings["agent"]
    if settings["cwd"] != root:
        near = os.path.relpath(settings["cwd"], root)
        one["cwd"] = settings["cwd"] if near.startswith("..") else near
    env = {}
    for name, value in settings["env"].items():
        if value and masking.masked(name, value) != value:
            notes.append(f"the value of {name} is not written down; the template takes it from the environment")
            env[name] = f"${{{name}}}"
        else:
            env[name] = value
    if env:
        one["env"] = env
    one |= {key: settings[key] for key in _PLAIN if settings[key] not in (None, [], {}, False)}
    if not settings["auto_start"]:
        one["auto_start"] = False
    usual = "on_failure" if settings["agent"] or not settings["pane"] else "never"
    if settings["restart"] != usual:
        one["restart"] = settings["restart"]
    if not settings["pane"] and settings["tty"]:
        one["tty"] = True
    for kind in ("ready", "health"):
        if settings[kind]:
            one[kind] = _probe(settings[kind])
    stop = settings["stop"]
    if (stop["signal"], stop["grace_s"], stop["kill"]) not in (("SIGTERM", 5.0, "tree"), ("SIGHUP", 5.0, "group")):
        one["stop"] = {"signal": stop["signal"], "grace": f"{stop['grace_s']:g}s", "kill": stop["kill"]}
    return one


def _probe(probe: JsonObject) -> dict[str, Any]:
    kind = next(name for name in ("exec", "http", "tcp", "log_line") if probe[name] is not None)
    value = probe[kind]
    told: dict[str, Any] = {kind: [literal(word) for word in value] if kind == "exec" else literal(value)}
    for ours, theirs in (("interval_s", "interval"), ("timeout_s", "timeout"), ("start_s", "start")):
        told[theirs] = f"{probe[ours]:g}s"
    return told | {"threshold": probe["threshold"]}
