"""Which templates of other people may run: what was shown to a person and accepted, by hash.

A template that came with a repository could run anything, so it is not opened before somebody has seen its commands.
The hash is of what it compiles to (commands, folders, environment, probes, what it extends), so a comment changes
nothing and a changed file that it includes does. Above: the handlers. Below: the store, which keeps it.
"""

from __future__ import annotations

import difflib
import json
import os
import posixpath
import re
from typing import TYPE_CHECKING, Any

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub.workspaces.source import clip, printable
from wezparallel.protocol.masking import masked
from wezparallel.protocol.template import TemplateEvent

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.workspaces.templates import Compiled

_HARMLESS = {
    "focus", "title", "pane", "log", "log_cap_bytes", "of_agent", "tty", "term", "restart", "backoff_s", "stop",
    "give_up", "auto_start", "on_close", "depends_on", "limits",
}  # fmt: skip
"""Settings that change how something runs or is seen, and not what runs. Any other, also a later one, counts."""
MAX_LINE = 300  # cells; an end that is not shown is told by `…`, and it is part of the hash
MAX_SHOWN = 400  # lines of an error's sentence; `TemplateGet` tells them all
_COMMAND = re.compile(r"(\S+) {2,}(.*)")
"""A line of `shown` with a process and its command; those of variables have one space, details begin with some."""
OWN = frozenset({"user", "config", "built-in", "detected"})
"""Origins that nobody but the user, or we, could write."""


def facts(compiled: Compiled, root: str, shell: str) -> list[dict[str, Any]]:
    """Return what a template runs, without what depends on this machine: where the folder lies, which shell it is."""
    found: list[dict[str, Any]] = []
    for settings in compiled.settings:
        fact = settings.model_dump(mode="json", exclude=_HARMLESS, exclude_defaults=True)
        fact["argv"] = ["$SHELL" if word == shell and not at else word for at, word in enumerate(settings.argv)]
        fact["cwd"] = posixpath.relpath(settings.cwd, root)
        found.append(fact)
    return found


def fingerprint(compiled: Compiled) -> str:
    """Return the hash of what a template says that it runs, whatever variables it is opened with."""
    return compiled.digest


def shown(compiled: Compiled, root: str, shell: str) -> list[str]:
    """Return what a template runs, for people: a line for each process, what else it is told indented below."""
    width = min(20, max((len(settings.name) for settings in compiled.settings), default=0))
    found = facts(compiled, root, shell)
    shared = dict(set.intersection(*(set(fact.get("env", {}).items()) for fact in found))) if len(found) > 1 else {}
    lines = [_line(f"all of them: {_variable(name, shared[name])}") for name in sorted(shared)]
    for fact in found:
        name, argv = fact.pop("name"), fact.pop("argv")
        command = fact.pop("command", "") or json.dumps(argv, ensure_ascii=False)
        lines.append(_line(f"{name:<{width}}  {command}"))
        cwd = fact.pop("cwd")
        if cwd != ".":
            lines.append(_line(f"    cwd: {cwd}"))
        env = fact.pop("env", {})
        lines += [_line(f"    env: {_variable(key, value)}") for key, value in env.items() if key not in shared]
        lines += [_line(f"    {key}: {_value(value)}") for key, value in fact.items()]
    return lines


class Trust:
    """What was accepted so far."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._accepted: dict[str, dict[str, list[str]]] = {}
        for path, sha256, commands in hub.store.trusted():  # oldest first
            self._accepted.setdefault(path, {})[sha256] = commands

    def accepts(self, path: str, origin: str, sha256: str) -> bool:
        """Tell whether a template may run."""
        return origin in OWN or _is_ours(path) or sha256 in self._accepted.get(os.path.realpath(path), {})

    def check(self, path: str, origin: str, compiled: Compiled, root: str, shell: str) -> None:
        """Refuse what nobody has accepted. Raises RequestError `template.untrusted`, which tells all of it."""
        sha256 = fingerprint(compiled)
        if self.accepts(path, origin, sha256):
            return
        commands = shown(compiled, root, shell)
        before = next(reversed(self._accepted.get(os.path.realpath(path), {}).values()), None)
        changes = None if before is None else difference(before, commands)
        what = "it has changed since it was accepted" if before is not None else "it came with its folder"
        raise RequestError(
            "template.untrusted",
            f"the commands of {printable(path)} were not accepted yet: {what}; look at them, then accept them with "
            "TemplateTrust",
            path=path, root=root, sha256=sha256, commands=commands[:MAX_SHOWN], changes=changes,
        )  # fmt: skip

    def accept(self, path: str, name: str, sha256: str, commands: list[str]) -> None:
        """Keep that a person accepted this."""
        by = self._hub.bus.by
        real = os.path.realpath(path)
        known = self._accepted.setdefault(real, {})
        known.pop(sha256, None)
        known[sha256] = commands
        self._hub.store.put_trusted(real, sha256, self._hub.now_ms(), by["user"] if by else None, commands)
        data = TemplateEvent(name=name, path=path, change="trusted").model_dump()
        self._hub.bus.publish("template.changed", data)


def difference(before: list[str], now: list[str]) -> list[str]:
    """Return the lines that went (`- `) and came (`+ `), with the process that each belongs to."""
    changes: list[str] = []
    owner = told = ""
    width = max((len(found[1]) for line in (*before, *now) if (found := _COMMAND.match(line))), default=0)
    for line in difflib.Differ().compare(*([_aligned(line, width) for line in side] for side in (before, now))):
        if line.startswith("?"):
            continue
        text = line[2:]
        if not text.startswith("    "):
            owner = line
        if line.startswith("  "):
            continue
        if text.startswith("    ") and owner not in (told, line) and owner.startswith("  "):
            changes.append(owner)
            told = owner
        changes.append(line)
    return changes or ["  (a value that is not shown has changed)"]


def _aligned(line: str, width: int) -> str:
    """Return a line with its command in one column with all others: where it stands is no difference."""
    found = _COMMAND.match(line)
    return f"{found[1]:<{width}}  {found[2]}" if found else line


def only_people(hub: Hub, what: str) -> None:
    """Refuse everyone but a person. Raises RequestError `caller.agent_not_allowed`."""
    by = hub.bus.by
    if by is None or by["role"] != "person":
        raise RequestError(
            "caller.agent_not_allowed",
            f"{what} is not allowed here: only a person decides what may run; ask one",
            command=what,
        )


def _is_ours(path: str) -> bool:
    """Tell whether a file lies in the user's configuration or among the built-ins."""
    own = (paths.config_dir(), paths.share_dir("config/templates"))
    # Through `..` behind a link a path could lead elsewhere than it seems to.
    return path == posixpath.normpath(path) and any(path.startswith(f"{folder.rstrip('/')}/") for folder in own)


def _variable(name: str, value: str | None) -> str:
    if value is None:
        return f"{name} is removed"
    return f"{name}={'•••' if value and masked(name, value) != value else value}"


def _line(text: str) -> str:
    return clip(printable(text.replace("\n", " ⏎ ")), MAX_LINE)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
