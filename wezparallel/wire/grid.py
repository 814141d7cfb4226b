"""The cells of a terminal's screen, and what can be done to them. Pure; who says what is to be done is emulator.py.

A cell is a text of one character (with what combines with it) and a style. A wide character stands in its first
cell, and its second one is empty; an operation that goes through the middle of one leaves spaces.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Style: TypeAlias = tuple[int, int, int]
    """Colour of the text, colour behind it, flags. A colour is DEFAULT, one of the palette, or RGB and 24 bits."""

DEFAULT = -1
RGB = 1 << 24

BOLD = 1
DIM = 2
ITALIC = 4
UNDERLINE = 8
BLINK = 16
REVERSE = 32
HIDDEN = 64
STRIKE = 128

PLAIN: Style = (DEFAULT, DEFAULT, 0)
MOST_COMBINING = 8  # characters of one cell; more is no text


class Grid:
    """One screen of cells."""

    __slots__ = ("columns", "rows", "styles", "texts")

    def __init__(self, rows: int, columns: int) -> None:
        self.rows = rows
        self.columns = columns
        self.texts: list[list[str]] = [[" "] * columns for _ in range(rows)]
        self.styles: list[list[Style]] = [[PLAIN] * columns for _ in range(rows)]

    def put(self, y: int, x: int, text: str, style: Style) -> None:
        """Write characters of one column each into a row; they have room there."""
        row = self.texts[y]
        end = x + len(text)
        if row[x] == "":
            self._cut(row, x)
        if end < self.columns and row[end] == "":
            self._cut(row, end)
        row[x:end] = text
        self.styles[y][x:end] = [style] * (end - x)

    def put_wide(self, y: int, x: int, char: str, style: Style) -> None:
        """Write a character of two columns; both are within the row."""
        self.put(y, x, char + " ", style)
        self.texts[y][x + 1] = ""

    def combine(self, y: int, x: int, char: str) -> None:
        """Add to the character that stands in a cell, or whose second half does."""
        row = self.texts[y]
        if row[x] == "" and x:
            x -= 1
        if len(row[x]) < MOST_COMBINING:
            row[x] += char

    def erase(self, y: int, begin: int, end: int, style: Style = PLAIN) -> None:
        """Erase cells of a row; of the style only what is behind the text is left."""
        end = min(end, self.columns)
        if end > begin:
            self.put(y, begin, " " * (end - begin), (DEFAULT, style[1], 0))

    def insert_cells(self, y: int, x: int, count: int, style: Style) -> None:
        """Move the rest of a row to the right."""
        count = min(count, self.columns - x)
        row, styles = self.texts[y], self.styles[y]
        self._cut(row, x)
        self._cut(row, self.columns - count)
        row[x:x] = [" "] * count
        styles[x:x] = [(DEFAULT, style[1], 0)] * count
        del row[self.columns :]
        del styles[self.columns :]

    def delete_cells(self, y: int, x: int, count: int, style: Style) -> None:
        """Take cells out; the rest of the row comes from the right."""
        count = min(count, self.columns - x)
        row, styles = self.texts[y], self.styles[y]
        self._cut(row, x)
        self._cut(row, x + count)
        del row[x : x + count]
        del styles[x : x + count]
        row += [" "] * count
        styles += [(DEFAULT, style[1], 0)] * count

    def scroll_up(self, top: int, bottom: int, count: int, style: Style) -> None:
        """Move rows up between two rows; what goes at the top is lost."""
        count = min(count, bottom - top + 1)
        blank: Style = (DEFAULT, style[1], 0)
        del self.texts[top : top + count]
        del self.styles[top : top + count]
        at = bottom + 1 - count
        self.texts[at:at] = [[" "] * self.columns for _ in range(count)]
        self.styles[at:at] = [[blank] * self.columns for _ in range(count)]

    def scroll_down(self, top: int, bottom: int, count: int, style: Style) -> None:
        """Move rows down between two rows; what goes at the bottom is lost."""
        count = min(count, bottom - top + 1)
        blank: Style = (DEFAULT, style[1], 0)
        del self.texts[bottom + 1 - count : bottom + 1]
        del self.styles[bottom + 1 - count : bottom + 1]
        self.texts[top:top] = [[" "] * self.columns for _ in range(count)]
        self.styles[top:top] = [[blank] * self.columns for _ in range(count)]

    def resize(self, rows: int, columns: int, lost: int) -> None:
        """Take another size: `lost` rows go at the top, the rest goes or comes at the bottom and at the right."""
        del self.texts[:lost], self.styles[:lost]
        del self.texts[rows:], self.styles[rows:]
        for row, styles in zip(self.texts, self.styles, strict=True):
            if columns < self.columns:
                self._cut(row, columns)
            del row[columns:], styles[columns:]
            row.extend([" "] * (columns - len(row)))
            styles.extend([PLAIN] * (columns - len(styles)))
        missing = rows - len(self.texts)
        self.texts += [[" "] * columns for _ in range(missing)]
        self.styles += [[PLAIN] * columns for _ in range(missing)]
        self.rows, self.columns = rows, columns

    def _cut(self, row: list[str], x: int) -> None:
        """Part what is left of a cell from what is right: no wide character goes over this border."""
        if 0 < x < len(row) and row[x] == "":
            row[x - 1] = row[x] = " "
