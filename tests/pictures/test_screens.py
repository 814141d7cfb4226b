"""A person looks at a program in a window; who asks for its screen instead gets the same picture, cell by cell."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.pictures.held import ALL, KEYS, LINES, VIM, Program
from tests.pictures.window import Window
from tests.support.viewing import HeldKeeper
from wezparallel.hub.screens.replaying import Replay
from wezparallel.wire import colours
from wezparallel.wire.grid import BOLD, DEFAULT, REVERSE
from wezparallel.wire.logreader import LogReader

Run = Callable[..., None]
Opens = Callable[..., Window]
Cells = list[list[tuple[str, bool, bool, bool]]]


@pytest.fixture
def replay() -> Replay:
    """What the log of the one process shows, as far as it has come at each `play`."""
    return Replay()


def play(keeper: HeldKeeper, replay: Replay) -> None:
    reader = LogReader(os, str(keeper.home / "state" / "wezterm-parallel" / "logs" / "w%2Fit"))
    assert replay.catch_up(reader)
    reader.close()


def cells_of(replay: Replay) -> Cells:
    """Return of each cell its text, and whether it is bold, reversed, or has a background."""
    grid = replay.terminal.grid
    return [
        [(text, bool(flags & BOLD), bool(flags & REVERSE), behind != DEFAULT)
         for text, (_, behind, flags) in zip(texts, styles, strict=True)]
        for texts, styles in zip(grid.texts, grid.styles, strict=True)
    ]  # fmt: skip


def seen_in(window: Window) -> Cells:
    return [
        [(cell.data, cell.bold and cell.data != " ", cell.reverse, cell.bg != "default") for cell in row]
        for row in window.picture.cells
    ]


def without_bold_spaces(cells: Cells) -> Cells:
    return [[(text, bold and text != " ", *rest) for text, bold, *rest in row] for row in cells]


@pytest.mark.parametrize("program", [*ALL, LINES, KEYS], ids=lambda program: program.name)
def test_the_screen_is_what_a_window_shows(
    keeper: HeldKeeper, window: Opens, run: Run, replay: Replay, program: Program
) -> None:
    first = window()
    run(program, first)
    first.settle()
    play(keeper, replay)
    assert without_bold_spaces(cells_of(replay)) == seen_in(first)
    terminal = replay.terminal
    assert terminal.alternate == first.screen.alternate
    assert terminal.cursor == (first.screen.cursor.y, min(first.screen.cursor.x, 79))
    assert terminal.cursor_visible == (first.picture.cursor is not None)
    assert replay.is_whole


def test_it_follows_a_window_that_takes_another_size(
    keeper: HeldKeeper, window: Opens, run: Run, replay: Replay
) -> None:
    first = window()
    run(VIM, first)
    first.settle()
    play(keeper, replay)
    other = window(33, 101)
    other.open(keeper, "w/it")
    other.settle()
    other.type(b"x")
    other.settle()
    play(keeper, replay)
    assert (replay.terminal.rows, replay.terminal.columns) == (33, 101)
    assert without_bold_spaces(cells_of(replay)) == seen_in(other)


def test_colours_are_those_that_the_program_chose(
    keeper: HeldKeeper, window: Opens, run: Run, replay: Replay
) -> None:
    first = window()
    run(LINES, first)
    first.settle()
    play(keeper, replay)
    names = [colours.name(styles[0][0]) for styles in replay.terminal.grid.styles[:3]]
    assert names == ["red", "green", "yellow"]
