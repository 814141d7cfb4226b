"""A terminal without a window: takes a program's output, and knows what its screen looks like. Pure.

It reads what moves the cursor and changes cells. Nothing is answered, and what only steers keys, mouse or the
palette is passed over. Above: who shows a screen (screenshot.py); below: what cursor and cells do (drawing.py).
"""

from __future__ import annotations

import codecs
import re

from wezparallel.wire.colours import styled
from wezparallel.wire.drawing import MOST_SIZE, Drawing
from wezparallel.wire.grid import Grid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 8192  # characters of a sequence that are waited for; of a longer string (an image) only the end matters
_MOST = 9999  # of a number in a sequence
_MAX_TITLE = 1024

_TOKEN = re.compile(
    r"([^\x00-\x1f\x7f]+)"  # 1: text
    r"|([\x00-\x1a\x1c-\x1f\x7f])"  # 2: controls
    r"|\x1b\[([<-?]*)([0-9:;]*)([ -/]*)([@-~])"  # 3-6: mark, parameters, intermediates, end
    r"|\x1b\]([^\x07\x18\x1a\x1b]*)(?:\x07|\x1b\\)"  # 7: OSC
    r"|\x1b([ -/]+)([0-~])"  # 8, 9: character sets and such
    r"|\x1b([0-OQ-WYZ`-~\\])"  # 10: plain escapes
    r"|\x1b[PX^_][^\x18\x1a\x1b]*\x1b\\"  # DCS and kin
    r"|\x1b[\]PX^_][^\x07\x18\x1a\x1b]*(?=[\x18\x1a]|\x1b[^\\])"  # a string that was given up
    r"|\x1b\[[^@-~\x18\x1a\x1b]*(?:[@-~]|(?=[\x18\x1a\x1b]))"  # what is no proper sequence
    r"|\x1b[ -/]*(?=[\x00-\x1f\x7f-\U0010ffff])"
)
_STRING_END = re.compile(r"\x07|\x1b\\|[\x18\x1a]")


class Terminal(Drawing):
    """One terminal, from its reset state on."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__(rows, columns)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        """A sequence whose end has not come yet."""
        self._in_string = False

    def feed(self, data: bytes) -> None:
        """Take output, cut anywhere."""
        text = self._rest + self._decoder.decode(data)
        at, size = 0, len(text)
        if self._in_string:
            end = _STRING_END.search(text)
            if end is None:
                self._rest = "\x1b" if text.endswith("\x1b") else ""
                return
            self._in_string = False
            at = end.end()
        while at < size:
            match = _TOKEN.match(text, at)
            if match is None:
                break
            at = match.end()
            self._obey(match)
        self._rest = text[at:]
        if len(self._rest) > _LONGEST:
            self._in_string = self._rest[1] in "]PX^_"
            self._rest = "\x1b" if self._in_string and self._rest.endswith("\x1b") else ""

    def _obey(self, match: re.Match[str]) -> None:
        group = match.lastindex
        if group == 1:
            self.draw(match[1])
        elif group == 2:
            self._control(match[2])
        elif group == 6:
            self._csi(match[3] + match[5], match[4], match[6])
        elif group == 7:
            code, _, value = match[7].partition(";")
            if code in {"0", "2"}:
                self.title = value[:_MAX_TITLE]
        elif group == 9:
            self._select(match[8], match[9])
        elif group == 10:
            escape = _ESCAPES.get(match[10])
            if escape is not None:
                escape(self)

    def _control(self, char: str) -> None:
        if char == "\r":
            self.x = 0
        elif char in "\n\v\f":
            self.line_feed()
        elif char == "\b":
            self.x = max(0, min(self.x, self.columns - 1) - 1)
        elif char == "\t":
            self.tab()
        elif char in "\x0e\x0f":
            self.shift = int(char == "\x0e")

    def _select(self, how: str, what: str) -> None:
        if how == "(":
            self.sets = (what == "0", self.sets[1])
        elif how == ")":
            self.sets = (self.sets[0], what == "0")
        elif (how, what) == ("#", "8"):
            self.fill()

    def _csi(self, mark: str, parameters: str, end: str) -> None:
        if end == "m":
            if not mark:
                self.style = styled(self.style, parameters)
            return
        numbers = [min(int(part or 0), _MOST) for part in re.split("[;:]", parameters)] if parameters else []
        first = numbers[0] if numbers else 0
        if not mark:
            self._plain_csi(end, first, numbers)
        elif mark == "?" and end in "hl":
            for mode in numbers:
                self.set_private(mode, on=end == "h")
        elif mark == "?" and end in "JK":
            self._plain_csi(end, first, numbers)
        elif mark == "!" and end == "p":
            self.soft_reset()

    def _plain_csi(self, end: str, first: int, numbers: list[int]) -> None:
        counted = _COUNTED.get(end)
        if counted is not None:
            counted(self, first or 1)
        elif end in "Hf":
            self.to_row(first)
            self.to_column(numbers[1] if len(numbers) > 1 else 1)
        elif end == "r":
            self.set_margins(first, numbers[1] if len(numbers) > 1 else 0)
        elif end in "hl":
            for mode in numbers:
                self.set_mode(mode, on=end == "h")
        elif end in _NAMED:
            _NAMED[end](self, first)


_ESCAPES: dict[str, Callable[[Terminal], None]] = {
    "D": Terminal.index, "E": Terminal.next_line, "H": Terminal.tab_here, "M": Terminal.reverse_index,
    "7": Terminal.save, "8": Terminal.restore, "c": Terminal.reset,
}  # fmt: skip
_COUNTED: dict[str, Callable[[Terminal, int], None]] = {
    "@": lambda one, count: one.change_cells(Grid.insert_cells, count),
    "P": lambda one, count: one.change_cells(Grid.delete_cells, count),
    "L": lambda one, count: one.change_lines(Grid.scroll_down, count),
    "M": lambda one, count: one.change_lines(Grid.scroll_up, count),
    "S": lambda one, count: one.scroll(Grid.scroll_up, count),
    "T": lambda one, count: one.scroll(Grid.scroll_down, count),
    "A": lambda one, count: one.move(-count, 0),
    "B": lambda one, count: one.move(count, 0),
    "C": lambda one, count: one.move(0, count),
    "D": lambda one, count: one.move(0, -count),
    "E": lambda one, count: one.move(count, -MOST_SIZE),
    "F": lambda one, count: one.move(-count, -MOST_SIZE),
    "G": Terminal.to_column,
    "`": Terminal.to_column,
    "a": lambda one, count: one.move(0, count),
    "e": lambda one, count: one.move(count, 0),
    "d": Terminal.to_row,
    "I": Terminal.tab,
    "Z": Terminal.tab_back,
    "X": Terminal.erase_cells,
    "b": Terminal.repeat,
}
"""By the end of the sequence: what a count says, which is 1 if none is given."""
_NAMED: dict[str, Callable[[Terminal, int], None]] = {
    "J": Terminal.erase_screen,
    "K": Terminal.erase_line,
    "g": Terminal.clear_tabs,
    "s": lambda one, _: one.save(),
    "u": lambda one, _: one.restore(),
}
"""By the end of the sequence: what a number names."""
