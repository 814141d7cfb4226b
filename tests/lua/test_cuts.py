"""Cells of a plan's panes: what is drawn is the picture, to the cell."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lua.fake import FakeWezterm
from wezparallel.hub.workspaces.layouts import Layout, compile_picture, read_picture, rectangles, tile, with_weights
from wezparallel.hub.workspaces.source import Mark

SIZES = ((80, 24), (120, 30), (237, 61), (41, 17))
PICTURES = {
    "two columns": (["a b"], (), ()),
    "two of different weight": (["a b"], (7, 3), ()),
    "rows": (["a", "b", "c"], (), (4, 4, 2)),
    "web": (["coder coder server", "coder coder tests", "log log log"], (2, 2, 3), (4, 4, 2)),
    "offset bricks": (["a a b e", "c d d e"], (), ()),
    "grid": (["a b c", "d e f", "g h i"], (), ()),
    "nested": (["a b b", "a c d", "a c e"], (1, 1, 1), (1, 2, 2)),
}


def compiled(rows: list[str], columns: tuple[float, ...] = (), heights: tuple[float, ...] = ()) -> Layout:
    picture = read_picture([(row, Mark(0, 0)) for row in rows])
    return compile_picture(with_weights(picture, columns, heights))


def tab_of(layout: Layout) -> dict[str, Any]:
    return {"first": layout.first, "splits": [split.model_dump() for split in layout.splits]}


def placed(wezterm: FakeWezterm, layout: Layout, cols: int, rows: int) -> Any:
    return wezterm.call(
        "local cuts = require 'wezparallel.cuts' local tab, cols, rows = ... tab.splits = tab.splits or {} "
        "return cuts.place((cuts.tree(tab)), cols, rows)",
        tab_of(layout), cols, rows,
    )  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_every_pane_is_within_a_cell_of_the_picture(wezterm: FakeWezterm, name: str) -> None:
    layout = compiled(*PICTURES[name])
    for cols, rows in SIZES:
        boxes = placed(wezterm, layout, cols, rows)
        for pane, (left, top, right, bottom) in rectangles(layout).items():
            # A pane owns its cells and the divider behind them.
            box = boxes[pane]
            assert abs(box["cols"] + 1 - (right - left) * (cols + 1)) <= 1
            assert abs(box["rows"] + 1 - (bottom - top) * (rows + 1)) <= 1
            assert abs(box["left"] - left * (cols + 1)) <= 0.5
            assert abs(box["top"] - top * (rows + 1)) <= 0.5


@pytest.mark.parametrize("count", [2, 5, 9, 12])
def test_panes_and_dividers_fill_the_tab_and_never_overlap(wezterm: FakeWezterm, count: int) -> None:
    boxes = placed(wezterm, compile_picture(tile([f"p{n}" for n in range(count)])), 101, 37)
    cells = [
        (column, row)
        for box in boxes.values()
        for column in range(box["left"], box["left"] + box["cols"])
        for row in range(box["top"], box["top"] + box["rows"])
    ]
    assert len(cells) == len(set(cells))
    owned = sum((box["cols"] + 1) * (box["rows"] + 1) for box in boxes.values())
    assert owned == 102 * 38


def test_edges_that_meet_in_the_picture_meet_on_the_screen(wezterm: FakeWezterm) -> None:
    layout = compiled(["a b c", "d d d", "e f g"], (), (1, 1, 1))
    boxes = placed(wezterm, layout, 100, 40)
    assert [boxes[name]["left"] for name in "bc"] == [boxes[name]["left"] for name in "fg"]


def test_a_heavy_weight_leaves_the_others_a_cell(wezterm: FakeWezterm) -> None:
    boxes = placed(wezterm, compiled(["a b c"], (1000, 1, 1)), 30, 10)
    assert [boxes[name]["cols"] for name in "abc"] == [26, 1, 1]


def test_no_place_is_given_where_there_is_no_room(wezterm: FakeWezterm) -> None:
    assert placed(wezterm, compiled(["a b c"]), 4, 10) is None
    assert placed(wezterm, compiled(["a b c"]), 5, 1)["b"] == {"left": 2, "top": 0, "cols": 1, "rows": 1}


def test_a_tree_without_some_panes_gives_their_room_to_the_others(wezterm: FakeWezterm) -> None:
    layout = compiled(["a b", "c d"])
    boxes = wezterm.call(
        "local cuts = require 'wezparallel.cuts' local gone = { a = true, c = true } "
        "local left = cuts.prune((cuts.tree(...)), function(name) return not gone[name] end) "
        "return cuts.place(left, 80, 25)",
        tab_of(layout),
    )
    assert boxes == {
        "b": {"left": 0, "top": 0, "cols": 80, "rows": 12},
        "d": {"left": 0, "top": 13, "cols": 80, "rows": 12},
    }


def test_a_plan_that_cuts_what_is_not_there_says_so(wezterm: FakeWezterm) -> None:
    tab = {"first": "a", "splits": [{"of": "x", "pane": "b", "direction": "right", "share": 0.5}]}
    code = "local ok, problem = pcall(require('wezparallel.cuts').tree, ...) return tostring(ok) .. problem"
    assert wezterm.call(code, tab) == 'falsethe plan cuts the pane "x", which it does not have yet'
