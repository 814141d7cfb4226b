"""The dashboard: what runs and who needs you on one screen, for WezTerm's control pane and for any terminal.

It holds no state of its own but the cursor and the filter: state.py has what is known, connection.py keeps that
true, drawing.py makes lines of it, the widgets show them. Here is when to draw, what has room, and what a key means.
"""

from __future__ import annotations

import datetime
import os
import time
from typing import TYPE_CHECKING, ClassVar

import anyio
from textual.binding import Binding
from textual.widgets import Input

from wezparallel.errors import WezparallelError
from wezparallel.frontends.tui import colours, state
from wezparallel.frontends.tui.acting import Acting
from wezparallel.frontends.tui.connection import Connection
from wezparallel.frontends.tui.state import World
from wezparallel.frontends.tui.widgets.bars import KeyBar, TopBar
from wezparallel.frontends.tui.widgets.board import Board
from wezparallel.frontends.tui.widgets.peek import Peek
from wezparallel.frontends.tui.widgets.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.timer import Timer

    from wezparallel.frontends.tui.drawing import Spans

SOON_S = 0.03
"""How long a first change waits for others that belong to it."""
BETWEEN_S = 0.2
"""Between two drawings in a storm of changes."""
STILL_S = 1.5
"""How long nothing moves under the cursor after a key."""
LOOK_S, LONGEST_LOOK_S = 0.3, 1.5
"""Between two looks at a screen that changes, and at one that does not."""
LEISURE = 4
"""So many times as long as a look takes, none is taken."""
FACTS_AT = 80  # columns from which on there are figures and the lower box
SHORT = 18  # rows below which there are no boxes
MOST_LOOKED_AT = 20  # rows of the lower box where the list could use them

EMPTY = """\
Nothing runs yet.

  t                         a new workspace from a template
  wezparallel up            open a workspace here
  wezparallel run -- CMD    keep one command, come back to it later"""
EMPTY_NARROW = """\
Nothing runs yet.

  t   a workspace from a template

In a shell:
  wezparallel up
  wezparallel run -- CMD"""


class Dashboard(Acting):
    """The app."""

    CSS_PATH = "style.tcss"
    TITLE = "wezparallel"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c,ctrl+q", "quit", "quit", priority=False),
        ("enter", "open", "open"), ("a", "answer", "answer"), ("n", "next_waiting", "next waiting"),
        ("r", "restart", "restart"), ("s", "stop", "stop"), ("l", "logs", "logs"), ("t", "new", "new"),
        ("slash", "filter", "filter"), ("question_mark", "help", "help"), ("T", "look", "theme"),
        ("escape", "all", "all again"),
        ("j,down", "step(1)", "down"), ("k,up", "step(-1)", "up"),
        ("right", "step_workspace(1)", "next workspace"), ("left,h", "step_workspace(-1)", "workspace before"),
        ("pagedown,ctrl+f", "page(1)", "page down"), ("pageup,ctrl+b", "page(-1)", "page up"),
        ("g,home", "step(-100000)", "first"), ("G,end", "step(100000)", "last"),
    ]  # fmt: skip

    def __init__(
        self, socket: str | None = None, look: str = "", *, wanted: str = "", world: World | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """`wanted` is a filter to begin with; `world` is one that nobody follows: a picture, for tests."""
        super().__init__()
        self.socket = socket
        self._asked_look = look
        self.look = look or colours.fitting(os.environ)
        self.world = world or World()
        self._clock = clock
        self._follows = world is None
        self.connection = Connection(socket, self.world, self.changed, clock)
        self.top, self.waiting, self.board, self.peek, self.keys = TopBar(), Waiting(), Board(), Peek(), KeyBar()
        self.words = Input(id="filter", placeholder="only what has these words")
        self._wanted = wanted
        self._drawn_at = 0.0
        self._drawing: Timer | None = None
        self._pressed_at = 0.0
        self._looked = anyio.Event()
        for name in colours.NAMES:
            self.register_theme(colours.theme(name))
        self.theme = colours.theme(self.look).name

    def compose(self) -> ComposeResult:
        """Put the parts below each other."""
        yield self.top
        yield self.waiting
        yield self.board
        yield self.peek
        yield self.words
        yield self.keys

    def on_mount(self) -> None:
        """Begin to follow."""
        self.board.focus()
        self.call_after_refresh(self.draw)
        self.set_interval(1.0, self.changed)
        if self._follows:
            self.run_worker(self.connection.run(), group="link")
            self.run_worker(self._look_at_screens(), group="link")
            self.run_worker(self._take_configured_look(), group="link")

    @property
    def selected(self) -> str:
        """Return the id of the process under the cursor; empty if there is none."""
        return self.board.selected

    def choose(self, process_id: str) -> None:
        """Put the cursor on a process; a filter that hides it is taken away."""
        if self._wanted and all(row.key != process_id for row in self.board.rows):
            self._filter("")
        self.board.select(process_id)
        self.draw()

    # When to draw

    def changed(self) -> None:
        """Draw soon: the first change almost at once, those of a storm together."""
        if self._drawing is None and self.is_running:
            since = time.monotonic() - self._drawn_at
            self._drawing = self.set_timer(max(SOON_S, BETWEEN_S - since), self.draw)

    def draw(self) -> None:
        """Draw what is known now."""
        if self._drawing is not None:
            self._drawing.stop()
            self._drawing = None
        self._drawn_at = time.monotonic()
        if len(self.screen_stack) != 1 or not self.board.is_mounted:
            return  # something lies over it
        world, now = self.world, self._clock()
        still = time.monotonic() - self._pressed_at < STILL_S
        rows = state.rows(world, self._wanted, [row.key for row in self.board.rows] if still else ())
        self._share_room(len(rows))
        clock = datetime.datetime.fromtimestamp(now).astimezone().strftime("%H:%M:%S")
        self.top.show(
            state.counts(world), [state.figures(world), state.machine(world)], clock, state.freshness(world, now)
        )  # fmt: skip
        self.board.show(rows, world, now, self._empty())
        if self.peek.display and not self.board.selected:
            self.peek.show("", None, "")
        self.keys.show("" if world.processes else "enter a n r s l /")

    def _share_room(self, lines: int) -> None:
        """Give each part its height; the lower box has what the list leaves."""
        width, height = self.size
        world = self.world
        has_boxes = height >= SHORT
        room = max(1, min(5, height // 8)) if has_boxes else int(height >= 8)
        self.waiting.show(
            state.waiting(world), self._clock(), (width, room), boxed=has_boxes, faded=world.away_since is not None
        )  # fmt: skip
        self.peek.display = width >= FACTS_AT and has_boxes and bool(world.processes)
        bars = 2 + self.words.has_class("-shown")
        left = height - bars - self.waiting.rows - lines
        self.peek.styles.height = max(min(MOST_LOOKED_AT, max(7, height // 3)), left)

    def _empty(self) -> list[Spans]:
        if self.world.processes and self._wanted:
            said = f"Nothing has {self._wanted!r} in it; esc shows all."
        elif not self.world.is_known:
            said = "Asking the daemon." if self.world.away_since is None else "The daemon does not answer."
        else:
            said = EMPTY if self.size.width >= FACTS_AT else EMPTY_NARROW
        return [[(f" {line}", "")] for line in said.splitlines()]

    def on_resize(self) -> None:
        """Draw for the new size, which the parts have a moment later."""
        self.call_after_refresh(self.draw)

    def on_screen_resume(self) -> None:
        """Draw what went on below a self.words."""
        self.call_after_refresh(self.draw)

    # The lower box

    async def _look_at_screens(self) -> None:
        pause_s = LOOK_S
        while True:
            process_id = self.selected
            if self.peek.display and process_id and self.world.away_since is None and len(self.screen_stack) == 1:
                begin = time.monotonic()
                changed = await self._look_at(process_id)
                # What takes long to draw, a flood, is looked at less often.
                at_least_s = max(LOOK_S, LEISURE * (time.monotonic() - begin))
                pause_s = at_least_s if changed else max(at_least_s, min(pause_s * 1.5, LONGEST_LOOK_S))
            self._looked = anyio.Event()
            with anyio.move_on_after(pause_s):
                await self._looked.wait()
                pause_s = LOOK_S

    async def _look_at(self, process_id: str) -> bool:
        """Show the screen of a process; tell whether it has changed."""
        run_id = self.world.processes.get(process_id, {}).get("run_id")
        seen = self.peek.seen if self.peek.process_id == process_id and self.peek.run_id == run_id else None
        try:
            picture = await self.connection.call("ProcessScreen", process=process_id, format="json", seen=seen)
        except WezparallelError as error:
            if process_id == self.selected:
                self.peek.show(process_id, None, error.message)
            return False
        if process_id == self.selected and picture.get("lines") is not None:
            self.peek.show(process_id, picture)
            return True
        return False

    # Keys and clicks

    def on_key(self) -> None:
        """Let nothing move under the cursor for a moment."""
        self._pressed_at = time.monotonic()

    def action_step(self, by: int) -> None:
        """Move the cursor over processes."""
        self.board.step(by)

    def action_step_workspace(self, by: int) -> None:
        """Move the cursor over workspaces."""
        self.board.step_workspace(by)

    def action_page(self, by: int) -> None:
        """Move the cursor by a screen."""
        self.board.step(by * self.board.page)

    def action_filter(self) -> None:
        """Ask which words."""
        self.words.value = self._wanted
        self.words.add_class("-shown")
        self.words.focus()

    def action_all(self) -> None:
        """Show all again."""
        self._filter("")

    async def _take_configured_look(self) -> None:
        """Take the theme of the configuration, unless the command line names one."""
        if self._asked_look:
            return
        try:
            values = (await self.connection.call("ConfigGet"))["values"]
        except WezparallelError:
            return
        said = [one["value"] for one in values if one["option"] == "ui.theme" and one["origin"] != "default"]
        if said and said[0] in colours.NAMES:
            self._take_look(said[0])

    def action_look(self) -> None:
        """Take the next theme."""
        names = colours.NAMES
        self._take_look(names[(names.index(self.look) + 1) % len(names)])

    def _take_look(self, name: str) -> None:
        self.look = name
        self.theme = colours.theme(self.look).name
        for widget in self.screen.query("*"):
            widget.refresh()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        if event.input.id == "filter" and event.input.has_class("-shown"):
            self._wanted = event.value
            self.draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter."""
        if event.input.id == "filter":
            self._filter(event.value)

    def _filter(self, wanted: str) -> None:
        self._wanted = wanted
        self.words.remove_class("-shown")
        self.board.focus()
        self.draw()

    def on_board_moved(self) -> None:
        """Look at the other one's screen."""
        self._looked.set()

    def on_board_opened(self) -> None:
        """Two clicks open."""
        self.action_open()

    def on_waiting_chosen(self, event: Waiting.Chosen) -> None:
        """Go to it."""
        self.choose(event.process_id)
        if event.twice:
            self.action_open()
