"""YAML as plain values that remember their line and column. Pure, and bounded in size, depth and expansion.

PyYAML only splits the text into events; what a scalar means is decided here by YAML 1.2's core schema (`on`, `no` and
`1:30` are words, `0o17` is a number). No tag is ever constructed. Aliases share their node, and every use counts as a
copy against `MAX_NODES`, so that a bomb is refused before anybody walks through it. Above: templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import yaml

from wezparallel.hub.workspaces.source import START, Mark, Source, clip, printable, quoted

MAX_BYTES = 512 * 1024
MAX_NODES = 20_000  # after aliases are expanded; 200 processes of 20 keys have 8,000, and these take 0.2 s
MAX_DEPTH = 64

_NULL = re.compile(r"(~|null|Null|NULL|)\Z")
_BOOL = re.compile(r"(true|True|TRUE|false|False|FALSE)\Z")
_INT = re.compile(r"([-+]?[0-9]{1,18}|0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15})\Z")
_FLOAT = re.compile(
    r"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,9})?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z"
)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # YAML 1.2 §5.1

Parser: type[yaml.CSafeLoader] | type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where it is there: ten times as fast. Only events are asked of it."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value: what it means, and how it was written."""

    value: bool | int | float | str | None
    text: str
    mark: Mark
    style: str
    """`` for a plain one, else `'`, `"`, `|` or `>`."""
    last_line: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Node, ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map. Keys are scalars, each there once, in the order of the file."""

    entries: tuple[tuple[Scalar, Node], ...]
    mark: Mark


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(slots=True)
class _Open:
    """A list or map that has not ended yet."""

    kind: type[Sequence] | type[Mapping]
    mark: Mark
    anchor: str | None
    items: list[Node]
    size: int = 1


class _FromZero(Protocol):
    """A mark of PyYAML or of libyaml."""

    line: int
    column: int


def load(source: Source) -> Node:
    """Read one document. Raises `template.syntax` that points at line and column."""
    if len(source.text) > MAX_BYTES or len(source.text.encode(errors="replace")) > MAX_BYTES:
        raise source.error("template.syntax", f"the file is larger than {MAX_BYTES // 1024} KiB", START)
    _check_characters(source)
    try:
        return _Reader(source).read(yaml.parse(source.text, Loader=Parser))
    except yaml.MarkedYAMLError as error:
        raise _explained(source, error) from None


def _check_characters(source: Source) -> None:
    for number, line in enumerate(source.lines, 1):
        # A byte order mark may stand first; an editor that writes one does not tell.
        wrong = _UNPRINTABLE.search(line.removeprefix("\ufeff") if number == 1 else line)
        if wrong:
            code = f"U+{ord(wrong.group()):04X}"
            raise source.error(
                "template.syntax",
                f"the character {code} may not stand in a template",
                Mark(number, wrong.start() + 1),
            )


class _Reader:
    """Builds nodes from events, without recursion."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._root: Node | None = None
        self._nodes = 0

    def read(self, events: Iterator[yaml.Event]) -> Node:
        """Return the only document's root."""
        for event in events:
            mark = _mark(event, self._source)
            if isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
                raise self._error("a template is one document; here a second one begins", mark)
            if isinstance(event, yaml.AliasEvent):
                self._add(*self._aliased(event, mark))
            elif isinstance(event, yaml.ScalarEvent):
                self._check_tag(event, mark)
                node = _scalar(event, mark)
                if event.anchor:
                    self._anchors[event.anchor] = (node, 1)
                self._add(node, 1, mark)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._check_tag(event, mark)
                self._begin(event, mark)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end()
        if self._root is None or (isinstance(self._root, Scalar) and self._root.value is None):
            raise self._error("the template is empty", START, "The shortest one is: panes: [shell]")
        return self._root

    def _begin(self, event: yaml.CollectionStartEvent, mark: Mark) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise self._error(f"this is nested more than {MAX_DEPTH} deep", mark)
        if event.anchor:
            self._anchors[event.anchor] = None
        kind: type[Sequence] | type[Mapping] = Sequence if isinstance(event, yaml.SequenceStartEvent) else Mapping
        self._stack.append(_Open(kind, mark, event.anchor, []))

    def _end(self) -> None:
        done = self._stack.pop()
        node: Node
        if done.kind is Sequence:
            node = Sequence(tuple(done.items), done.mark)
        else:
            node = Mapping(self._entries(done.items), done.mark)
        if done.anchor:
            self._anchors[done.anchor] = (node, done.size)
        self._nodes -= done.size - 1  # they were counted one by one; `_add` counts the whole
        self._add(node, done.size, done.mark)

    def _entries(self, items: list[Node]) -> tuple[tuple[Scalar, Node], ...]:
        seen: dict[str, Scalar] = {}
        entries: list[tuple[Scalar, Node]] = []
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, Scalar):
                hint = "A text that begins with `{{` needs quotes around it." if isinstance(key, Mapping) else ""
                raise self._error("a key is a word, not a list or a map", key.mark, hint)
            if key.text in seen:
                first = seen[key.text].mark.line
                raise self._error(
                    f"the key {quoted(key.text)} stands here a second time", key.mark,
                    f"It stands in line {first} already. Take one of them out.",
                )  # fmt: skip
            seen[key.text] = key
            entries.append((key, value))
        return tuple(entries)

    def _aliased(self, event: yaml.AliasEvent, mark: Mark) -> tuple[Node, int, Mark]:
        name = str(event.anchor)
        if name not in self._anchors:
            raise self._error(f"there is no anchor {quoted('&' + name)} above", mark)
        known = self._anchors[name]
        if known is None:
            raise self._error(f"{quoted('*' + name)} contains itself", mark)
        return (*known, mark)

    def _add(self, node: Node, size: int, mark: Mark) -> None:
        self._nodes += size
        if self._nodes > MAX_NODES:
            raise self._error(f"with all its aliases this has more than {MAX_NODES} values", mark)
        if self._stack:
            self._stack[-1].items.append(node)
            self._stack[-1].size += size
        else:
            self._root = node

    def _check_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, mark: Mark) -> None:
        if event.tag not in {None, "!", "tag:yaml.org,2002:str"}:
            raise self._error(
                f"tags such as {quoted(str(event.tag).replace('tag:yaml.org,2002:', '!!'))} are not known here", mark
            )

    def _error(self, sentence: str, mark: Mark, hint: str = "") -> Exception:
        return self._source.error("template.syntax", sentence, mark, hint)


def _mark(event: yaml.Event, source: Source) -> Mark:
    start, end = _place(event.start_mark), _place(event.end_mark)
    length = max(1, end.column - start.column) if end.line == start.line else 1
    return Mark(start.line, start.column, length, source)


def _place(mark: _FromZero | None) -> Mark:
    """Return PyYAML's mark, which counts from 0 and may be missing from an error."""
    return Mark(mark.line + 1, mark.column + 1) if mark else START


def _scalar(event: yaml.ScalarEvent, mark: Mark) -> Scalar:
    style = event.style if event.style and event.style in "'\"|>" else ""
    value = event.value if style or event.tag else meaning(event.value)
    return Scalar(value, event.value, mark, style, _place(event.end_mark).line)


def meaning(text: str) -> bool | int | float | str | None:
    """Return what a plain scalar means by YAML 1.2's core schema."""
    if _NULL.match(text):
        return None
    if _BOOL.match(text):
        return text.lower() == "true"
    if _INT.match(text):
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if _FLOAT.match(text):
        return float(
            text.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf").lower().replace(".nan", "nan")
        )
    return text


def _explained(source: Source, error: yaml.MarkedYAMLError) -> Exception:
    """Return the error of a text that is no YAML, with the hint for what people do most often."""
    mark = _place(error.problem_mark or error.context_mark)
    line = source.line(mark.line)
    hint = ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        mark = Mark(mark.line, line.index("\t") + 1)
        hint = "YAML is indented with spaces. Put spaces in the place of this tab."
    elif re.search(r":\S*\s.*: ", line) or "mapping values are not allowed" in str(error.problem):
        hint = "A value with `: ` in it needs quotes around it."
    elif re.match(r"\s*[\w-]+:\s*[@`%*&!]", line):
        hint = "A value that begins with such a sign needs quotes around it."
    return source.error(
        "template.syntax", f"this is not YAML: {clip(printable(str(error.problem)), 200)}", mark, hint
    )
