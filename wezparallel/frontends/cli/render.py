"""What a terminal can show, and tables on it. Above: the verbs; below: text.py.

One meaning has one colour: green ready or working, yellow needs you, red failed, dim stopped, blue links. A symbol or
a word always says the same, so that nothing is lost without colour. Into a pipe go plain, uncut lines.
"""

from __future__ import annotations

import os
import re
import shutil
import sys

from wezparallel.client import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import IO, NamedTuple

    class Cell(NamedTuple):
        """One field of a table."""

        text: str
        style: str = ""
        link: str = ""

    class Column(NamedTuple):
        """How a column behaves when the terminal is narrow."""

        title: str = ""
        right: bool = False
        cut: str = "end"
        """`end` for text, `middle` for paths, empty: never cut"""
        rank: int = 0
        """columns of a higher rank go first; rank 0 stays"""
        least: int = 6
        """columns that a cut cell keeps at least"""
else:
    from collections import namedtuple

    Cell = namedtuple("Cell", "text style link", defaults=("", ""))
    Column = namedtuple("Column", "title right cut rank least", defaults=("", False, "end", 0, 6))

_STYLES = {
    "good": "32", "needs": "33", "bad": "31", "dim": "2", "link": "34", "bold": "1", "head": "2",
}  # fmt: skip
_GAP = 2
_URL = re.compile(r"https?://[^\s\"'<>]+")
_SHOWN_URL = re.compile(r"https?://[^\s\"'<>]*")
WIDEST = 110  # a line that ends further right is no longer read as one


class Screen:
    """Where a verb writes to."""

    def __init__(self, out: IO[str], *, columns: int | None, colour: bool, links: bool = False) -> None:
        self.out = out
        self.columns = columns
        """Width of the terminal; None into a pipe, where nothing is cut."""
        self.colour = colour
        self.links = links

    @property
    def is_terminal(self) -> bool:
        """Tell whether a person looks at it."""
        return self.columns is not None

    def paint(self, words: str, style: str) -> str:
        """Return words in a style, as they are without colour."""
        if not (self.colour and style and words):
            return words
        return f"\x1b[{_STYLES[style]}m{words}\x1b[0m"

    def link(self, words: str, url: str) -> str:
        """Return words that can be clicked, as they are without links."""
        return f"\x1b]8;;{url}\x1b\\{words}\x1b]8;;\x1b\\" if self.links and url else words

    def _painted(self, words: str, cell: Cell) -> str:
        """Return the words of a cell with its style and links; a URL in it is one, also where it was cut."""
        if self.links and not cell.link and (url := _URL.search(cell.text)):
            at = words.find("http")
            if at >= 0:
                shown = _SHOWN_URL.match(words, at)
                end = shown.end() if shown else len(words)
                linked = self.link(self.paint(words[at:end], "link"), url[0])
                return self.paint(words[:at], cell.style) + linked + self.paint(words[end:], cell.style)
        return self.link(self.paint(words, cell.style), cell.link)

    def say(self, line: str = "") -> None:
        """Write one line."""
        self.out.write(line + "\n")

    def spread(self, left: Sequence[Cell], right: str) -> None:
        """Write a line with words at both ends; the right end goes where there is no room for both."""
        plain = "".join(cell.text for cell in left)
        painted = "".join(self.link(self.paint(cell.text, cell.style), cell.link) for cell in left)
        if self.columns is None:
            self.say(f"{painted}  {right}".rstrip() if right else painted)
            return
        room = min(self.columns, WIDEST) - text.width(plain) - text.width(right)
        if room >= _GAP and right:
            self.say(painted + " " * room + self.paint(right, "dim"))
        else:
            self.say(painted if text.width(plain) <= self.columns else text.cut_end(plain, self.columns))

    def table(
        self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, indent: int = 0, widest: int = WIDEST
    ) -> None:
        """Write rows; columns without anything in them are not drawn."""
        for line in self.lines(columns, rows, indent=indent, widest=widest):
            self.say(line)

    def lines(
        self, columns: Sequence[Column], rows: Sequence[Sequence[Cell]], *, indent: int = 0, widest: int = WIDEST
    ) -> list[str]:
        """Return the lines of a table, painted and cut; at most `widest` columns of the terminal, 0 for all."""
        if not rows:
            return []
        rows = [[cell._replace(text=text.clean(cell.text)) for cell in row] for row in rows]
        kept = [at for at in range(len(columns)) if any(row[at].text for row in rows)]
        natural = {at: max(text.width(row[at].text) for row in rows) for at in kept}
        titled = any(columns[at].title for at in kept)
        if titled:
            natural = {at: max(wide, text.width(columns[at].title)) for at, wide in natural.items()}
        widths = (
            natural
            if self.columns is None
            else fit(columns, natural, min(self.columns, widest or self.columns) - indent)
        )
        table = [[Cell(column.title, "head") for column in columns], *rows] if titled else rows
        return [" " * indent + self._row(columns, row, widths) for row in table]

    def _row(self, columns: Sequence[Column], row: Sequence[Cell], widths: Mapping[int, int]) -> str:
        parts = []
        for at, wide in widths.items():
            cell = row[at]
            cut = text.cut_middle if columns[at].cut == "middle" else text.cut_end
            words = cut(cell.text, wide)
            spaces = " " * max(0, wide - text.width(words))
            painted = self._painted(words, cell)
            parts.append(spaces + painted if columns[at].right else painted + spaces)
        joined = parts[0] if parts else ""
        for before, part in zip(widths, parts[1:], strict=False):
            joined += " " * _gap(columns[before], widths[before]) + part
        return joined.rstrip()


def _gap(column: Column, wide: int) -> int:
    """Return the spaces behind a column: a symbol and its name belong together."""
    return 1 if wide == 1 and not column.cut else _GAP


def fit(columns: Sequence[Column], natural: Mapping[int, int], room: int) -> dict[int, int]:
    """Return column -> width for a room: the widest flexible columns shrink, then columns go by rank."""
    widths = dict(natural)

    def least(at: int) -> int:
        return min(natural[at], columns[at].least) if columns[at].cut else natural[at]

    def gaps(ats: Iterable[int]) -> int:
        return sum(_gap(columns[at], widths[at]) for at in list(ats)[:-1])

    while sum(least(at) for at in widths) + gaps(widths) > room:
        rank = max(columns[at].rank for at in widths)
        if rank == 0:
            break
        del widths[max(at for at in widths if columns[at].rank == rank)]
    over = sum(widths.values()) + gaps(widths) - room
    while over > 0:
        flexible = [at for at in widths if columns[at].cut and widths[at] > min(least(at), 4)]
        if not flexible:
            break
        # The least important and widest one first.
        at = max(flexible, key=lambda one: (widths[one] > least(one), columns[one].rank, widths[one]))
        widths[at] -= 1
        over -= 1
    return widths


def screen(out: IO[str] | None = None, colour: str = "auto") -> Screen:
    """Return what can be written to: a terminal's width and colours, or a plain pipe."""
    out = out or sys.stdout
    environment = os.environ
    terminal = out.isatty()
    dumb = environment.get("TERM", "dumb") == "dumb"
    coloured = colour == "always" or (colour == "auto" and terminal and not dumb and not environment.get("NO_COLOR"))
    columns = shutil.get_terminal_size().columns if terminal else None
    return Screen(out, columns=columns, colour=coloured, links=terminal and not dumb and coloured)
