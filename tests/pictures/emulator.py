"""A terminal in Python: what is on the screen cell by cell, which modes it is in, and what it answers.

pyte keeps the cells. It knows no alternate screen, no keyboard protocol and no sequence with a private mark but `?`,
so the stream is taken apart here, and of its screen only the operations on cells are used.
"""

from __future__ import annotations

import codecs
import copy
import re
from typing import Any

import pyte
from pyte.screens import Char, Cursor, Margins, StaticDefaultDict

from tests.pictures.picture import Picture, seen

ALTERNATE = (47, 1047, 1049)
ON_BY_DEFAULT = frozenset((7, 25))
KNOWN_MODES = frozenset((
    1, 5, 6, 7, 9, 12, 25, 45, 66, 69, 1000, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 1034, 1036, 1039, 2004,
    2026, 2027, 2031, 2048, *ALTERNATE,
))  # fmt: skip
FOREGROUND, BACKGROUND = "rgb:dddd/dddd/dddd", "rgb:1111/1111/1111"

_TOKEN = re.compile(
    r"\x1b\[([<-?]?)([0-9:;]*)([ -/]*)([@-~])"  # 1-4: mark, parameters, intermediates, end
    r"|\x1b\]([^\x07\x18\x1b]*)(?:\x07|\x1b\\)"  # 5: OSC
    r"|\x1b[PX^_]([^\x18\x1b]*)\x1b\\"  # 6: DCS and kin
    r"|\x1b([ -/]+)([0-~])"  # 7, 8: character sets and such
    r"|\x1b([0-OQ-WYZ`-~=>\\])"  # 9: plain escapes
    r"|\x1b[^\x18]*\x18"  # given up
    r"|([\x00-\x1a\x1c-\x1f\x7f])"  # 10: controls
    r"|([^\x00-\x1f\x7f]+)"  # 11: text
)
_CSI = {
    "@": "insert_characters", "A": "cursor_up", "B": "cursor_down", "C": "cursor_forward", "D": "cursor_back",
    "E": "cursor_down1", "F": "cursor_up1", "G": "cursor_to_column", "H": "cursor_position", "J": "erase_in_display",
    "K": "erase_in_line", "L": "insert_lines", "M": "delete_lines", "P": "delete_characters", "S": "scroll_up",
    "T": "scroll_down", "X": "erase_characters", "`": "cursor_to_column", "a": "cursor_forward",
    "b": "repeat", "d": "cursor_to_line", "e": "cursor_down", "f": "cursor_position", "g": "clear_tab_stop",
    "h": "set_mode", "l": "reset_mode", "r": "set_margins", "s": "save_cursor", "u": "restore_cursor",
}  # fmt: skip
_ESCAPES = {"D": "index", "E": "next_line", "H": "set_tab_stop", "M": "reverse_index", "7": "save_cursor",
            "8": "restore_cursor", "c": "reset"}  # fmt: skip
_CONTROLS = {"\b": "backspace", "\t": "tab", "\n": "linefeed", "\v": "linefeed", "\f": "linefeed",
             "\r": "carriage_return"}  # fmt: skip
_EMPTY: tuple[Any, ...] = (False, 0, "", (), None)
_DIM = " dim"  # pyte's cells know no faint text: it is kept in the colour's name


class Emulator(pyte.Screen):
    """One terminal. What it answers gathers in `answers`, until somebody types it."""

    def __init__(self, rows: int, columns: int) -> None:
        self.answers = bytearray()
        self.bells = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        super().__init__(columns, rows)

    def reset(self) -> None:
        """Become as new."""
        self.private: set[int] = set(ON_BY_DEFAULT)
        self.keyboard: dict[bool, list[int]] = {False: [], True: []}
        self.other_keys = self.style = 0
        self.keypad = False
        self.colours: dict[str, str] = {}
        self._saved: Cursor | None = None
        self._main: tuple[Any, Cursor, Cursor | None] | None = None
        self._last_drawn = ""
        super().reset()

    # What is seen

    @property
    def alternate(self) -> bool:
        """Tell whether the alternate screen is shown."""
        return self._main is not None

    def picture(self) -> Picture:
        """Return what there is to see now."""
        cells = tuple(tuple(seen(self.buffer[y][x]) for x in range(self.columns)) for y in range(self.lines))
        modes: dict[str, Any] = {
            f"mode {mode}": "on" if mode in self.private else "off" for mode in sorted(self.private ^ ON_BY_DEFAULT)
        }
        modes |= {"alternate": self.alternate, "keyboard": tuple(self.keyboard[self.alternate]),
                  "modifyOtherKeys": self.other_keys, "keypad": self.keypad, "cursor style": self.style,
                  "title": self.title, "colours": tuple(self.colours.items()),
                  "margins": self.margins}  # fmt: skip
        hidden = 25 not in self.private
        cursor = None if hidden else (min(self.cursor.x, self.columns - 1), self.cursor.y)
        return Picture(cells, cursor, tuple((name, value) for name, value in modes.items() if value not in _EMPTY))

    # What comes

    def feed(self, data: bytes) -> None:
        """Take output, cut anywhere."""
        text = self._rest + self._decoder.decode(data)
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                break
            at = match.end()
            self._obey(match)
        self._rest = text[at:]
        assert len(self._rest) < 65536, f"never ends: {self._rest[:80]!r}"

    def _obey(self, match: re.Match[str]) -> None:
        group = match.lastindex
        if group == 11:
            self.draw(match[11])
            self._last_drawn = match[11][-1]
        elif group == 10:
            if match[10] == "\a":
                self.bells += 1
            elif match[10] in _CONTROLS:
                getattr(self, _CONTROLS[match[10]])()
        elif group == 4:
            self._csi(match[1] + match[3], match[2], match[4])
        elif group == 5:
            self._osc(*match[5].partition(";")[::2])
        elif group == 6:
            if match[6].startswith("$q"):
                self.answer(f"\x1bP1$r{self.style} q\x1b\\" if match[6] == "$q q" else "\x1bP0$r\x1b\\")
        elif group == 9:
            self._escape(match[9])
        elif match[7] == "#" and match[8] == "8":
            self.alignment_display()

    def _escape(self, end: str) -> None:
        if end in "=>":
            self.keypad = end == "="
        elif end in _ESCAPES:
            getattr(self, _ESCAPES[end])()

    def _csi(self, mark: str, parameters: str, end: str) -> None:
        numbers = [min(int(part or 0), 9999) for part in re.split("[;:]", parameters)] if parameters else []
        first = numbers[0] if numbers else 0
        if not mark:
            self._plain_csi(parameters, numbers, end)
        elif mark == "?" and end in "hl":
            for mode in numbers:
                self._set_private(mode, end == "h")
        elif end == "u" and mark in "<=>":
            self._set_keyboard(mark, numbers)
        elif mark == ">" and end == "m" and first == 4:
            self.other_keys = numbers[1] if len(numbers) > 1 else 0
        elif mark == "!" and end == "p":
            self._soft_reset()
        elif mark == " " and end == "q":
            self.style = first
        elif mark == "?" and end in "JK":
            getattr(self, _CSI[end])(first)
        else:
            self._query(mark, first, end)

    def _query(self, mark: str, first: int, end: str) -> None:
        if mark == "?" and end == "u":
            self.answer(f"\x1b[?{(self.keyboard[self.alternate] or [0])[-1]}u")
        elif mark == "?$" and end == "p":
            state = (1 if first in self.private else 2) if first in KNOWN_MODES else 0
            self.answer(f"\x1b[?{first};{state}$y")
        elif mark == ">" and end == "c":
            self.answer("\x1b[>1;277;0c")
        elif mark == ">" and end == "q":
            self.answer("\x1bP>|Pictures 1\x1b\\")

    def _plain_csi(self, parameters: str, numbers: list[int], end: str) -> None:
        if end == "m":
            self._colour(parameters)
        elif end == "c":
            self.answer("\x1b[?65;4;6;18;22c")
        elif end == "n":
            self.report_device_status(numbers[0] if numbers else 0)
        elif end == "t":
            self._report_size(numbers[0] if numbers else 0)
        elif end == "r" and not any(numbers):
            self.margins = None
            self.cursor_position()
        elif end in _CSI:
            getattr(self, _CSI[end])(*numbers)

    def _osc(self, code: str, value: str) -> None:
        if code in {"0", "2"}:
            self.set_title(value)
        elif code in {"10", "11"} and value == "?":
            self.answer(f"\x1b]{code};{FOREGROUND if code == '10' else BACKGROUND}\x1b\\")
        elif code in {"4", "10", "11", "12"} and "?" not in value:
            self.colours[code if code != "4" else f"4;{value.partition(';')[0]}"] = value
        elif code in {"104", "110", "111", "112"}:
            for name in [name for name in self.colours if name.partition(";")[0] == code[1:].lstrip("0")]:
                del self.colours[name]

    def answer(self, text: str) -> None:
        """Answer a query."""
        self.answers += text.encode()

    def write_process_input(self, data: str) -> None:
        """What pyte answers goes the same way."""
        self.answer(data)

    def _report_size(self, what: int) -> None:
        sizes = {14: (4, self.lines * 20, self.columns * 10), 16: (6, 20, 10), 18: (8, self.lines, self.columns)}
        if what in sizes:
            self.answer("\x1b[" + ";".join(map(str, sizes[what])) + "t")

    def _report_in_band(self) -> None:
        self.answer(f"\x1b[48;{self.lines};{self.columns};{self.lines * 20};{self.columns * 10}t")

    # Modes

    def _set_private(self, mode: int, on: bool) -> None:
        if mode in ALTERNATE:
            self._show_alternate(on, mode)
        if mode in ALTERNATE or mode not in KNOWN_MODES:
            return
        (self.private.add if on else self.private.discard)(mode)
        if mode in {6, 7}:
            (self.set_mode if on else self.reset_mode)(mode, private=True)
        elif mode == 2048 and on:
            self._report_in_band()

    def _show_alternate(self, on: bool, mode: int) -> None:
        if on and self._main is None:
            self._main = (self.buffer, copy.copy(self.cursor), self._saved)
            self.buffer = copy.copy(self.buffer)
            self.buffer.clear()
            self._saved = None
        elif not on and self._main is not None:
            self.buffer, cursor, self._saved = self._main
            self._main = None
            if mode == 1049:
                self.cursor = cursor
                self.ensure_hbounds()
                self.ensure_vbounds()

    def _set_keyboard(self, how: str, numbers: list[int]) -> None:
        stack = self.keyboard[self.alternate]
        first = numbers[0] if numbers else 0
        if how == ">":
            stack.append(first)
        elif how == "<":
            del stack[max(0, len(stack) - (first or 1)) :]
        else:
            flags = stack.pop() if stack else 0
            change = numbers[1] if len(numbers) > 1 else 1
            stack.append({2: flags | first, 3: flags & ~first}.get(change, first))

    def _soft_reset(self) -> None:
        self.private = self.private - {1, 6} | ON_BY_DEFAULT
        self.keypad = False
        self.margins = None
        self.cursor.attrs = self.default_char

    # Cells: where pyte's own way is not that of today's terminals

    def _colour(self, parameters: str) -> None:
        plain: list[int] = []
        dim = self.cursor.attrs.fg.endswith(_DIM)
        parts = parameters.split(";")
        while parts:
            part = parts.pop(0)
            values = [int(value or 0) for value in part.split(":")]
            if ":" not in part and values[0] in {38, 48, 58} and parts:
                values += [int(value or 0) for value in parts[: 2 if parts[0] == "5" else 4]]
                del parts[: 2 if values[1] == 5 else 4]
            elif ":" in part and values[0] in {38, 48} and values[1] == 2:
                values = [*values[:2], *values[-3:]]
            elif ":" in part and values[0] == 4:
                values = [4 if values[1] else 24]
            if values[0] != 58:
                plain += values
            dim = {2: True, 0: False, 22: False}.get(values[0], dim)
        self.cursor.attrs = self.cursor.attrs._replace(fg=self.cursor.attrs.fg.removesuffix(_DIM))
        self.select_graphic_rendition(*plain)
        if dim:
            self.cursor.attrs = self.cursor.attrs._replace(fg=self.cursor.attrs.fg + _DIM)

    def _blank(self, y: int, columns: range) -> None:
        line = self.buffer[y]
        for x in columns:
            line[x] = Char(" ", bg=self.cursor.attrs.bg)

    def erase_characters(self, count: int | None = None) -> None:
        """Erase with the background alone."""
        self._blank(self.cursor.y, range(self.cursor.x, min(self.cursor.x + (count or 1), self.columns)))

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        """Erase with the background alone."""
        x = self.cursor.x
        self._blank(self.cursor.y, (range(x, self.columns), range(x + 1), range(self.columns))[how])

    def erase_in_display(self, how: int = 0, *_: Any, **__: Any) -> None:
        """Erase with the background alone; of the scrollback nothing is known here."""
        y = self.cursor.y
        if how == 3:
            return
        for row in (range(y + 1, self.lines), range(y), range(self.lines))[how]:
            self._blank(row, range(self.columns))
        if how < 2:
            self.erase_in_line(how)

    def index(self) -> None:
        """Scroll with the background of now."""
        at_bottom = self.cursor.y == (self.margins or Margins(0, self.lines - 1)).bottom
        super().index()
        if at_bottom:
            self.buffer[self.cursor.y] = StaticDefaultDict(self.default_char)
            self._blank(self.cursor.y, range(self.columns))

    def reverse_index(self) -> None:
        """Scroll with the background of now."""
        at_top = self.cursor.y == (self.margins or Margins(0, self.lines - 1)).top
        super().reverse_index()
        if at_top:
            self.buffer[self.cursor.y] = StaticDefaultDict(self.default_char)
            self._blank(self.cursor.y, range(self.columns))

    def scroll_up(self, count: int = 1) -> None:
        """SU."""
        self._scroll(count, self.delete_lines)

    def scroll_down(self, count: int = 1) -> None:
        """SD."""
        self._scroll(count, self.insert_lines)

    def _scroll(self, count: int, how: Any) -> None:
        cursor = (self.cursor.x, self.cursor.y)
        self.cursor.y = (self.margins or Margins(0, 0)).top
        how(count or 1)
        self.cursor.x, self.cursor.y = cursor

    def next_line(self) -> None:
        """NEL."""
        self.index()
        self.carriage_return()

    def repeat(self, count: int = 1) -> None:
        """REP."""
        self.draw(self._last_drawn * (count or 1))

    def save_cursor(self) -> None:
        """Keep one position, not a stack."""
        self._saved = copy.copy(self.cursor)

    def restore_cursor(self) -> None:
        """Go back to it; it is kept."""
        self.cursor = copy.copy(self._saved) if self._saved else Cursor(0, 0, self.default_char)
        self.ensure_hbounds()
        self.ensure_vbounds()

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """Take another size; lines go at the top as far as the cursor needs room, the rest is as with pyte."""
        rows = lines or self.lines
        lost = max(0, self.cursor.y - rows + 1)
        if lost:
            margins, self.margins = self.margins, None
            self.scroll_up(lost)
            self.margins = margins
            self.cursor.y -= lost
        for y in range(rows, self.lines):
            self.buffer.pop(y, None)
        self.lines = rows
        super().resize(rows, columns)
        self.margins = None
        self.ensure_hbounds()
        if 2048 in self.private:
            self._report_in_band()
