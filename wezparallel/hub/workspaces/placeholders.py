"""`{{name}}` in the texts of a process template: values that somebody gives when a process is made of it. Pure.

A value is only ever a value: nothing of it is read as YAML, as `${NAME}` or as a part of a line for a shell. Above:
`process_files`. Below: the nodes with their marks.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace

from wezparallel.hub.pool.checks import DANGEROUS
from wezparallel.hub.workspaces import commands, yaml_lines
from wezparallel.hub.workspaces.fields import ALIASES
from wezparallel.hub.workspaces.source import Source, fold, quoted
from wezparallel.hub.workspaces.variables import literal_sign, place
from wezparallel.hub.workspaces.yaml_lines import Mapping, Node, Scalar, Sequence

PLACEHOLDER = re.compile(r"\{\{\{\{(?P<literal>.*?)\}\}\}\}|\{\{[ \t]*(?P<name>[A-Za-z_][A-Za-z0-9_-]*)[ \t]*\}\}")
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_OF_A_SHELL = re.compile(r"[$*?\[\]{}~\\#]")
_SENTINEL = re.compile("\x01([0-9]+)\x02")  # YAML has no such characters
_FOLDERS = frozenset({"cwd", "env_file"})
_PROBES = frozenset({"ready", "health"})

Lookup = Callable[[str, Scalar, str], str | None]
"""Name, where it stands, how it is written there; None: it has no value and may be left out."""


def names_in(node: Node) -> Iterator[tuple[str, Scalar, str]]:
    """Yield each placeholder of a tree: name, where it stands, how it is written there."""
    if isinstance(node, Scalar):
        for found in PLACEHOLDER.finditer(node.text):
            if found["name"]:
                yield found["name"], node, found[0]
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from names_in(item)
    else:
        for _, value in node.entries:
            yield from names_in(value)


class Filling:
    """Fills in the placeholders of one definition."""

    def __init__(self, source: Source, lookup: Lookup) -> None:
        self._source = source
        self._lookup = lookup

    def process(self, node: Mapping) -> Mapping:
        """Return the keys of a process, filled in."""
        has_args = any(_named(key) == "args" for key, _ in node.entries)
        entries = []
        for key, value in node.entries:
            name = _named(key)
            filled: Node | None
            if name == "command":
                filled = self._command(value, has_args=has_args)
            elif name in _PROBES and isinstance(value, Mapping):
                filled = self._probe(value)
            else:
                filled = self._node(value, is_folder=name in _FOLDERS)
            if filled is not None:
                entries.append((key, filled))
        return replace(node, entries=tuple(entries))

    def _probe(self, node: Mapping) -> Mapping:
        entries = [
            (key, self._command(value) if _named(key) == "exec" else self._node(value)) for key, value in node.entries
        ]
        return replace(node, entries=tuple((key, value) for key, value in entries if value is not None))

    def _command(self, node: Node, *, has_args: bool = False) -> Node | None:
        if isinstance(node, Sequence):
            return self._argv(node)
        if isinstance(node, Mapping):
            return self._node(node)
        return self._scalar(node, is_program=True) if has_args else self._line(node)

    def _node(self, node: Node, *, is_folder: bool = False) -> Node | None:
        """Return a value filled in; None for one that is nothing but a placeholder which has no value."""
        if isinstance(node, Mapping):
            entries = [(key, self._node(value)) for key, value in node.entries]
            return replace(node, entries=tuple((key, value) for key, value in entries if value is not None))
        if isinstance(node, Sequence):
            items = [self._node(item, is_folder=is_folder) for item in node.items]
            return replace(node, items=tuple(item for item in items if item is not None))
        return self._scalar(node, is_folder=is_folder)

    def _scalar(self, node: Scalar, *, is_folder: bool = False, is_program: bool = False) -> Scalar | None:
        if "{{" not in node.text:
            return node
        whole = PLACEHOLDER.fullmatch(node.text.strip())
        if whole is not None and whole["name"] and self._lookup(whole["name"], node, whole[0]) is None:
            return None

        def value(found: re.Match[str]) -> str:
            if found["name"] is None:
                return "{{" + found["literal"] + "}}"
            told = self._lookup(found["name"], node, found[0]) or ""
            self._check(found, node, told, is_folder=is_folder, is_program=is_program)
            # A `$` right before it would belong to the value.
            before = node.text[: found.start()]
            odd = (len(before) - len(before.rstrip("$"))) % 2
            return "$" * odd + literal_sign(told)

        text = PLACEHOLDER.sub(value, node.text)
        is_plain = not node.style or (whole is not None and node.style in "'\"")
        meant = yaml_lines.meaning(text) if is_plain else text
        return replace(node, text=text, value=text if meant is None else meant, style='"')

    def _check(self, found: re.Match[str], node: Scalar, value: str, *, is_folder: bool, is_program: bool) -> None:
        """Refuse, with seed 001's words, a value that leads elsewhere. Raises RequestError."""
        mark = place(node, found[0])
        wrong = sorted({sign for sign in value if sign in DANGEROUS}) if is_program else []
        if wrong:
            raise self._source.error(
                "process.bad_command", f"Dangerous characters in command: {' '.join(map(repr, wrong))}", mark,
                "A command is one executable; put what it is told into `args`.", found=wrong,
            )  # fmt: skip
        if is_folder and ".." in value.split("/"):
            raise self._source.error(
                "process.bad_directory", f"Path traversal detected: {quoted(value)} has '..' in it", mark,
                "Give the folder itself.", cwd=value,
            )  # fmt: skip

    def _argv(self, node: Sequence) -> Sequence:
        items: list[Node] = []
        for at, item in enumerate(node.items):
            filled = self._scalar(item, is_program=not at) if isinstance(item, Scalar) else item
            if filled is not None:
                items.append(filled)
        return replace(node, items=tuple(items))

    def _line(self, node: Scalar) -> Node | None:
        """Return a command line as the list of its words, so that no shell reads a value."""
        found = list(PLACEHOLDER.finditer(node.text))
        if not any(one["name"] for one in found):
            return self._scalar(node)
        numbers = iter(range(len(found)))
        text = PLACEHOLDER.sub(lambda _: f"\x01{next(numbers)}\x02", node.text.strip())
        plain = _REFERENCE.sub("x", _SENTINEL.sub("x", text))
        if not commands.is_simple(plain) or _OF_A_SHELL.search(plain):
            raise self._source.error(
                "template.syntax", "a line that a shell reads cannot have a placeholder in it",
                place(node, next(one[0] for one in found if one["name"])),
                "A value could be read as a part of the line. Write a list: "
                "[sh, -c, 'echo \"$1\" | wc', sh, \"{{name}}\"].",
            )  # fmt: skip
        words = [_SENTINEL.sub(lambda one: found[int(one[1])][0], word) for word in shlex.split(text)]
        return self._argv(Sequence(tuple(replace(node, text=one, value=one, style='"') for one in words), node.mark))


def _named(key: Scalar) -> str:
    name = fold(key.text)
    return ALIASES.get(name, name)
