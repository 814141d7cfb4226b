"""A keeper, windows and programs for each test of pictures."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pictures.held import Program
from tests.pictures.window import Window
from tests.support.viewing import HeldKeeper, held_keeper

Opens = Callable[..., Window]


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[HeldKeeper]:
    """A real keeper, without a hub of its own."""
    with held_keeper(tmp_path) as held:
        yield held


@pytest.fixture
def window() -> Iterator[Opens]:
    """Open windows of any size; all are closed at the end."""
    opened: list[Window] = []

    def make(rows: int = 24, columns: int = 80) -> Window:
        opened.append(Window(rows, columns))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def run(keeper: HeldKeeper, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Start a program in a folder of its own, and use it in a window up to where a picture is taken."""
    homes: list[Path] = []

    def start(program: Program, window: Window, name: str = "w/it") -> None:
        homes.append(tmp_path / name.replace("/", "-"))
        program.start(keeper, homes[-1], name, (window.screen.lines, window.screen.columns))
        window.open(keeper, name)
        for typed, seen in program.steps:
            if typed:
                window.type(typed)
            window.sees(seen)

    yield start
    for home in homes:
        # tmux's server has left the tree that the keeper ends.
        if any(home.glob("tmux-*")):
            subprocess.run(
                ["tmux", "-L", "pictures", "kill-server"], env={"TMUX_TMPDIR": str(home), "PATH": "/usr/bin:/bin"},
                check=False, capture_output=True,
            )  # fmt: skip
