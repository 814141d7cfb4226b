"""Those who need a person, above everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from wezparallel.frontends.tui import drawing
from wezparallel.frontends.tui.widgets.painted import Painted

if TYPE_CHECKING:
    from textual import events

    from wezparallel.types import JsonObject


class Waiting(Painted):
    """A line for each, as many as there is room for."""

    class Chosen(Message):
        """One was clicked."""

        def __init__(self, process_id: str, *, twice: bool) -> None:
            super().__init__()
            self.process_id = process_id
            self.twice = twice

    def __init__(self) -> None:
        super().__init__("waiting")
        self.border_title = "needs you"
        self.display = False
        self.processes: list[JsonObject] = []
        self.rows = 0
        """How many rows it takes."""

    def show(
        self, processes: list[JsonObject], now: float, size: tuple[int, int], *, boxed: bool, faded: bool
    ) -> None:  # fmt: skip
        """Draw them in so many columns and, at most, lines; nothing at all if nobody waits."""
        width, room = size  # what it will have: it has none before it is shown for the first time
        self.processes = processes[:room]
        self.display = bool(self.processes) and room > 0
        self.rows = (len(self.processes) + (2 if boxed else 0)) * self.display
        if not self.display:
            return
        self.set_class(not boxed, "bare")
        lines = drawing.waiting_lines(self.processes, width - (4 if boxed else 2), now)
        more = len(processes) - len(lines)
        self.border_title = f"needs you · {more} more" if more else "needs you"
        self.styles.height = self.rows
        self.show_lines(lines, faded=faded)

    def on_click(self, event: events.Click) -> None:
        """Go to it."""
        number = int(event.y) - (0 if self.has_class("bare") else 1)
        if 0 <= number < len(self.processes):
            self.post_message(self.Chosen(self.processes[number]["process_id"], twice=event.chain >= 2))
