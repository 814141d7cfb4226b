"""A YAML or JSON file as values that remember their line, and who was not asked for: what nobody read is noted. Pure.

Above: the importers. PyYAML splits the text; tags are never constructed, aliases and `<<` are followed within bounds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from wezparallel.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TEXT = 512 * 1024
MAX_NODES = 20_000
MAX_DEPTH = 40
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = re.compile(r"(~|null|Null|NULL|)\Z")
_TRUE = re.compile(r"(true|yes|on)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing of the file that has no meaning here, or another one."""

    line: int
    key: str
    """With the keys above it: `windows[0].options`."""
    why: str


@dataclass(slots=True)
class Value:
    """One value, its line, and what was asked of it."""

    line: int
    path: str
    text: str | None = None
    """What a scalar says; None for null, lists and maps."""
    items: list[Value] | None = None
    entries: dict[str, Value] | None = None
    asked: set[str] = field(default_factory=set)

    @property
    def is_null(self) -> bool:
        """Tell whether nothing stands there."""
        return self.text is None and self.items is None and self.entries is None

    @property
    def is_true(self) -> bool:
        """Tell whether it says yes."""
        return self.text is not None and bool(_TRUE.match(self.text))

    def get(self, key: str) -> Value | None:
        """Return what stands below a key; None if it is missing or null. A key that was asked for is not noted."""
        self.asked.add(key)
        found = (self.entries or {}).get(key)
        return None if found is None or found.is_null else found

    def told(self, key: str) -> str:
        """Return a text below a key, empty if there is none."""
        found = self.get(key)
        return found.text or "" if found is not None else ""

    def each(self, key: str) -> list[Value]:
        """Return the items of a list below a key; a single value is a list of one."""
        found = self.get(key)
        if found is None:
            return []
        return found.items if found.items is not None else [found]

    def pairs(self, key: str) -> list[tuple[str, Value]]:
        """Return names and values of a map below a key."""
        found = self.get(key)
        return list((found.entries or {}).items()) if found is not None else []

    def unread(self, meanings: dict[str, str] | None = None) -> Iterator[Note]:
        """Yield a note for each key that nobody asked for; `meanings` says of some why they have none here."""
        for key, value in (self.entries or {}).items():
            if key not in self.asked:
                yield Note(value.line, value.path, (meanings or {}).get(key, "has no meaning here"))


@dataclass(slots=True)
class Imported:
    """What became of a file."""

    kind: str
    source: str
    notes: list[Note]


def load(text: str, shown: str) -> Value:
    """Read one document. Raises RequestError `template.syntax` with its place."""
    if len(text) > MAX_TEXT:
        raise RequestError("template.syntax", f"{shown} is larger than {MAX_TEXT // 1024} KiB; cut it down")
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
        raise RequestError("template.syntax", f"{place}: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise RequestError("template.syntax", f"{shown}: {str(error).splitlines()[0]}") from None
    if node is None:
        raise RequestError("template.syntax", f"{shown} is empty; there is nothing to import")
    return _Reader(shown).value(node, "", 0)


class _Reader:
    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._count = 0

    def value(self, node: yaml.Node, path: str, depth: int) -> Value:
        self._count += 1
        line = node.start_mark.line + 1
        if self._count > MAX_NODES or depth > MAX_DEPTH:
            raise RequestError("template.syntax", f"{self._shown}:{line}: this is too large or too deep to be read")
        if isinstance(node, yaml.ScalarNode):
            is_null = not node.style and bool(_NULL.match(node.value))
            return Value(line, path, text=None if is_null else str(node.value))
        if isinstance(node, yaml.SequenceNode):
            return Value(
                line, path,
                items=[self.value(item, f"{path}[{at}]", depth + 1) for at, item in enumerate(node.value)],
            )  # fmt: skip
        entries: dict[str, Value] = {}
        for key, child in self._entries(node, depth):
            entries.setdefault(key.value, self.value(child, f"{path}.{key.value}".lstrip("."), depth + 1))
            entries[key.value].line = key.start_mark.line + 1
        return Value(line, path, entries=entries)

    def _entries(self, node: yaml.Node, depth: int) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
        """Yield a map's own keys, then those that it merges (`<<`), which hold where it has none of that name."""
        if depth > MAX_DEPTH:
            raise RequestError("template.syntax", f"{self._shown}: this merges itself")
        merged: list[yaml.Node] = []
        for key, child in node.value:
            self._count += 1
            if not isinstance(key, yaml.ScalarNode):
                line = key.start_mark.line + 1
                raise RequestError("template.syntax", f"{self._shown}:{line}: a key has to be one word")
            if key.value == "<<" and not key.style:
                merged += child.value if isinstance(child, yaml.SequenceNode) else [child]
            else:
                yield key, child
        for one in merged:
            if isinstance(one, yaml.MappingNode):
                yield from self._entries(one, depth + 1)


def place(shown: str, note: Note) -> str:
    """Return a note as it is printed."""
    return f"{shown}:{note.line}: {note.key}: {note.why}"
