"""The list of workspaces and processes, with a cursor. Above: the app, which gives it rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from wezparallel.frontends.tui import drawing
from wezparallel.frontends.tui.widgets.painted import Painted

if TYPE_CHECKING:
    from textual import events

    from wezparallel.frontends.tui.drawing import Spans
    from wezparallel.frontends.tui.state import Row, World


class Board(Painted, can_focus=True):
    """One line a workspace, one a process."""

    class Opened(Message):
        """A process was clicked twice."""

    class Moved(Message):
        """The cursor is on another process."""

    def __init__(self) -> None:
        super().__init__("board")
        self.rows: list[Row] = []
        self.selected = ""
        """Id of the process under the cursor; empty if there is none."""

    def show(self, rows: list[Row], world: World, now: float, empty: list[Spans]) -> None:
        """Draw the rows, or what is said in the place of none; the cursor stays with its process."""
        index = self._index()
        self.rows = rows
        if rows and self._index() < 0:
            self._choose_near(index)
        elif not rows:
            self.selected = ""
        faded = world.away_since is not None
        if not rows:
            self.show_lines(empty, faded=faded)
            return
        sizes = drawing.columns(rows, world, self.size.width)

        def line(number: int) -> Spans:
            at = number == self.chosen
            return drawing.line(rows[number], world, sizes, now, selected=at, headed=number == 0)

        self.show_count(len(rows), line, self._index(), faded=faded)

    def select(self, process_id: str) -> None:
        """Put the cursor on a process and bring it into sight."""
        if process_id and process_id != self.selected:
            self.selected = process_id
            self.post_message(self.Moved())
            self.choose_line(self._index())
        self._into_sight()

    def step(self, by: int) -> None:
        """Move the cursor over so many processes."""
        ids = self._ids()
        if ids:
            at = ids.index(self.selected) if self.selected in ids else 0
            self.select(ids[max(0, min(len(ids) - 1, at + by))])

    def step_workspace(self, by: int) -> None:
        """Move the cursor to the first process of the next workspace, or the one before."""
        firsts = [
            self.rows[number + 1].key
            for number, row in enumerate(self.rows[:-1])
            if row.kind == "workspace" and self.rows[number + 1].kind == "process"
        ]
        own = next((key for key in reversed(firsts) if self._number(key) <= self._index()), None)
        if own is None:
            return
        at = firsts.index(own)
        self.select(firsts[max(0, min(len(firsts) - 1, at + by))] if by > 0 or own == self.selected else own)

    @property
    def page(self) -> int:
        """How many lines are seen at once."""
        return max(1, self.size.height - 1)

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._into_sight()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; twice opens."""
        number = int(event.y + self.scroll_y)
        if number < len(self.rows) and self.rows[number].kind == "process":
            self.select(self.rows[number].key)
            if event.chain >= 2:
                self.post_message(self.Opened())

    def _ids(self) -> list[str]:
        return [row.key for row in self.rows if row.kind == "process"]

    def _number(self, process_id: str) -> int:
        found = (at for at, row in enumerate(self.rows) if row.kind == "process" and row.key == process_id)
        return next(found, -1)

    def _index(self) -> int:
        return self._number(self.selected)

    def _choose_near(self, index: int) -> None:
        """Choose what stands where the one that is gone stood."""
        ids = [(number, row.key) for number, row in enumerate(self.rows) if row.kind == "process"]
        if ids:
            self.selected = min(ids, key=lambda one: abs(one[0] - index))[1] if index >= 0 else ids[0][1]
            self.post_message(self.Moved())
        else:
            self.selected = ""

    def _into_sight(self) -> None:
        index = self._index()
        height = self.size.height
        if index < 0 or not height:
            return
        first = index - 1 if index and self.rows[index - 1].kind == "workspace" else index
        if first < self.scroll_y:
            self.scroll_to(y=first, animate=False)
        elif index >= self.scroll_y + height:
            self.scroll_to(y=index - height + 1, animate=False)
