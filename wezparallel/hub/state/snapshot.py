"""A snapshot: what there is, as YAML for people, and back. Pure.

Above: `snapshots.py`, which writes them, and `restoring.py`, which brings the hub to what one says. `processes:` has
the keys of seed 001 (`id command args env cwd auto_start_on_restore state`); what it has no word for stands in
`settings:`, only as far as it is not as usual. An environment is never in it, and of a secret only its name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from wezparallel.errors import RequestError
from wezparallel.hub.state.model import LIVE, Process, Workspace, rfc3339
from wezparallel.protocol import masking
from wezparallel.protocol.process import ProcessSettings

if TYPE_CHECKING:
    from wezparallel.hub.state.model import State
    from wezparallel.types import JsonObject

FORMAT = 1
_SEED_STATES = {"not_started": "NotStarted", "stopped": "Stopped", "failed": "Failed", "backoff": "Failed"}
"""What seed 001 calls a state; one that has exited is Stopped with code 0 and else Failed, all others are Running."""
_ABOVE = "# Workspaces and processes as wezparallel knew them; secrets are left out.\n"
_BESIDE = {"name", "argv", "command", "cwd", "env", "tty"}
"""Settings that stand beside `settings:`."""
_REFERENCES = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_PASSING = frozenset({"state", "runs"})
"""What changes without anybody having changed anything: it makes no snapshot worth writing."""
_NOT_RESTORED = frozenset({"state", "runs", "desired", "order", "open", "focus", "created_at"})
"""What is not gone back to where there is something: what runs, runs on."""
_WORKSPACE = ("root", "template", "open", "focus", "folder", "template_path", "variables", "plan")

_BaseDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_BaseDumper):  # type: ignore[misc]
    def ignore_aliases(self, _data: Any) -> bool:
        """People read it: what is there twice is written twice."""
        return True


@dataclass(slots=True)
class Snapshot:
    """What a file says."""

    workspaces: dict[str, Workspace] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    """Those of the processes that ran."""
    written_at: str | None = None
    notes: list[str] = field(default_factory=list)
    """What of the file was not understood."""


def masked(settings: ProcessSettings) -> ProcessSettings:
    """Return settings as they are written down: a secret variable refers to the environment of the next start."""
    secret = [name for name, value in settings.env.items() if value and _hides(name, value)]
    changed: JsonObject = {}
    if secret:
        changed["env"] = {name: f"${{{name}}}" if name in secret else value for name, value in settings.env.items()}
        changed["env_expand"] = [*settings.env_expand, *(name for name in secret if name not in settings.env_expand)]
    argv = masking.masked_arguments(settings.argv)
    if argv != settings.argv:
        changed |= {"argv": argv, "command": masking.masked_command(settings.command)}
    for name in ("ready", "health"):
        probe = getattr(settings, name)
        for kind in ("http", "tcp", "log_line"):
            said = getattr(probe, kind, None)
            if said and masking.masked("", said) != said:
                changed[name] = probe.model_copy(update={kind: masking.masked("", said)})
    return settings.model_copy(update=changed) if changed else settings


def merged(said: ProcessSettings, there: ProcessSettings) -> ProcessSettings:
    """Return what a snapshot says of a process that is there; a secret stays where nothing else is said."""
    shown = masked(there)
    same = {
        name: getattr(there, name)
        for name in ProcessSettings.model_fields
        if name not in ("env", "env_expand") and getattr(shown, name) == getattr(said, name)
    }
    kept = {name for name, value in said.env.items() if name in shown.env and shown.env[name] == value}
    env = {name: there.env[name] if name in kept else value for name, value in said.env.items()}
    expand = [name for name in said.env_expand if name not in kept or name in there.env_expand]
    expand += [name for name in there.env_expand if name in kept and name not in expand]
    return said.model_copy(update={**same, "env": env, "env_expand": expand, "of_agent": there.of_agent})


def lacks_secret(settings: ProcessSettings) -> bool:
    """Tell whether something is covered in it, without which it cannot be started."""
    return masking.MASK in json.dumps(settings.model_dump(mode="json"), ensure_ascii=False)


def document(state: State, cache: dict[str, tuple[ProcessSettings, JsonObject]] | None = None) -> JsonObject:
    """Return workspaces and processes as plain values; spares and what is being removed are left out.

    Args:
        state: What there is.
        cache: Of each process what its settings were written as; kept by the caller from one to the next.
    """
    cache = {} if cache is None else cache
    processes = {}
    for process_id, process in sorted(state.processes.items()):
        if not process.removed and not process.is_spare:
            processes[process_id] = _process(process, cache)
    for process_id in cache.keys() - processes.keys():
        del cache[process_id]
    return {
        "workspaces": {name: workspace_entry(one) for name, one in sorted(state.workspaces.items())},
        "processes": processes,
    }


def digest(told: JsonObject) -> str:
    """Return what is another as soon as somebody has changed a definition: what a rollback would bring back."""
    return _digest(told, _NOT_RESTORED)


def fingerprint(told: JsonObject) -> str:
    """Return what is another as soon as somebody has changed anything, also what is to run."""
    return _digest(told, _PASSING)


def _digest(told: JsonObject, without: frozenset[str]) -> str:
    kept = [
        {name: {key: value for key, value in one.items() if key not in without} for name, one in told[what].items()}
        for what in ("workspaces", "processes")
    ]
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:32]


def head(told: JsonObject, *, written_at: str, because: str, version: str, epoch: str) -> JsonObject:
    """Return what stands above the rest; all of it on lines of its own, so that a list needs to read no more."""
    return {
        "format": FORMAT, "written_at": written_at, "because": because, "version": version, "epoch": epoch,
        "digest": digest(told), "fingerprint": fingerprint(told),
        "counts": f"{len(told['workspaces'])} workspaces, {len(told['processes'])} processes",
    }  # fmt: skip


def encode(told: JsonObject) -> str:
    """Return YAML, in the order of its keys."""
    try:
        text = yaml.dump(told, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    except UnicodeEncodeError:  # a byte of a file's name that is no text
        plain = json.loads(json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"))
        text = yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return _ABOVE + str(text)


def workspace_entry(one: Workspace) -> JsonObject:
    """Return what is written of a workspace."""
    told: JsonObject = {"name": one.name, "created_at": rfc3339(one.created_at)}
    told |= {name: getattr(one, name) for name in _WORKSPACE}
    variables = {name: value for name, value in one.variables.items() if not value or not _hides(name, value)}
    return {name: value for name, value in (told | {"variables": variables}).items() if value not in (None, "", {})}


def _process(process: Process, cache: dict[str, tuple[ProcessSettings, JsonObject]]) -> JsonObject:
    known = cache.get(process.process_id)
    if known is None or known[0] is not process.settings:
        known = cache[process.process_id] = (process.settings, _settings(process.process_id, process.settings))
    told = {
        **known[1], "auto_start_on_restore": process.auto_start_on_restore, "state": seed_state(process),
        "workspace": process.workspace, "desired": process.desired, "created_at": rfc3339(process.created_at),
        "order": process.order, "in_template": process.in_template, "runs": process.runs,
    }  # fmt: skip
    settings = told.pop("settings")
    return {**told, "settings": settings} if settings else told


def _settings(process_id: str, settings: ProcessSettings) -> JsonObject:
    shown = masked(settings)
    rest = shown.model_dump(mode="json", exclude_defaults=True, exclude=_BESIDE)
    if settings.name != process_id.rpartition("/")[2]:
        rest["name"] = settings.name
    if shown.command not in ("", " ".join(shown.argv)):
        rest["shown_as"] = shown.command
    return {
        "id": process_id, "command": shown.argv[0], "args": shown.argv[1:], "env": dict(shown.env), "cwd": shown.cwd,
        "tty": shown.tty, "settings": rest,
    }  # fmt: skip


def seed_state(process: Process) -> str:
    """Return what seed 001 calls the state of a process."""
    if process.state == "exited":
        return "Stopped" if process.run is not None and process.run.exit_code == 0 else "Failed"
    return _SEED_STATES.get(process.state, "Running")


def is_up(process: Process) -> bool:
    """Tell whether it runs, or is about to."""
    is_live = process.run is not None and process.run.status == "spawned"
    return is_live or process.planned is not None or process.state in LIVE or process.state == "backoff"


def _hides(name: str, value: str) -> bool:
    """Tell whether a value is a secret; what only refers to one is none."""
    rest = _REFERENCES.sub("", value)
    return masking.masked(name, rest) != rest


def summary(text: str) -> Iterator[tuple[str, str]]:
    """Yield the keys above the rest and their values, as far as `text`, the beginning of a file, has them."""
    for line in text.splitlines():
        key, colon, value = line.partition(": ")
        if colon and not line.startswith((" ", "#")):
            yield key, value.strip().strip("'\"")


def bad(sentence: str, **data: object) -> RequestError:
    """Return the error of a file that cannot be taken."""
    return RequestError("command.bad_value", sentence, **data)
