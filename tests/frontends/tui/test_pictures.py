"""The dashboard drawn at three sizes over four worlds, as text. `WEZPARALLEL_PICTURES=write` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest

from tests.frontends.tui.worlds import NOW, drawn, picture, settle, world
from wezparallel.frontends.tui.app import Dashboard

FOLDER = Path(__file__).with_name("pictures")
SIZES = ((40, 12), (80, 24), (200, 60))
COUNTS = (0, 1, 20, 200)


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("count", COUNTS)
def test_the_dashboard_looks_as_it_did(count: int, size: tuple[int, int]) -> None:
    shown, _ = drawn(world(count), size)
    kept = FOLDER / f"{count}-{size[0]}x{size[1]}.txt"
    if os.environ.get("WEZPARALLEL_PICTURES") == "write":
        kept.write_text(shown)
    assert shown == kept.read_text()


@pytest.mark.usefixtures("utc")
@pytest.mark.parametrize("look", ["dark", "light", "16"])
def test_every_theme_says_the_same_words(look: str) -> None:
    shown, _ = drawn(world(20), (80, 24), look=look)
    assert shown == (FOLDER / "20-80x24.txt").read_text()


@pytest.mark.parametrize("size", [(60, 15), (120, 40), (300, 100)])
def test_no_line_is_longer_than_the_screen_and_the_first_and_last_are_the_bars(size: tuple[int, int]) -> None:
    lines = drawn(world(200), size)[0].splitlines()
    assert len(lines) == size[1]
    assert max(map(len, lines)) <= size[0]
    assert "live" in lines[0]
    assert "q quit" in lines[-1]
    assert "coder" in "\n".join(lines)


@pytest.mark.usefixtures("utc")
def test_a_window_that_changes_its_size_looks_as_if_it_always_had_it() -> None:
    app = Dashboard(world=world(20), clock=lambda: NOW, look="dark")

    async def main() -> str:
        async with app.run_test(size=(200, 60)) as pilot:
            await settle(pilot, app)
            for size in ((80, 24), (40, 12)):
                await pilot.resize_terminal(*size)
                await settle(pilot, app)
            return picture(app)

    assert anyio.run(main) == (FOLDER / "20-40x12.txt").read_text()
