"""Cells of cuts: shares within a cell of the picture, lines that are one stay one, nobody without a cell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wezparallel.errors import RequestError
from wezparallel.frontends.wezterm.cells import arrange


def cut(of: str, pane: str, direction: str, share: float) -> dict[str, Any]:
    return {"of": of, "pane": pane, "direction": direction, "share": share}


def sizes(first: str, splits: list[dict[str, Any]], columns: int, rows: int) -> dict[str, tuple[int, int]]:
    """What each pane has in the end, if each cut gives so many cells to the new one."""
    found = {first: (columns, rows)}
    counts, ends = arrange(first, splits, (columns, rows))
    for split, cells in zip(splits, counts, strict=True):
        wide, high = found[split["of"]]
        if split["direction"] == "right":
            found[split["of"]], found[split["pane"]] = (wide - 1 - cells, high), (cells, high)
        else:
            found[split["of"]], found[split["pane"]] = (wide, high - 1 - cells), (wide, cells)
    assert found == ends
    return found


GRID = [cut("a", "b", "right", 0.3), cut("a", "c", "down", 0.2), cut("b", "d", "down", 0.5)]


def test_the_new_pane_has_its_share_of_the_whole() -> None:
    assert sizes("a", GRID, 120, 30) == {"a": (84, 24), "c": (84, 5), "b": (35, 15), "d": (35, 14)}


def test_columns_that_are_equal_in_the_picture_differ_by_a_cell_at_most() -> None:
    for count in range(2, 9):
        names = [f"p{number}" for number in range(count)]
        cuts = [cut(names[at], names[at + 1], "right", 1 - 1 / (count - at)) for at in range(count - 1)]
        for columns in range(60, 260, 7):
            widths = [wide for wide, _ in sizes("p0", cuts, columns, 30).values()]
            assert max(widths) - min(widths) <= 1
            assert sum(widths) + count - 1 == columns


def test_a_line_that_is_one_in_the_picture_is_one_on_the_screen() -> None:
    """Three of five above two of five: the lines at 2/5 lie above each other, whatever was cut before."""
    cuts = [
        cut("a", "x", "down", 0.5),
        cut("a", "b", "right", 4 / 5), cut("b", "c", "right", 3 / 4),
        cut("x", "y", "right", 3 / 5),
    ]  # fmt: skip
    for columns in range(20, 200):
        found = sizes("a", cuts, columns, 30)
        assert found["a"][0] + 1 + found["b"][0] == found["x"][0]


def test_everybody_keeps_a_cell_in_the_smallest_window() -> None:
    cuts = [cut("a", "b", "right", 0.999), cut("b", "c", "right", 0.001), cut("b", "d", "down", 0.001)]
    assert set(sizes("a", cuts, 5, 3).values()) == {(1, 3), (1, 1)}


@pytest.mark.parametrize("size", [(4, 3), (5, 2)])
def test_a_window_that_is_too_small_is_told(size: tuple[int, int]) -> None:
    cuts = [cut("a", "b", "right", 0.5), cut("b", "c", "right", 0.5), cut("b", "d", "down", 0.5)]
    with pytest.raises(RequestError, match="the tab of a needs 5 columns and 3 rows"):
        arrange("a", cuts, size)


@given(st.integers(9, 300), st.integers(9, 120), st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3))
def test_no_pane_is_without_a_cell_and_none_is_lost(columns: int, rows: int, shares: list[float]) -> None:
    cuts = [{**one, "share": share} for one, share in zip(GRID, shares, strict=True)]
    found = sizes("a", cuts, columns, rows)
    assert all(wide >= 1 and high >= 1 for wide, high in found.values())
    assert found["a"][0] + 1 + found["b"][0] == columns
    assert found["a"][1] + 1 + found["c"][1] == found["b"][1] + 1 + found["d"][1] == rows
