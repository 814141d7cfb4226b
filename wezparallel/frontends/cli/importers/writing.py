"""Our template's YAML, written from values; and names, texts and pictures that are valid in it. Pure.

Above: the importers and `template save`. Below: nothing.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_PLAIN = re.compile(r"[A-Za-z0-9_./~$(][A-Za-z0-9_./ =@%+~$(){}\"'&;|<>*?,^!\[\]\\-]*\Z")
_IN_FLOW = re.compile(r"[A-Za-z0-9_./~$][A-Za-z0-9_./ =@%+~$-]*\Z")
_WORDS = re.compile(
    r"(true|false|null|yes|no|on|off|y|n|~|[-+]?[0-9.][0-9a-fA-FxXoOeE_:.+-]*|\.inf|\.nan)\Z", re.IGNORECASE
)
_REFERENCE = re.compile(r"\$(?=[${])")
_NAME = re.compile(r"[^\w.:@+-]+")
_SHORT = 90  # characters of a map that stands on one line


@dataclass(slots=True)
class Tab:
    """One tab: its title, and its picture as rows of pane names."""

    title: str
    rows: list[list[str]]
    row_weights: list[int] = field(default_factory=list)
    column_weights: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Template:
    """What a template says, before it is text."""

    origin: str
    """The first line's comment."""
    top: dict[str, Any] = field(default_factory=dict)
    """`name`, `description`, `root`, `env` …"""
    tabs: list[Tab] = field(default_factory=list)
    panes: dict[str, dict[str, Any]] = field(default_factory=dict)
    processes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def free_name(self, wanted: str) -> str:
        """Return a name that may stand there and that nothing has yet."""
        base = _NAME.sub("-", wanted).strip("-.:")[:50] or "pane"
        taken = {one.replace("-", "_") for one in (*self.panes, *self.processes)}
        name, number = base, 1
        while name.replace("-", "_") in taken:
            number += 1
            name = f"{base}-{number}"
        return name

    def text(self) -> str:
        """Return its YAML."""
        lines = [f"# {line}".rstrip() for line in self.origin.splitlines()]
        for key, value in self.top.items():
            lines += _entry(key, value, "")
        lines += self._drawn()
        for key, group in (("panes", self.panes), ("processes", self.processes)):
            if group:
                lines.append(f"{key}:")
                for name, told in group.items():
                    lines += _entry(name, _shortest(told), "  ")
        return "\n".join(lines) + "\n"

    def _drawn(self) -> list[str]:
        if not self.tabs:
            return []
        if len(self.tabs) == 1 and not self.tabs[0].title:
            return ["layout:" + _first(self.tabs[0]), *_picture(self.tabs[0], "  ")]
        lines = ["tabs:"]
        for tab in self.tabs:
            lines += [f"  {scalar(tab.title)}:", "    layout:" + _first(tab), *_picture(tab, "      ")]
        return lines


def literal(text: str) -> str:
    """Return a text in which no `${…}` is a variable of ours: the shell that runs it reads it itself."""
    return _REFERENCE.sub("$$", text)


def scalar(value: Any, *, in_flow: bool = False) -> str:
    """Return one value as YAML on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    plain = _IN_FLOW if in_flow else _PLAIN
    safe = plain.match(text) and text == text.strip() and " #" not in text and ": " not in text
    if safe and not text.endswith(":") and not _WORDS.match(text):
        return text
    return json.dumps(text, ensure_ascii=not text.replace("\n", "").replace("\t", "").isprintable())


def tiled(names: Sequence[str]) -> list[list[str]]:
    """Return rows and columns of about equal panes; those of a last row that is not full are wider."""
    rows = columns = 1
    while rows * columns < len(names):
        rows += 1
        if rows * columns < len(names):
            columns += 1
    parts = [list(names[at : at + columns]) for at in range(0, len(names), columns)]
    width = math.lcm(*(len(part) for part in parts))
    return [[name for name in part for _ in range(width // len(part))] for part in parts]


def _shortest(told: dict[str, Any]) -> Any:
    return told["command"] if set(told) == {"command"} else told


def _entry(key: str, value: Any, indent: str) -> list[str]:
    head = f"{indent}{scalar(key)}:"
    if isinstance(value, str) and "\n" in value and _may_be_block(value):
        ends = "|" if value.endswith("\n") else "|-"
        return [f"{head} {ends}", *(f"{indent}  {line}".rstrip() for line in value.removesuffix("\n").split("\n"))]
    if isinstance(value, dict):
        flow = _flow(value)
        if flow is not None and len(head) + len(flow) < _SHORT:
            return [f"{head} {flow}"]
        lines = [head]
        for one, below in value.items():
            lines += _entry(one, below, indent + "  ")
        return lines
    if isinstance(value, list):
        return [f"{head} [{', '.join(scalar(one, in_flow=True) for one in value)}]"]
    return [f"{head} {scalar(value)}"]


def _flow(value: Any) -> str | None:
    """Return a map on one line, or None where it reads better on several."""
    if isinstance(value, dict):
        parts = []
        for key, below in value.items():
            part = _flow(below)
            if part is None:
                return None
            parts.append(f"{scalar(key, in_flow=True)}: {part}")
        return "{ " + ", ".join(parts) + " }" if parts else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(scalar(one, in_flow=True) for one in value) + "]"
    return None if isinstance(value, str) and "\n" in value else scalar(value, in_flow=True)


def _may_be_block(text: str) -> bool:
    body = text.removesuffix("\n")
    lines = body.split("\n")
    is_clean = all(line == line.rstrip() and line.replace("\t", " ").isprintable() for line in lines)
    return bool(body) and is_clean and bool(lines[0]) and bool(lines[-1]) and not lines[0].startswith((" ", "\t"))


def _first(tab: Tab) -> str:
    return "" if tab.row_weights or tab.column_weights else " |"


def _picture(tab: Tab, indent: str) -> list[str]:
    width = max(len(name) for row in tab.rows for name in row)
    drawn = ["  ".join(name.ljust(width) for name in row).rstrip() for row in tab.rows]
    if not (tab.row_weights or tab.column_weights):
        return [indent + row for row in drawn]
    lines = [f"{indent}areas: |", *(f"{indent}  {row}" for row in drawn)]
    if tab.column_weights:
        lines.append(f"{indent}columns: [{', '.join(map(str, tab.column_weights))}]")
    if tab.row_weights:
        lines.append(f"{indent}rows: [{', '.join(map(str, tab.row_weights))}]")
    return lines
