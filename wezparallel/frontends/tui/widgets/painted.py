"""A widget of lines of spans, as drawing.py makes them. Only lines that changed are drawn again."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from wezparallel.frontends.tui import colours

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.style import Style

    from wezparallel.frontends.tui.drawing import Spans


@lru_cache(4)
def _styles(theme: str) -> dict[str, Style]:
    return colours.styles(theme)


class Painted(ScrollView, can_focus=False):
    """Lines of text; one of them may be the chosen one."""

    def __init__(self, id: str) -> None:  # noqa: A002  Textual's word
        super().__init__(id=id)
        self.count = 0
        """How many lines there are."""
        self.chosen = -1
        """Number of the line that is under the cursor."""
        self.faded = False
        """All of it is old."""
        self._line: Callable[[int], Spans] = _nothing
        self._seen: dict[int, Spans] = {}
        """The lines that are seen, as they were drawn last."""

    def show_lines(self, lines: Sequence[Spans], chosen: int = -1, *, faded: bool = False) -> None:
        """Draw these in the place of what was there."""
        self.show_count(len(lines), lines.__getitem__, chosen, faded=faded)

    def show_count(
        self, count: int, line: Callable[[int], Spans], chosen: int = -1, *, faded: bool = False
    ) -> None:  # fmt: skip
        """Draw so many lines; `line` returns one, and is asked for those that are seen only."""
        count_before, self.count = self.count, count
        chosen_before, self.chosen = self.chosen, chosen
        width, height, top = self.size.width, self.size.height, int(self.scroll_y)
        self._line = line
        before, self._seen = self._seen, {y: line(y) for y in range(top, min(count, top + height))}
        if count != count_before or self.virtual_size.width != width:
            self.virtual_size = Size(width, count)
        if faded != self.faded or count != count_before:
            self.faded = faded
            self.refresh()
            return
        for y, spans in self._seen.items():
            moved = chosen != chosen_before and y in (chosen, chosen_before)
            if moved or spans != before.get(y):
                self.refresh(Region(0, y - top, width, 1))

    def choose_line(self, number: int) -> None:
        """Put the mark of the cursor on another line: a key has its answer before everything else is drawn."""
        before, self.chosen = self.chosen, number
        top = int(self.scroll_y)
        for y in (before, number):
            if y in self._seen:
                self._seen[y] = self._line(y)
                self.refresh(Region(0, y - top, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """Return one line of what is seen of it."""
        width = self.size.width
        number = y + int(self.scroll_y)
        ground = self.rich_style
        if number >= self.count:
            return Strip.blank(width, ground)
        spans = self._seen.get(number)
        if spans is None:
            spans = self._seen[number] = self._line(number)
        styles = _styles(self.look)
        base = ground + styles["chosen"] if number == self.chosen else ground
        fade = styles["dim"] if self.faded else None
        if number == self.chosen and styles["chosen"].reverse:
            fade = styles[""]  # reversed colours would cut the line into pieces
        segments = [
            Segment(said, base + (styles[style] if fade is None else fade)) for said, style in spans if said
        ]  # fmt: skip
        return Strip(segments).adjust_cell_length(width, base).crop(0, width)

    @property
    def look(self) -> str:
        """Return the name of the theme."""
        return str(getattr(self.app, "look", colours.DARK))


def _nothing(_number: int) -> Spans:
    return []
