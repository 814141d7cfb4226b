"""A log that grows, with search. It follows the end until one scrolls up, and again from there on."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, ClassVar

from textual.screen import Screen
from textual.widgets import Input

from wezparallel.client import text
from wezparallel.errors import WezparallelError
from wezparallel.frontends.tui import drawing, following
from wezparallel.frontends.tui.widgets.painted import Painted

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from wezparallel.frontends.tui.connection import Connection
    from wezparallel.frontends.tui.drawing import Spans

MOST = 10_000  # lines
_KEYS = " / search   n N next, before   f end   q back"


class Logs(Screen[None]):
    """The log of one process."""

    AUTO_FOCUS = ""  # else what is typed goes into the search box that nobody sees
    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "escape", "back"),
        ("q,l", "leave", "back"),
        ("j,down", "scroll(1)", "down"),
        ("k,up", "scroll(-1)", "up"),
        ("pagedown,space", "page(1)", "page down"),
        ("pageup,b", "page(-1)", "page up"),
        ("f,G,end", "end", "end"),
        ("g,home", "top", "beginning"),
        ("slash", "search", "search"),
        ("n", "find(-1)", "next"),
        ("N", "find(1)", "before"),
    ]

    def __init__(self, connection: Connection, process_id: str, keeper_socket: str) -> None:
        super().__init__()
        self._connection, self._process_id, self._keeper_socket = connection, process_id, keeper_socket
        self._lines: deque[str] = deque(maxlen=MOST)
        self._drawn: deque[Spans] = deque(maxlen=MOST)
        self._follows = True
        self._sought = ""
        self._at = -1
        """Number of the line that was found last."""
        self._note = "reading"

    def compose(self) -> ComposeResult:
        """Draw it."""
        yield Painted("top")
        yield Painted("loglines")
        yield Input(id="search", placeholder="search")
        yield Painted("keys")

    def on_mount(self) -> None:
        """Begin to read."""
        self.run_worker(self._read(), group="log")

    def on_resize(self) -> None:
        """Draw it for the new size, which is known a moment later."""
        self.call_after_refresh(self._draw)

    async def _read(self) -> None:
        try:
            async for lines in following.follow(self._connection, self._process_id, self._keeper_socket):
                self._note = ""
                dropped = max(0, len(self._lines) + len(lines) - MOST)
                self._at -= dropped
                self._lines += lines
                self._drawn += [_marked(said, self._sought) for said in lines]
                self._draw()
            self._note = "removed"
        except WezparallelError as error:
            self._note = error.message
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted or not self.is_current:
            return
        width = self.size.width
        body = self.query_one("#loglines", Painted)
        body.show_lines(self._drawn, self._at)
        if self._follows:
            body.scroll_to(y=max(0, len(self._lines) - body.size.height), animate=False)
        where = self._note or ("follows" if self._follows else f"line {int(body.scroll_y) + 1} of {len(self._lines)}")
        left: Spans = [(f" {text.clean(self._process_id)}", "head"), ("  log", "dim")]
        self.query_one("#top", Painted).show_lines([drawing.spread(left, [(f" {where} ", "dim")], width)])
        hint = f" {self._sought!r}: {self._hits()}  {_KEYS}" if self._sought else _KEYS
        self.query_one("#keys", Painted).show_lines([[(text.cut_end(hint, width), "dim")]])

    def _hits(self) -> str:
        count = sum(1 for said in self._lines if self._sought.lower() in said.lower())
        return text.plural(count, "line") if count else "not found"

    def action_scroll(self, by: int) -> None:
        """Move; at the end it follows again."""
        body = self.query_one("#loglines", Painted)
        last = max(0, len(self._lines) - body.size.height)
        target = max(0, min(last, int(body.scroll_y) + by))
        self._follows = by > 0 and target >= last
        body.scroll_to(y=target, animate=False)
        self._draw()

    def on_mouse_scroll_up(self) -> None:
        """Stay where one looks."""
        self.action_scroll(-3)

    def on_mouse_scroll_down(self) -> None:
        """Towards the end."""
        self.action_scroll(3)

    def action_page(self, by: int) -> None:
        """Move by a screen."""
        self.action_scroll(by * max(1, self.query_one("#loglines").size.height - 1))

    def action_end(self) -> None:
        """Follow."""
        self.action_scroll(len(self._lines))

    def action_top(self) -> None:
        """Go to the oldest line that is here."""
        self.action_scroll(-len(self._lines))

    def action_search(self) -> None:
        """Ask for a word."""
        box = self.query_one("#search", Input)
        box.add_class("-shown")
        box.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Find it, from the end on upwards."""
        event.stop()
        self._seek(event.value)
        self._close_search()
        if event.value:
            self.action_find(-1)
        self._draw()

    def _seek(self, word: str) -> None:
        self._sought, self._at = word, -1
        self._drawn = deque((_marked(said, word) for said in self._lines), MOST)

    def action_find(self, by: int) -> None:
        """Go to the next line that has it; -1 is towards older ones, where a search in a log goes."""
        if not self._sought or not self._lines:
            return
        lines, word = list(self._lines), self._sought.lower()
        begin = self._at if self._at >= 0 else len(lines)
        order = range(begin - 1, -1, -1) if by < 0 else range(begin + 1, len(lines))
        found = next((number for number in order if word in lines[number].lower()), None)
        if found is None:
            self.app.bell()
            return
        self._at = found
        self._follows = False
        body = self.query_one("#loglines", Painted)
        body.scroll_to(y=max(0, found - body.size.height // 2), animate=False)
        self._draw()

    def action_escape(self) -> None:
        """Close the search, then forget what was sought, then leave."""
        if self.query_one("#search", Input).has_class("-shown"):
            self._close_search()
        elif self._sought:
            self._seek("")
            self._draw()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Back to the list."""
        self.dismiss(None)

    def _close_search(self) -> None:
        box = self.query_one("#search", Input)
        box.remove_class("-shown")
        self.set_focus(None)


def _marked(said: str, sought: str) -> Spans:
    """Return a line in which what was sought stands out."""
    said = text.clean(said.expandtabs())
    if not sought or sought.lower() not in said.lower():
        return [(said, "")]
    spans: Spans = []
    low, word, at = said.lower(), sought.lower(), 0
    while (found := low.find(word, at)) >= 0:
        spans += [(said[at:found], ""), (said[found : found + len(word)], "found")]
        at = found + len(word)
    return [*spans, (said[at:], "")]
