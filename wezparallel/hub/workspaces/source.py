"""A template's text, and errors that point into it. Pure.

Knows lines, columns and how wide a character is on screen; knows nothing of YAML or of templates. Everything that
reads templates stands above it and raises its errors through `Source.error`.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from wezparallel.errors import RequestError

LINES_BEFORE = 2  # shown above the first marked line
MAX_SHOWN = 12  # marked lines; an error is read in a terminal, not in an editor
MAX_WIDTH = 100  # cells of one line
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML calls a line break, so that line numbers agree


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a text: line and column count from 1, `length` in characters."""

    line: int
    column: int
    length: int = 1
    source: Source | None = field(default=None, compare=False, repr=False)
    """The text itself; a template can be put together from several files."""

    def moved(self, columns: int, length: int) -> Mark:
        """Return a place in the same line."""
        return replace(self, column=self.column + columns, length=length)


START = Mark(1, 1)


@dataclass(frozen=True, slots=True)
class Source:
    """A text and the name of the file that it came from."""

    path: str
    text: str
    shown_path: str = ""

    @property
    def lines(self) -> list[str]:
        """Return the lines without their ends."""
        return _BREAK.split(self.text)

    def line(self, number: int) -> str:
        """Return a line by its number, from 1; beyond the end an empty one."""
        lines = self.lines
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def error(
        self, code: str, sentence: str, marks: Mark | Sequence[Mark], hint: str = "", **data: object
    ) -> RequestError:
        """Return an error that says where and draws the lines.

        Its message is what a person reads: `file:line:column: sentence`, the lines with `^^^` below what is meant,
        and the hint. `data` has the same in pieces: `file line column sentence excerpt hint`. Marks of several files
        are drawn in the file of the last one, where the mistake is.
        """
        places = [marks] if isinstance(marks, Mark) else list(marks)
        owner = places[-1].source or self
        if owner is not self:
            own = [mark for mark in places if mark.source is owner]
            return owner.error(code, sentence, own, hint, **data)
        places = sorted(
            (mark for mark in places if mark.source in (None, self)), key=lambda mark: (mark.line, mark.column)
        )
        first = places[0]
        excerpt = self.excerpt(places)
        head = f"{self.shown_path or self.path}:{first.line}:{first.column}: {sentence}"
        message = head + (f"\n\n{excerpt}" if excerpt else "") + (f"\n{hint}" if hint else "")
        return RequestError(
            code, message, file=self.path, line=first.line, column=first.column, sentence=sentence,
            excerpt=excerpt, hint=hint, **data,
        )  # fmt: skip

    def excerpt(self, marks: Sequence[Mark]) -> str:
        """Return the marked lines with their numbers, and `^^^` below each mark."""
        by_line: dict[int, list[Mark]] = {}
        for mark in marks:
            by_line.setdefault(mark.line, []).append(mark)
        lines = self.lines
        marked = [number for number in sorted(by_line) if number <= len(lines)]
        if not marked:
            return ""
        kept = marked[:MAX_SHOWN]
        first = next(
            n for n in range(max(1, kept[0] - LINES_BEFORE), kept[0] + 1) if lines[n - 1].strip() or n == kept[0]
        )
        shown = sorted({*range(first, kept[0]), *kept})
        digits = max(5, len(str(shown[-1])))
        drawn: list[str] = []
        previous = shown[0] - 1
        for number in shown:
            if number != previous + 1:
                drawn.append(f"{'…':>{digits}} │")
            text, carets = _window(lines[number - 1], by_line.get(number, []))
            drawn.append(f"{number:>{digits}} │ {text}".rstrip())
            if carets:
                drawn.append(f"{'':>{digits}} │ {carets}")
            previous = number
        if len(marked) > len(kept):
            drawn.append(f"{'…':>{digits}} │ and {len(marked) - len(kept)} more lines")
        return "\n".join(drawn)


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    return sum(_width(char) for char in text)


def printable(text: str) -> str:
    """Return a text that cannot steer a terminal, each character as wide as it was counted."""
    return "".join(char if char == " " or char.isprintable() else "·" for char in text)


def quoted(text: str) -> str:
    """Return a name as a sentence shows it: printable, in quotes, cut."""
    return f"'{clip(printable(text), 60)}'"


def clip(text: str, width: int) -> str:
    """Cut a text at its end to that many cells; `…` tells that something is missing."""
    if cells(text) <= width:
        return text
    end = taken = 0
    while taken + _width(text[end]) < width:
        taken += _width(text[end])
        end += 1
    return text[:end] + "…" if width > 0 else ""


def known(names: Iterable[str]) -> str:
    """Return `known are: a, b, c`, the sentence that ends every error about a name."""
    listed = sorted({printable(name) for name in names})
    return f"known are: {', '.join(listed)}" if listed else "none is known"


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that was probably meant."""
    found = difflib.get_close_matches(word[:100], list(names), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return a hint: the nearest name if there is one, and all that are known."""
    all_names = list(names)
    near = nearest(word, all_names)
    listed = known(all_names)
    return (f"Did you mean {quoted(near)}? " if near else "") + listed[0].upper() + listed[1:] + "."


def fold(name: str) -> str:
    """Return the form in which names are compared: `-` equals `_`, and composed equals decomposed."""
    return unicodedata.normalize("NFC", name).replace("-", "_")


def _width(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in {"Mn", "Me", "Cf"} and char.isprintable():
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _window(line: str, marks: Sequence[Mark]) -> tuple[str, str]:
    """Return the part of a line around its marks, and the carets below it. Looks at that part only."""
    start = 0
    if marks and cells(line[: min(marks[0].column, MAX_WIDTH)]) > MAX_WIDTH - 20:
        start = max(0, marks[0].column - 1 - 20)
    lead = "…" if start else ""
    part = printable(line[start : start + 2 * MAX_WIDTH])
    carets = ""
    for mark in marks:
        at = mark.column - 1 - start
        before = cells(lead + part[:at])
        if at > MAX_WIDTH or before >= MAX_WIDTH:
            break  # a line can have very many marks; what is cut off is not measured
        below = cells(part[at : at + min(mark.length, MAX_WIDTH)])
        carets = carets.ljust(before) + "^" * min(max(1, below), MAX_WIDTH - before)
    return clip(lead + part, MAX_WIDTH), carets
