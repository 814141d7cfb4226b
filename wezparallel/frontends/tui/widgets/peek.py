"""The screen of the process under the cursor, as its own terminal shows it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.errors import StyleSyntaxError
from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from wezparallel.client import text

if TYPE_CHECKING:
    from wezparallel.types import JsonObject

_WORDS = {"strike": "strike", "hidden": "conceal"}


class Peek(Widget):
    """A part of the picture, that with the cursor in it."""

    def __init__(self) -> None:
        super().__init__(id="peek")
        self.display = False
        self.process_id = ""
        self.picture: JsonObject | None = None
        self.note = ""
        """What is said in the place of a picture."""

    def show(self, process_id: str, picture: JsonObject | None, note: str = "") -> None:
        """Draw a picture, or a word in its place."""
        self.process_id, self.picture, self.note = process_id, picture, note
        self.border_title = Content(text.clean(process_id))  # a name may have brackets
        self.refresh()

    @property
    def seen(self) -> int | None:
        """Up to where the log of what is shown was played."""
        return None if self.picture is None else int(self.picture["offset"])

    @property
    def run_id(self) -> str | None:
        """Return the run whose screen is shown."""
        return None if self.picture is None else str(self.picture["run_id"])

    def render_line(self, y: int) -> Strip:
        """Return one line."""
        width, ground = self.size.width, self.rich_style
        if self.picture is None:
            said = self.note if y == 0 else ""
            return Strip([Segment(said, ground + Style(dim=True))]).adjust_cell_length(width, ground).crop(0, width)
        rows = self.picture["lines"]
        number = y + first_row(self.picture, self.size.height)
        spans = rows[number] if number < len(rows) else []
        segments = [
            Segment(one["text"], ground + style(one.get("fg"), one.get("bg"), tuple(one.get("attributes") or ())))
            for one in spans
        ]
        return Strip(segments).adjust_cell_length(width, ground).crop(0, width)


def first_row(picture: JsonObject, height: int) -> int:
    """Return the first row to show, so that the cursor is seen; a shell's last line is at the bottom."""
    rows = picture["lines"]
    written = (number for number, spans in enumerate(rows) if any(one["text"].strip() for one in spans))
    used = max(written, default=-1) + 1
    cursor = int(picture["cursor"]["row"]) + 1 if picture["cursor"]["visible"] else 0
    if picture["alternate"] and cursor:
        # An editor's status line is not where one types.
        return max(0, min(cursor - 1 - height // 2, max(used, cursor) - height))
    return max(0, max(used, cursor) - height)


@lru_cache(1024)
def style(fg: str | None, bg: str | None, attributes: tuple[str, ...]) -> Style:
    """Return a style of a program's screen."""
    words = " ".join(_WORDS.get(one, one) for one in attributes)
    try:
        return Style.parse(" ".join((words, fg or "", f"on {bg}" if bg else "")).strip() or "none")
    except StyleSyntaxError:
        return Style.null()
