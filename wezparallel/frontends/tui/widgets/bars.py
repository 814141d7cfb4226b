"""The first line: who waits, what it all uses, is it so now; and the last line: the keys, which can be clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.client import text
from wezparallel.frontends.tui import drawing
from wezparallel.frontends.tui.widgets.painted import Painted

if TYPE_CHECKING:
    from textual import events

    from wezparallel.frontends.tui.drawing import Spans

KEYS = (
    ("enter", "open", "open"), ("a", "answer", "answer"), ("n", "next", "next_waiting"),
    ("r", "restart", "restart"), ("s", "stop", "stop"), ("l", "logs", "logs"), ("t", "new", "new"),
    ("/", "filter", "filter"), ("?", "help", "help"), ("q", "quit", "quit"),
)  # fmt: skip
_FIRST_LEFT_OUT = ("t", "/", "n", "a", "s", "l", "r", "enter")
"""Keys whose words go where there is no room; `?` and `q` stay."""


class TopBar(Painted):
    """The first line."""

    def __init__(self) -> None:
        super().__init__("top")

    def show(
        self, counts: list[tuple[str, str]], figures: list[list[str]], clock: str, fresh: tuple[str, str]
    ) -> None:
        """Draw it; where there is no room the last figures go first, then the clock, then the program's name."""
        width = self.size.width
        said: Spans = []
        for number, one in enumerate(counts):
            said += [(" · ", "dim")] * bool(number) + [one]
        ours, machine = figures
        for parts in ([*ours, *machine, clock], [*ours, clock], ours, [clock], []):
            right: Spans = [*said, *((f" · {part}", "dim") for part in parts), ("   ", ""), fresh, (" ", "")]
            if sum(text.width(word) for word, _ in right) + 14 <= width:
                self.show_lines([drawing.spread([(" wezparallel", "head")], right, width)])
                return
        self.show_lines([drawing.spread([(" ", ""), *said], [(" ", ""), fresh, (" ", "")], width)])


class KeyBar(Painted):
    """The last line."""

    def __init__(self) -> None:
        super().__init__("keys")
        self._places: list[tuple[int, int, str]] = []

    def show(self, left_out: str = "") -> None:
        """Draw as many keys as there is room for; those of `left_out` have nothing to act on."""
        keys = [one for one in KEYS if one[0] not in left_out.split()]
        for gone in ("", *_FIRST_LEFT_OUT):
            keys = [one for one in keys if one[0] != gone]
            if sum(len(key) + len(word) + 3 for key, word, _ in keys) <= self.size.width:
                break
        spans: Spans = [(" ", "")]
        self._places = []
        at = 1
        for key, word, action in keys:
            self._places.append((at, at + len(key) + 1 + len(word), action))
            spans += [(key, "key"), (f" {word}", "dim"), ("  ", "")]
            at += len(key) + 1 + len(word) + 2
        self.show_lines([spans])

    async def on_click(self, event: events.Click) -> None:
        """Do what was clicked."""
        for begin, end, action in self._places:
            if begin <= event.x < end:
                await self.app.run_action(action)
