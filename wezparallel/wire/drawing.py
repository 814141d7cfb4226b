"""What a terminal does with its cursor and its cells, without the language in which it is told to. Pure.

Where terminals differ it does what xterm does. Above: emulator.py, which reads that language; below: the cells
(grid.py).
"""

from __future__ import annotations

import re
from unicodedata import category, east_asian_width

from wezparallel.wire.grid import PLAIN, Grid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from wezparallel.wire.grid import Style

    Change: TypeAlias = Callable[[Grid, int, int, int, Style], None]
    Saved: TypeAlias = tuple[int, int, Style, bool, tuple[bool, bool], int]

ALTERNATE = (47, 1047, 1049)
MOST_SIZE = 1000  # rows and columns that are believed

_NARROW = re.compile(
    "[ -~\xa0-\u02ff\u0370-\u0482\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u2100-\u2319\u2500-\u25fc\u2800-\u28ff]+"
)
"""Text that takes one column a character: what nearly all of it is."""
_LINE_DRAWING = str.maketrans("`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")


def width(char: str) -> int:
    """Return how many columns a character takes: 0, 1 or 2."""
    if east_asian_width(char) in "WF":
        return 2
    return 0 if category(char) in {"Mn", "Me", "Cf", "Cc"} else 1


class Drawing:
    """A screen with its cursor, from the reset state on. Rows and columns count from 0, told ones from 1."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows = min(max(rows, 1), MOST_SIZE)
        self.columns = min(max(columns, 1), MOST_SIZE)
        self.reset()

    def reset(self) -> None:
        """Become as new."""
        self.grid = Grid(self.rows, self.columns)
        self._main: Grid | None = None
        """The main screen while the alternate one is shown."""
        self._saved: Saved | None = None
        self._main_saved: Saved | None = None
        self.x = self.y = 0
        """Where the cursor is; behind the last column while the next character begins a new line."""
        self.title = ""
        self._tabs = set(range(8, MOST_SIZE, 8))
        self._last = " "
        self.soft_reset()

    def soft_reset(self) -> None:
        """Set back what steers how text is drawn."""
        self._top, self._bottom = 0, self.rows - 1
        self.style: Style = PLAIN
        self.cursor_visible = True
        self._origin = self._inserts = self._newline = False
        self._wraps = True
        self.sets = (False, False)
        """G0 and G1: whether they are line drawing."""
        self.shift = 0
        self._saved = None

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown."""
        return self._main is not None

    @property
    def cursor(self) -> tuple[int, int]:
        """Row and column of the cursor."""
        return self.y, min(self.x, self.columns - 1)

    def resize(self, rows: int, columns: int) -> None:
        """Take another size. Rows go at the top as far as the cursor needs room; lines are not wrapped anew."""
        rows, columns = min(max(rows, 1), MOST_SIZE), min(max(columns, 1), MOST_SIZE)
        if (rows, columns) == (self.rows, self.columns):
            return
        lost = max(0, self.y - rows + 1)
        self.grid.resize(rows, columns, lost)
        if self._main is not None:
            at = self._main_saved[0] if self._main_saved is not None else 0
            self._main.resize(rows, columns, max(0, at - rows + 1))
        self.rows, self.columns = rows, columns
        self._top, self._bottom = 0, rows - 1
        self.y -= lost
        self.x = min(self.x, columns - 1)

    # Text

    def draw(self, text: str) -> None:
        """Write text at the cursor."""
        if self.sets[self.shift]:
            text = text.translate(_LINE_DRAWING)
        if text.isascii():
            self._draw_narrow(text)
        else:
            at, size = 0, len(text)
            while at < size:
                match = _NARROW.match(text, at)
                if match is not None:
                    self._draw_narrow(match[0])
                    at = match.end()
                else:
                    self._draw_odd(text[at])
                    at += 1
        self._last = text[-1]

    def repeat(self, count: int) -> None:
        """Write the last character again."""
        self.draw(self._last * count)

    def _draw_narrow(self, text: str) -> None:
        while text:
            self._make_room(1)
            x = self.x
            room = self.columns - x
            part = text[:room]
            if self._wraps:
                text = text[room:]
            else:
                part, text = (part[:-1] + text[-1] if len(text) > room else part), ""
            if self._inserts:
                self.grid.insert_cells(self.y, x, len(part), self.style)
            self.grid.put(self.y, x, part, self.style)
            self.x = x + len(part)

    def _draw_odd(self, char: str) -> None:
        columns = width(char)
        if columns == 0:
            if category(char) != "Cc" and self.x:
                self.grid.combine(self.y, self.x - 1, char)
        elif columns == 1:
            self._draw_narrow(char)
        elif self.columns > 1:
            self._make_room(2)
            if self._inserts:
                self.grid.insert_cells(self.y, self.x, 2, self.style)
            self.grid.put_wide(self.y, self.x, char, self.style)
            self.x += 2

    def _make_room(self, columns: int) -> None:
        """Begin a new line if the next character does not fit into this one; or stay at its end."""
        if self.x + columns <= self.columns:
            return
        if self._wraps:
            self.x = 0
            self.index()
        else:
            self.x = self.columns - columns

    # Moves

    def line_feed(self) -> None:
        """Go to the next line."""
        self.index()
        if self._newline:
            self.x = 0

    def index(self) -> None:
        """Go one row down; at the bottom everything moves up."""
        if self.y == self._bottom:
            self.grid.scroll_up(self._top, self._bottom, 1, self.style)
        elif self.y < self.rows - 1:
            self.y += 1

    def reverse_index(self) -> None:
        """Go one row up; at the top everything moves down."""
        if self.y == self._top:
            self.grid.scroll_down(self._top, self._bottom, 1, self.style)
        elif self.y:
            self.y -= 1

    def next_line(self) -> None:
        """Go to the beginning of the next line."""
        self.index()
        self.x = 0

    def tab(self, count: int = 1) -> None:
        """Go to a tab stop on the right."""
        for _ in range(min(count, self.columns)):
            following = (stop for stop in self._tabs if self.x < stop < self.columns)
            self.x = min(following, default=max(self.x, self.columns - 1))

    def tab_back(self, count: int) -> None:
        """Go to a tab stop on the left."""
        for _ in range(min(count, self.columns)):
            self.x = max((stop for stop in self._tabs if stop < self.x), default=0)

    def tab_here(self) -> None:
        """Set a tab stop."""
        self._tabs.add(min(self.x, self.columns - 1))

    def clear_tabs(self, how: int) -> None:
        """Take away the tab stop at the cursor (0) or all of them (3)."""
        if how == 0:
            self._tabs.discard(min(self.x, self.columns - 1))
        elif how == 3:
            self._tabs.clear()

    def move(self, rows: int, columns: int) -> None:
        """Move the cursor; from within the margins it does not leave them."""
        top = self._top if self.y >= self._top else 0
        bottom = self._bottom if self.y <= self._bottom else self.rows - 1
        self.y = min(max(self.y + rows, top), bottom)
        self.x = min(max(min(self.x, self.columns - 1) + columns, 0), self.columns - 1)

    def to_row(self, row: int) -> None:
        """Go to a row."""
        first, last = (self._top, self._bottom) if self._origin else (0, self.rows - 1)
        self.y = min(first + max(row, 1) - 1, last)
        self.x = min(self.x, self.columns - 1)

    def to_column(self, column: int) -> None:
        """Go to a column."""
        self.x = min(max(column, 1), self.columns) - 1

    def set_margins(self, top: int, bottom: int) -> None:
        """Let only the rows between these two scroll; 0 is the screen's border."""
        top, bottom = max(top, 1) - 1, min(bottom or self.rows, self.rows) - 1
        if top < bottom:
            self._top, self._bottom = top, bottom
            self.to_row(1)
            self.x = 0

    def save(self) -> None:
        """Keep where the cursor is and how it draws."""
        self._saved = (self.y, self.x, self.style, self._origin, self.sets, self.shift)

    def restore(self) -> None:
        """Go back there."""
        saved = self._saved or (0, 0, PLAIN, False, (False, False), 0)
        self.y, self.x, self.style, self._origin, self.sets, self.shift = saved
        self.y, self.x = min(self.y, self.rows - 1), min(self.x, self.columns)

    # Cells

    def erase_line(self, how: int) -> None:
        """Erase a row from the cursor on (0), up to it (1), or all of it (2)."""
        x = min(self.x, self.columns - 1)
        spans = ((x, self.columns), (0, x + 1), (0, self.columns))
        if how < len(spans):
            self.grid.erase(self.y, *spans[how], self.style)

    def erase_screen(self, how: int) -> None:
        """Erase from the cursor on (0), up to it (1), or everything (2); of what scrolled away nothing is known."""
        rows = (range(self.y + 1, self.rows), range(self.y), range(self.rows))
        if how < 2:
            self.erase_line(how)
        for y in rows[how] if how < len(rows) else ():
            self.grid.erase(y, 0, self.columns, self.style)

    def erase_cells(self, count: int) -> None:
        """Erase cells from the cursor on."""
        x = min(self.x, self.columns - 1)
        self.grid.erase(self.y, x, x + count, self.style)

    def change_cells(self, change: Change, count: int) -> None:
        """Insert or delete cells at the cursor."""
        self.x = min(self.x, self.columns - 1)
        change(self.grid, self.y, self.x, count, self.style)

    def change_lines(self, change: Change, count: int) -> None:
        """Insert or delete lines at the cursor, within the margins."""
        if self._top <= self.y <= self._bottom:
            change(self.grid, self.y, self._bottom, count, self.style)
            self.x = 0

    def scroll(self, change: Change, count: int) -> None:
        """Scroll what is between the margins."""
        change(self.grid, self._top, self._bottom, count, self.style)

    def fill(self) -> None:
        """Fill the screen with E, to align it."""
        for y in range(self.rows):
            self.grid.put(y, 0, "E" * self.columns, PLAIN)
        self._top, self._bottom = 0, self.rows - 1
        self.x = self.y = 0

    # Modes

    def set_mode(self, mode: int, *, on: bool) -> None:
        """Set a mode of ANSI."""
        if mode == 4:
            self._inserts = on
        elif mode == 20:
            self._newline = on

    def set_private(self, mode: int, *, on: bool) -> None:
        """Set a mode of DEC and its successors."""
        if mode == 7:
            self._wraps = on
        elif mode == 25:
            self.cursor_visible = on
        elif mode == 6:
            self._origin = on
            self.to_row(1)
            self.x = 0
        elif mode == 1048:
            (self.save if on else self.restore)()
        elif mode in ALTERNATE:
            self._show_alternate(mode, on=on)

    def _show_alternate(self, mode: int, *, on: bool) -> None:
        if on and self._main is None:
            if mode == 1049:
                self.save()
            self._main, self.grid = self.grid, Grid(self.rows, self.columns)
            self._main_saved, self._saved = self._saved, None
        elif not on and self._main is not None:
            self.grid, self._main = self._main, None
            self._saved, self._main_saved = self._main_saved, None
            if mode == 1049:
                self.restore()
