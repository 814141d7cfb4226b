"""Globs of `watch:`: which files below a folder one names, and which folders lead to such a file. Pure.

`*`, `?` and `[…]` stay within a name, `**` is any number of folders, `{a,b}` is either. A glob whose last part is
written out may also name a folder, and then everything below it.
"""

from __future__ import annotations

import fnmatch
import re

MOST_ALTERNATIVES = 64


class Glob:
    """One glob, relative to a root."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        parts = [part for part in pattern.split("/") if part not in ("", ".")]
        self._parts = parts
        self._names = [None if part == "**" else re.compile(fnmatch.translate(part)) for part in parts]
        self._takes_below = bool(parts) and not _is_wild(parts[-1])

    def matches(self, path: str) -> bool:
        """Tell whether it names a file, given relative to the root."""
        return self._fits(path.split("/"), 0, 0)

    def enters(self, folder: str) -> bool:
        """Tell whether a file that it names may lie below a folder; the root itself is empty."""
        for index, name in enumerate(folder.split("/") if folder else []):
            if index >= len(self._names):
                return self._takes_below
            wanted = self._names[index]
            if wanted is None:
                return True
            if not wanted.match(name):
                return False
        return True

    def _fits(self, names: list[str], name: int, part: int) -> bool:
        while part < len(self._names):
            wanted = self._names[part]
            if wanted is None:
                return any(self._fits(names, rest, part + 1) for rest in range(name, len(names)))
            if name >= len(names) or not wanted.match(names[name]):
                return False
            name, part = name + 1, part + 1
        return name == len(names) or self._takes_below or self._parts[-1:] == ["**"]


def globs(patterns: list[str], folder: str = "") -> list[Glob]:
    """Return the globs of some patterns, which are relative to a folder below the root."""
    base = re.sub(r"([*?\[])", r"[\1]", folder)
    return [Glob(f"{base}/{one}" if base else one) for pattern in patterns for one in alternatives(pattern)]


def alternatives(pattern: str) -> list[str]:
    """Return what `{a,b}` in a pattern stands for; a brace without its end stands for itself."""
    todo: list[str] = [pattern]
    done: list[str] = []
    while todo and len(todo) + len(done) < MOST_ALTERNATIVES:
        one = todo.pop(0)
        found = re.search(r"\{([^{}]*,[^{}]*)\}", one)
        if found is None:
            done.append(one)
        else:
            todo[:0] = [f"{one[: found.start()]}{choice}{one[found.end() :]}" for choice in found[1].split(",")]
    return (done + todo)[:MOST_ALTERNATIVES]


def _is_wild(part: str) -> bool:
    return any(sign in part for sign in "*?[")
