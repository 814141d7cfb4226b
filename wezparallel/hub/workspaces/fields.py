"""Typed access to a template's maps, with errors that point at what is wrong. Pure.

One `Fields` wraps one map: it refuses keys that are unknown, and turns each value into what was meant.
Above: templates. Below: the YAML with its marks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces.source import Mark, Source, did_you_mean, fold, quoted
from wezparallel.hub.workspaces.variables import Scope
from wezparallel.hub.workspaces.yaml_lines import Mapping, Node, Scalar, Sequence

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmg]?)i?b?\Z", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h)?\Z")
MIN_WEIGHT, MAX_WEIGHT = 0.001, 1000.0  # keeps every share strictly between 0 and 1
_PER_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


ALIASES = {
    "environment": "env", "working_directory": "cwd", "backoff_s": "backoff", "log_cap_bytes": "log_cap",
    "grace_s": "grace", "interval_s": "interval", "timeout_s": "timeout", "start_s": "start", "window_s": "window",
    "reset_s": "reset", "cpu_alert_percent": "cpu_alert", "memory_alert_bytes": "memory_alert",
}  # fmt: skip
"""Other spellings of keys; values of the daemon's own records and of the seeds' files."""


class Fields:
    """One map of a template. `what` names it in sentences: `pane 'coder'`.

    Its values are filled in by `scope`, if there is one, when they are asked for.
    """

    def __init__(self, source: Source, node: Node, what: str, scope: Scope | None = None) -> None:
        if not isinstance(node, Mapping):
            raise source.error("template.syntax", f"{what} has to be a map of `key: value`", node.mark)
        self.source = source
        self.what = what
        self.mark = node.mark
        self.scope = scope
        self._entries: dict[str, tuple[Scalar, Node]] = {}
        for key, value in node.entries:
            name = ALIASES.get(fold(key.text), fold(key.text))
            if name in self._entries:
                first = self._entries[name][0].text
                same = "is the same key as" if fold(first) == fold(key.text) else "means the same as"
                raise self.error(f"{quoted(key.text)} {same} {quoted(first)}", key.mark)
            self._entries[name] = (key, value)

    def allow(self, keys: Collection[str]) -> None:
        """Refuse every other key, with the nearest that is known."""
        for name, (key, _) in self._entries.items():
            if name not in keys:
                raise self.error(f"{self.what} has no key {quoted(key.text)}", key.mark, did_you_mean(name, keys))

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def raw(self, name: str) -> Node | None:
        """Return the value of a key as it was written; None if it is missing or null."""
        found = self._entries.get(name)
        if found is None or (isinstance(found[1], Scalar) and found[1].value is None):
            return None
        return found[1]

    def node(self, name: str) -> Node | None:
        """Return the value of a key, filled in; None if it is missing or null."""
        found = self.raw(name)
        return self.scope.expand_all(found) if self.scope is not None and found is not None else found

    def below(self, name: str, keys: Collection[str], what: str = "") -> Fields | None:
        """Return the map below a key, which may have these keys; None if it is missing or null."""
        found = self.raw(name)
        if found is None:
            return None
        fields = Fields(self.source, found, what or f"`{name}`", self.scope)
        fields.allow(keys)
        return fields

    def names(self) -> list[str]:
        """Return the keys that are there, in their first spelling."""
        return list(self._entries)

    def key_mark(self, name: str) -> Mark:
        """Return the place of a key, or of the map if it has no such key."""
        return self._entries[name][0].mark if name in self._entries else self.mark

    def text(self, name: str, default: str = "") -> str:
        """Return a text; numbers and booleans as they were written."""
        node = self.node(name)
        return default if node is None else text_of(self.source, node, f"`{name}`")

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean: `true` or `false`, as in YAML 1.2."""
        node = self.node(name)
        if node is None:
            return default
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        raise self.error(f"`{name}` has to be true or false", node.mark)

    def choice(self, name: str, words: Collection[str], default: str) -> str:
        """Return one of a few words."""
        node = self.node(name)
        if node is None:
            return default
        word = fold(text_of(self.source, node, f"`{name}`"))
        if word not in words:
            raise self.error(f"`{name}` cannot be {quoted(word)}", node.mark, did_you_mean(word, words))
        return word

    def seconds(self, name: str, default: float, least: float = 0.0, most: float = 3600.0) -> float:
        """Return a time in seconds; `10`, `10s`, `500ms`, `2m`. At most an hour unless told otherwise."""
        node = self.node(name)
        if node is None:
            return default
        found = _SECONDS.match(text_of(self.source, node, f"`{name}`"))
        value = float(found[1]) * _PER_UNIT[found[2] or "s"] if found else math.inf
        if value > most:
            raise self.error(
                f"`{name}` has to be a time up to {_spoken(most)}", node.mark, "For example 10, 10s or 2m."
            )
        if value < least:
            raise self.error(f"`{name}` has to be a time of at least {_spoken(least)}", node.mark)
        return value

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number within these bounds."""
        node = self.node(name)
        if node is None:
            return default
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.error(f"`{name}` has to be a whole number from {least} to {most}", node.mark)
        return value

    def size(self, name: str, default: int) -> int:
        """Return a size in bytes; `64 MB` counts in 1024s. At least 1 MB."""
        node = self.node(name)
        if node is None:
            return default
        found = _SIZE.match(text_of(self.source, node, f"`{name}`"))
        value = float(found[1]) * _UNITS[found[2].lower()] if found else 0.0
        if not 1 << 20 <= value <= 1 << 50:
            raise self.error(f"`{name}` has to be a size of at least 1 MB", node.mark, "For example 64 MB or 1 GB.")
        return int(value)

    def weights(self, name: str) -> tuple[float, ...]:
        """Return a list of positive numbers; empty if the key is missing."""
        node = self.node(name)
        if node is None:
            return ()
        if not isinstance(node, Sequence) or not node.items:
            raise self.error(f"`{name}` has to be a list of numbers", node.mark, f"For example {name}: [2, 1].")
        found: list[float] = []
        for item in node.items:
            value = item.value if isinstance(item, Scalar) else None
            if isinstance(value, bool) or not isinstance(value, int | float) or not MIN_WEIGHT <= value <= MAX_WEIGHT:
                raise self.error(f"a weight is a number from {MIN_WEIGHT:g} to {MAX_WEIGHT:g}", item.mark)
            found.append(float(value))
        return tuple(found)

    def words(self, name: str) -> list[str]:
        """Return a list of texts; empty if the key is missing."""
        node = self.node(name)
        return [] if node is None else words_of(self.source, node, f"`{name}`")

    def words_or_one(self, name: str) -> list[str]:
        """Return a list of texts, which may be written as its only one."""
        node = self.node(name)
        if node is None:
            return []
        return [text_of(self.source, node, f"`{name}`")] if isinstance(node, Scalar) else self.words(name)

    def env(self, name: str) -> tuple[dict[str, str | None], set[str]]:
        """Return variables, and the names of those that are filled in at each start; null removes one."""
        node = self.raw(name)
        if node is None:
            return {}, set()
        if not isinstance(node, Mapping):
            raise self.error(
                f"`{name}` has to be a map of variables", node.mark, f"For example {name}: {{ PORT: 80 }}."
            )
        found: dict[str, str | None] = {}
        filled: set[str] = set()
        for key, value in node.entries:
            if not key.text or "=" in key.text or not key.text.isprintable():
                raise self.error(f"{quoted(key.text)} is not the name of a variable", key.mark)
            if isinstance(value, Scalar) and value.value is None:
                found[key.text] = None
                continue
            found[key.text] = text_of(self.source, value, f"the variable {quoted(key.text)}")
            if self.scope is not None and isinstance(value, Scalar):
                found[key.text], is_filled = self.scope.keep(value)
                filled |= {key.text} if is_filled else set()
        return found, filled

    def children(self, name: str) -> Iterator[tuple[Scalar, Node]]:
        """Return names and values of a map below a key as they were written, in the order of the file."""
        node = self.raw(name)
        if node is None:
            return
        if not isinstance(node, Mapping):
            raise self.error(f"`{name}` has to be a map of names", node.mark)
        yield from node.entries

    def error(self, sentence: str, mark: Mark | list[Mark], hint: str = "") -> RequestError:
        """Return a `template.syntax` error."""
        return self.source.error("template.syntax", sentence, mark, hint)


def text_of(source: Source, node: Node, what: str) -> str:
    """Return a single value's text as it was written. Refuses lists, maps and control characters."""
    if not isinstance(node, Scalar):
        raise source.error("template.syntax", f"{what} has to be one value, not a list or a map", node.mark)
    if any(ord(sign) < 32 and sign not in "\n\t" for sign in node.text):
        raise source.error("template.syntax", f"{what} contains a control character", node.mark)
    return node.text


def words_of(source: Source, node: Node, what: str) -> list[str]:
    """Return a list of texts."""
    if not isinstance(node, Sequence):
        raise source.error("template.syntax", f"{what} has to be a list", node.mark)
    return [text_of(source, item, what) for item in node.items]


def _spoken(seconds: float) -> str:
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds == size:
            return f"one {word}"
    return f"{seconds:g} s"
