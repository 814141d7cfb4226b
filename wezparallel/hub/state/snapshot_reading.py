"""Reads snapshots: ours, seed 001's (a map, or the list that its program really wrote), edited ones. Pure.

Above: whoever restores. A snapshot may have been edited by hand, so what is wrong is said by name; what is not known
is noted and left out. YAML means what it means in templates (version 1.2); aliases are refused, they could be a bomb.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from wezparallel.hub.state.model import Process, Workspace
from wezparallel.hub.state.snapshot import FORMAT, Snapshot, bad
from wezparallel.hub.workspaces.yaml_lines import Parser, meaning
from wezparallel.protocol.process import MAX_ID, NAME_PATTERN, ProcessSettings
from wezparallel.protocol.workspace import Plan

if TYPE_CHECKING:
    from wezparallel.types import JsonObject

MAX_BYTES = 16 << 20
MAX_DEPTH = 64
_NAME = re.compile(NAME_PATTERN)
_WORDS = ("args", "env", "variables")
_PROCESS = frozenset({
    "id", "process_id", "name", "command", "args", "env", "cwd", "tty", "auto_start_on_restore", "state", "status",
    "workspace", "desired", "created_at", "updated_at", "order", "in_template", "runs", "settings", "tags",
})  # fmt: skip
_WORKSPACE = frozenset({
    "name", "created_at", "root", "template", "open", "focus", "folder", "template_path", "variables", "plan",
})  # fmt: skip
_HEAD = frozenset({
    "format", "written_at", "because", "version", "epoch", "digest", "fingerprint", "counts", "workspaces",
    "processes", "checksum", "note",
})  # fmt: skip


def read(text: str, home: str) -> Snapshot:
    """Return what a file says; `home` is where a process is that says no folder. Raises `command.bad_value`."""
    told = load(text)
    if isinstance(told, list):
        told = {"processes": told}
    if not isinstance(told, dict):
        raise bad("this is no snapshot: it has neither `workspaces` nor `processes`")
    if told.get("format", FORMAT) != FORMAT:
        raise bad(f"this snapshot has format {told['format']!r}, this version knows {FORMAT}; take the newer version")
    if "workspaces" not in told and "processes" not in told:
        raise bad("this is no snapshot: it has neither `workspaces` nor `processes`")
    found = Snapshot(written_at=str(told["written_at"]) if told.get("written_at") else None)
    found.notes = [f"{key!r} is not known and left out" for key in told if key not in _HEAD]
    for name, one in _entries(told.get("workspaces"), "workspaces", ("name",)):
        found.workspaces[name] = _workspace(name, one, home, found.notes)
    for process_id, one in _entries(told.get("processes"), "processes", ("id", "process_id")):
        process = _process(process_id, one, home, found.notes)
        found.processes[process_id] = process
        if one.get("state") == "Running":
            found.running.add(process_id)
    return found


def load(text: str) -> Any:
    """Return a YAML document, or JSON, as plain values. Raises `command.bad_value`."""
    if len(text) > MAX_BYTES:
        raise bad(f"a snapshot of more than {MAX_BYTES >> 20} MiB is not read")
    root: list[Any] = []
    stack: list[Any] = [root]
    keys: list[Any] = [None]
    names = [""]  # under which key each of `stack` stands
    try:
        for event in yaml.parse(text, Loader=Parser):
            if isinstance(event, yaml.AliasEvent):
                raise bad(f"line {_line(event)}: a snapshot has no aliases; write it out")
            if isinstance(event, yaml.CollectionStartEvent):
                if len(stack) > MAX_DEPTH:
                    raise bad(f"line {_line(event)}: this is nested more than {MAX_DEPTH} deep")
                fresh: Any = [] if isinstance(event, yaml.SequenceStartEvent) else {}
                names.append(keys[-1][0] if keys[-1] else names[-1])
                _add(stack, keys, fresh, event)
                stack.append(fresh)
                keys.append(None)
            elif isinstance(event, yaml.CollectionEndEvent):
                stack.pop()
                keys.pop()
                names.pop()
            elif isinstance(event, yaml.ScalarEvent):
                _add(stack, keys, _scalar(event, names[-1]), event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise bad(f"{where}this is not YAML: {getattr(error, 'problem', None) or error}") from None
    return root[0] if len(root) == 1 else None


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _scalar(event: yaml.ScalarEvent, name: str) -> Any:
    """Return what a scalar means; a word of a command or a variable is the text that stands there."""
    value = event.value if event.style in ("'", '"', "|", ">") else meaning(event.value)
    return event.value if name in _WORDS and value is not None else value


def _add(stack: list[Any], keys: list[Any], value: Any, event: yaml.Event) -> None:
    """Put a value where it stands: in a list, or behind its key."""
    top = stack[-1]
    if isinstance(top, list):
        top.append(value)
    elif (known := keys[-1]) is None:
        if isinstance(value, (list, dict)):
            raise bad(f"line {_line(event)}: a key is a word, not a list or a map")
        key = str(event.value) if isinstance(event, yaml.ScalarEvent) else str(value)
        keys[-1] = (key,)
        if key in top:
            raise bad(f"line {_line(event)}: the key {key!r} stands here a second time; take one out")
    else:
        top[known[0]] = value
        keys[-1] = None


def _entries(told: Any, what: str, ids: tuple[str, ...]) -> list[tuple[str, JsonObject]]:
    """Return names and entries of a map or, as seed 001's program writes it, of a list."""
    if told is None:
        return []
    if isinstance(told, dict):
        pairs = list(told.items())
    elif isinstance(told, list):
        pairs = [(next((one[key] for key in ids if key in one), ""), one) for one in told if isinstance(one, dict)]
    else:
        raise bad(f"`{what}` has to be a map")
    found: dict[str, JsonObject] = {}
    for name, one in pairs:
        if not isinstance(one, dict):
            raise bad(f"{what}.{name} has to be a map")
        parts = str(name).split("/") if what == "processes" else [str(name)]
        if len(parts) > 2 or len(str(name)) > MAX_ID or not all(_NAME.match(part) for part in parts):
            raise bad(
                f"{what}: {name!r} is no name; write `workspace/name` or a bare name, at most 64 characters each"
            )
        named = next((str(one[key]) for key in ids if one.get(key) is not None), str(name))
        if named != str(name):
            raise bad(f"{what}.{name} says that it is {named!r}; both have to be the same")
        if str(name) in found:
            raise bad(f"{what}: {name!r} stands there twice; take one out")
        found[str(name)] = one
    return list(found.items())


def _workspace(name: str, told: JsonObject, home: str, notes: list[str]) -> Workspace:
    where = f"workspaces.{name}"
    notes += [f"{where}: {key!r} is not known and left out" for key in told if key not in _WORKSPACE]
    root = _text(told, "root", where) or home
    if not root.startswith("/"):
        raise bad(f"{where}.root: {root!r} is not absolute; give the whole path")
    try:
        plan = Plan.model_validate(told["plan"]).model_dump() if told.get("plan") else {}
    except ValidationError as error:
        raise bad(f"{where}.plan: {_first(error)}") from None
    variables = told.get("variables") or {}
    if not isinstance(variables, dict):
        raise bad(f"{where}.variables has to be a map")
    return Workspace(
        name, root, _text(told, "template", where), _millis(told), open=told.get("open", True) is not False,
        focus=_text(told, "focus", where), plan=plan, folder=_text(told, "folder", where) or "",
        template_path=_text(told, "template_path", where), variables={str(k): str(v) for k, v in variables.items()},
    )  # fmt: skip


def _process(process_id: str, told: JsonObject, home: str, notes: list[str]) -> Process:
    where = f"processes.{process_id}"
    notes += [f"{where}: {key!r} is not known and left out" for key in told if key not in _PROCESS]
    workspace, _, name = process_id.rpartition("/")
    rest = dict(told.get("settings") or {})
    command, args = _text(told, "command", where), told.get("args") or []
    if not command or not isinstance(args, list):
        raise bad(f"{where} needs a `command`, one executable, and `args`, a list")
    argv = [command, *(_word(one) for one in args)]
    cwd = _text(told, "cwd", where) or home
    if not cwd.startswith("/"):
        raise bad(f"{where}.cwd: {cwd!r} is not absolute; give the whole path")
    env = told.get("env") or {}
    if not isinstance(env, dict):
        raise bad(f"{where}.env has to be a map")
    shown = rest.pop("shown_as", None) or " ".join(argv)
    unknown = [key for key in rest if key not in ProcessSettings.model_fields]
    notes += [f"{where}.settings: {key!r} is not known and left out" for key in unknown]
    fields = {"name": name, **{key: value for key, value in rest.items() if key not in unknown}}
    fields |= {"argv": argv, "cwd": cwd, "command": shown, "tty": told.get("tty") is True}
    fields["env"] = {str(key): None if value is None else _word(value) for key, value in env.items()}
    try:
        settings = ProcessSettings.model_validate(fields)
    except ValidationError as error:
        raise bad(f"{where}: {_first(error)}") from None
    order, runs = told.get("order"), told.get("runs")
    in_template = told.get("in_template")
    return Process(
        process_id, _text(told, "workspace", where) or workspace or None, settings,
        desired="down" if told.get("desired") == "down" else "up",
        order=order if isinstance(order, int) else 0, runs=runs if isinstance(runs, int) and runs > 0 else 0,
        created_at=_millis(told), auto_start_on_restore=told.get("auto_start_on_restore") is True,
        in_template=in_template if isinstance(in_template, bool) else None,
    )  # fmt: skip


def _text(told: JsonObject, key: str, where: str) -> str | None:
    value = told.get(key)
    if value is None or isinstance(value, str):
        return value
    raise bad(f"{where}.{key} has to be a text; put quotes around {value!r}")


def _millis(told: JsonObject) -> int:
    """Return when it was made; 0 if that is not said."""
    try:
        return int(datetime.fromisoformat(str(told.get("created_at"))).astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


def _word(value: Any) -> str:
    if isinstance(value, (list, dict)):
        raise bad("an argument or a variable is a text, not a list or a map")
    return "" if value is None else str(value)


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
