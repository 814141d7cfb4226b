"""Every key of the template language, once: what it is called, what may stand there, what it means. Pure.

The compiler takes from here which keys a map may have; the schema for editors and the page of all keys are made from
it. Above: templates, processes, schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wezparallel.hub.workspaces import commands
from wezparallel.protocol.supervision import ULIMITS

MAX_PROCESSES = 200  # of one template, with and without panes, replicas counted

Schema = Mapping[str, Any]

_TEXT: Schema = {"type": ["string", "number", "boolean"]}
_FLAG: Schema = {"type": "boolean"}
_TIME: Schema = {"type": ["number", "string"], "pattern": r"^[0-9]+(\.[0-9]+)?\s*(ms|s|m|h)?$|\$\{"}
_SIZE: Schema = {"type": ["integer", "string"], "pattern": r"^[0-9]+(\.[0-9]+)?\s*[kKmMgG]?i?[bB]?$|\$\{"}
_WORDS: Schema = {"type": "array", "items": _TEXT}
_WORDS_OR_ONE: Schema = {"anyOf": [_TEXT, _WORDS]}
_WHOLE: Schema = {"type": "integer"}
_VARIABLES: Schema = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}
_WEIGHTS: Schema = {"type": "array", "items": {"type": "number"}, "minItems": 1}
_COMMAND: Schema = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_PICTURE: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


def _of(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _choice(*words: str) -> Schema:
    return {"enum": list(words)}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a map."""

    name: str
    schema: Schema
    text: str
    default: str = ""
    """What holds if it is left out."""


TOP = (
    Key("kind", _choice("workspace", "process"), "what the file is a template of; `process` has keys of its own",
        "`workspace`"),
    Key("name", _TEXT, "what the template calls itself", "the file's name; for `wezparallel.yaml` the folder's"),
    Key("description", _TEXT, "one line for lists"),
    Key("extends", _TEXT, "name or path of the template that this one begins with"),
    Key("root", _TEXT, "folder of the workspace; relative to the project folder, absolute, or `~/…`", "that folder"),
    Key("variables", _VARIABLES, "values for `${NAME}`"),
    Key("env_file", {"anyOf": [_of("env_file"), {"type": "array", "items": _of("env_file")}]},
        "files of variables, relative to the root"),
    Key("env", _VARIABLES, "variables of all its processes (or `environment`)"),
    Key("layout", _of("layout"), "the picture", "the panes are tiled"),
    Key("tabs", {"type": "object", "additionalProperties": {"anyOf": [_of("tab"), _PICTURE]}},
        "several pictures by name, a tab each, in the place of `layout`"),
    Key("panes", {"anyOf": [
        {"type": "array", "items": {"anyOf": [_COMMAND, _of("listed_pane")]}},
        {"type": "object", "additionalProperties": _of("process_or_command")},
    ]}, "what is shown: a list of commands, or a map of names"),
    Key("processes", {"type": "object", "additionalProperties": _of("process_or_command")},
        "what runs without a pane: a map of names"),
    Key("process_templates", {"type": "object", "additionalProperties": _of("process_or_command")},
        "definitions that `template:` of a process names; nothing is started from here"),
    Key("auto_start_processes", _FLAG, "whether processes that do not say it start with the workspace", "`true`"),
)  # fmt: skip

PROCESS = (
    Key("command", _COMMAND, "a string or a list", "a pane is a shell; a process without a pane needs one"),
    Key("args", _WORDS, "arguments; then `command` is one program, and no shell sees it"),
    Key("agent", _TEXT, f"kind of agent: {', '.join(f'`{kind}`' for kind in commands.AGENTS)}", "`claude` is known"),
    Key("prompt", _TEXT, "what an agent is told at its first start, and not again at a restart"),
    Key("template", _TEXT, "name of a definition below `process_templates` that this one begins with"),
    Key("variables", _VARIABLES, "values for `${NAME}` here, nearer than the template's"),
    Key("replicas", _WHOLE, "so many of it, `name-1` and so on, tiled in its area; each has its `${REPLICA}`", "one"),
    Key("title", _TEXT, "the pane's title", "its name"),
    Key("focus", _FLAG, "this pane gets the focus; one at most", "the pane at the top left of the first tab"),
    Key("position", _TEXT, "its place in a layout that is only named: `left`, `top-right` …", "the next free one"),
    Key("direct", _FLAG, "run in the pane itself: no log, no attach, no survival", "`false`"),
    Key("cwd", _TEXT, "folder; relative to the root, absolute, or `~/…` (or `working_directory`)", "the root"),
    Key("worktree", _TEXT, "branch whose git worktree is its folder"),
    Key("env", _VARIABLES, "variables on top of the template's; null removes one (or `environment`)"),
    Key("env_file", {"anyOf": [_of("env_file"), {"type": "array", "items": _of("env_file")}]},
        "files of variables on top of the template's"),
    Key("isolate", _FLAG, "only an allow-list of the environment", "`false`"),
    Key("tty", _FLAG, "a terminal of its own, or pipes", "panes have one; without a pane pipes"),
    Key("term", _TEXT, "`TERM` of its terminal", "that of the first terminal which shows it, else `xterm-256color`"),
    Key("auto_start", _FLAG, "start it when the workspace opens", "`true`"),
    Key("depends_on", {"anyOf": [_TEXT, _WORDS, {"type": "object",
        "additionalProperties": _choice("started", "ready", "exited_ok")}]},
        "names of processes to wait for; as a map with `started`, `ready` or `exited_ok`", "`started`"),
    Key("ready", {"anyOf": [_of("probe"), _TEXT]}, "how to see that it is ready", "ready as soon as it runs"),
    Key("health", {"anyOf": [_of("probe"), _TEXT]}, "how to see that it is healthy; failing, it is restarted"),
    Key("restart", _choice("always", "on_failure", "on-failure", "never"), "when it comes back by itself",
        "a pane's command `never`; agents and processes without a pane `on_failure`"),
    Key("backoff", _TIME, "first pause before a restart; it doubles each time", "`1s`"),
    Key("give_up", {"anyOf": [_of("give_up"), _WHOLE]}, "when restarts end", "10 in 10 minutes"),
    Key("watch", _WORDS_OR_ONE, "globs below its folder; a change restarts it"),
    Key("stop", {"anyOf": [_of("stop"), _TEXT]}, "how it is stopped", "SIGTERM, 5 s, the whole tree"),
    Key("on_close", _choice("keep", "stop", "ask"), "what becomes of it when its pane is closed by hand",
        "agents and services keep, shells stop"),
    Key("log", _choice("disk", "memory", "off"), "where its output goes", "`disk`"),
    Key("log_cap", _SIZE, "oldest output goes above this size, at least 1 MB", "64 MB for agents, else 256 MB"),
    Key("limits", _of("limits"), "the next four keys in one map"),
    Key("nice", _WHOLE, "added niceness, -20 to 19", "0"),
    Key("ulimits", {"type": "object", "additionalProperties": {"type": ["integer", "string"]}},
        f"soft limits, -1 for none: {', '.join(f'`{name}`' for name in ULIMITS)}"),
    Key("cpu_alert", {"type": ["number", "string"]}, "tell when it uses more, in percent of one core"),
    Key("memory_alert", _SIZE, "tell when its whole tree uses more"),
    Key("may", _WORDS, "what an agent may do beyond its own workspace", "nothing"),
)  # fmt: skip

NOT_ALONE = ("variables", "replicas", "focus", "position", "direct", "depends_on")
"""Keys that mean something only beside others, in a workspace."""

PROCESS_FILE = (
    Key("kind", _choice("process"), "`process`: the file is a template of one process; it has the keys of one, too"),
    Key("name", _TEXT, "what the template calls itself", "the file's name"),
    Key("description", _TEXT, "one line for lists"),
    Key("category", _TEXT, "for lists"),
    Key("tags", _WORDS, "for lists"),
    Key("variables", {"anyOf": [
        {"type": "object", "additionalProperties": {"anyOf": [_TEXT, _of("variable"), {"type": "null"}]}},
        {"type": "array", "items": {"anyOf": [_TEXT, _of("variable")]}},
    ]}, "values for `{{name}}`: a list of declarations, or a map of names; a value alone is the default",
        "what stands in the texts needs a value"),
    Key("default_cwd", _TEXT, "the same as `cwd`"),
    Key("default_auto_start", _FLAG, "come back after a reboot (or `auto_start_on_restore`)", "`false`"),
    Key("auto_start_on_restore", _FLAG, "the same as `default_auto_start`"),
)  # fmt: skip
VARIABLE = (
    Key("name", _TEXT, "how `{{name}}` names it; in a list of declarations"),
    Key("description", _TEXT, "what it is; an error about it says so"),
    Key("default", _TEXT, "its value where none is given (or `default_value`)"),
    Key("default_value", _TEXT, "the same as `default`"),
    Key(
        "required",
        _FLAG,
        "whether it needs a value; without one what is nothing but `{{name}}` is left out",
        "`true`",
    ),
    Key("type", _choice("string", "number", "boolean", "path"), "what a value has to be (or `var_type`)", "`string`"),
    Key("var_type", _choice("string", "number", "boolean", "path"), "the same as `type`"),
    Key("example", _TEXT, "a value, for people"),
    Key("validation", _of("bounds"), "bounds of a number"),
)
BOUNDS = (
    Key("min", {"type": "number"}, "the least"),
    Key("max", {"type": "number"}, "the most"),
)

PROBE = (
    Key("exec", _COMMAND, "a command that exits with 0"),
    Key("http", _TEXT, "a URL that answers with a status below 400"),
    Key("tcp", _TEXT, "`host:port`, or a port of this machine, that accepts"),
    Key("log_line", _TEXT, "a regular expression that a line of output matches"),
    Key("interval", _TIME, "between two looks", "`10s`, or what the settings say; the first ones follow sooner"),
    Key("timeout", _TIME, "that one look may take", "`5s`"),
    Key("threshold", _WHOLE, "so many failures in a row count", "3"),
    Key("start", _TIME, "in which failures are no failures", "`30s`"),
)
GIVE_UP = (
    Key("tries", _WHOLE, "restarts within the window", "10"),
    Key("window", _TIME, "in which they are counted", "`10m`"),
    Key("reset", _TIME, "of life after which the pause is the first one again", "`30s`"),
)
LIMITS = tuple(key for key in PROCESS if key.name in ("nice", "ulimits", "cpu_alert", "memory_alert"))
STOP = (
    Key("signal", _TEXT, "what comes first", "SIGTERM; a shell SIGHUP"),
    Key("grace", _TIME, "before SIGKILL", "`5s`"),
    Key("kill", _choice("tree", "group"), "who gets SIGKILL", "`tree`; a shell `group`"),
)
LAYOUT = (
    Key("areas", _PICTURE, "the picture"),
    Key("columns", _WEIGHTS, "weights of the columns", "all 1"),
    Key("rows", _WEIGHTS, "weights of the rows", "all 1"),
    Key("type", _TEXT, "a layout that is only named, in the place of `areas`"),
)
TAB = (
    Key("layout", _of("layout"), "the tab's picture"),
    Key("title", _TEXT, "what the tab is called", "its name"),
)
ENV_FILE = (
    Key("path", _TEXT, "the file"),
    Key("required", _FLAG, "whether it has to be there; `path?` is the same as `required: false`", "`true`"),
)

MAPS: Mapping[str, tuple[Key, ...]] = {
    "process": PROCESS, "probe": PROBE, "give_up": GIVE_UP, "limits": LIMITS, "stop": STOP, "layout": LAYOUT,
    "tab": TAB, "env_file": ENV_FILE, "process_file": PROCESS_FILE, "variable": VARIABLE, "bounds": BOUNDS,
}  # fmt: skip


def names(keys: tuple[Key, ...]) -> tuple[str, ...]:
    """Return the names of keys."""
    return tuple(key.name for key in keys)
