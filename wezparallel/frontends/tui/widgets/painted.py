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
    from rich.style import Style

    from wezparallel.frontends.tui.drawing import Spans


@lru_cache(4)
def _styles(theme: str) -> dict[str, Style]:
    return colours.styles(theme)


class Painted(ScrollView, can_focus=False):
    """Lines of text; one of them may be the chosen one."""

    def __init__(self, id: str) -> None:  # noqa: A002  Textual's word
        super().__init__(id=id)
        self.lines: list[Spans] = []
        self.chosen = -1
        """Number of the line that is under the cursor."""
        self.faded = False
        """All of it is old."""

    def show_lines(self, lines: list[Spans], chosen: int = -1, *, faded: bool = False) -> None:
        """Draw these in the place of what was there."""
        before, self.lines = self.lines, lines
        chosen_before, self.chosen = self.chosen, chosen
        width = self.size.width
        if len(before) != len(lines) or self.virtual_size.width != width:
            self.virtual_size = Size(width, len(lines))
        if faded != self.faded or len(before) != len(lines):
            self.faded = faded
            self.refresh()
            return
        top, height = int(self.scroll_y), self.size.height
        for y in range(top, min(len(lines), top + height)):
            moved = chosen != chosen_before and y in (chosen, chosen_before)
            if moved or lines[y] != before[y]:
                self.refresh(Region(0, y - top, width, 1))

    def render_line(self, y: int) -> Strip:
        """Return one line of what is seen of it."""
        width = self.size.width
        number = y + int(self.scroll_y)
        ground = self.rich_style
        if number >= len(self.lines):
            return Strip.blank(width, ground)
        styles = _styles(self.look)
        base = ground + styles["chosen"] if number == self.chosen else ground
        fade = styles["dim"] if self.faded else None
        if number == self.chosen and styles["chosen"].reverse:
            fade = styles[""]  # reversed colours would cut the line into pieces
        segments = [
            Segment(said, base + (styles[style] if fade is None else fade))
            for said, style in self.lines[number]
            if said
        ]
        return Strip(segments).adjust_cell_length(width, base).crop(0, width)

    @property
    def look(self) -> str:
        """Return the name of the theme."""
        return str(getattr(self.app, "look", colours.DARK))
