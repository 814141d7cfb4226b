"""Pictures to cuts, and back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import layouts
from wezparallel.hub.workspaces.drawing import draw
from wezparallel.hub.workspaces.layouts import Layout, Picture, compile_picture, read_picture, redraw, tile
from wezparallel.hub.workspaces.source import Mark, Source, cells

Grid = layouts.Grid


def written(text: str, columns: Sequence[float] = (), rows: Sequence[float] = ()) -> Picture:
    """Return a picture as a file named `t.yaml` would have it."""
    lines = text.split("\n")
    picture = read_picture([(line, Mark(number, 1)) for number, line in enumerate(lines, 1)], Source("t.yaml", text))
    return layouts.with_weights(picture, tuple(columns), tuple(rows))


def compiled(text: str, columns: Sequence[float] = (), rows: Sequence[float] = ()) -> Layout:
    return compile_picture(written(text, columns, rows))


def failure(text: str, columns: Sequence[float] = (), rows: Sequence[float] = ()) -> RequestError:
    with pytest.raises(RequestError) as caught:
        compile_picture(written(text, columns, rows))
    assert caught.value.code == "template.layout"
    return caught.value


def cuts(layout: Layout) -> list[tuple[str, str, str, float]]:
    return [(one.of, one.pane, one.direction, round(one.share, 4)) for one in layout.splits]


@st.composite
def straight_cuts(pick: st.DrawFn) -> tuple[Grid, list[float], list[float]]:
    """A grid made by cutting rectangles in two, with weights for its columns and rows."""
    width, height = pick(st.integers(1, 7)), pick(st.integers(1, 7))
    cells_of = [[""] * width for _ in range(height)]
    names = iter(f"p{number}" for number in range(100))

    def fill(top: int, bottom: int, left: int, right: int) -> None:
        ways = [("right", line) for line in range(left + 1, right)] + [
            ("down", line) for line in range(top + 1, bottom)
        ]
        if not ways or not pick(st.integers(0, 4)):
            name = next(names)
            for row in range(top, bottom):
                for column in range(left, right):
                    cells_of[row][column] = name
            return
        direction, line = pick(st.sampled_from(ways))
        if direction == "right":
            fill(top, bottom, left, line)
            fill(top, bottom, line, right)
        else:
            fill(top, line, left, right)
            fill(line, bottom, left, right)

    fill(0, height, 0, width)
    weight = st.sampled_from([0.001, 0.5, 1.0, 2.0, 3.0, 7.0, 1000.0])
    columns = pick(st.lists(weight, min_size=width, max_size=width))
    rows = pick(st.lists(weight, min_size=height, max_size=height))
    return tuple(tuple(line) for line in cells_of), columns, rows


@settings(deadline=None)
@given(straight_cuts())
def test_every_picture_made_by_straight_cuts_compiles_and_its_cuts_draw_it_again(
    made: tuple[Grid, list[float], list[float]],
) -> None:
    grid, columns, rows = made
    layout = compile_picture(Picture(grid, tuple(columns), tuple(rows)))
    assert redraw(layout, columns, rows) == grid
    assert len(layout.splits) == len({name for line in grid for name in line}) - 1


@settings(deadline=None)
@given(straight_cuts())
def test_every_pane_has_its_share_of_the_weights(made: tuple[Grid, list[float], list[float]]) -> None:
    grid, columns, rows = made
    for name, (left, top, right, bottom) in layouts.rectangles(
        compile_picture(Picture(grid, tuple(columns), tuple(rows)))
    ).items():
        own_columns = {c for line in grid for c, one in enumerate(line) if one == name}
        own_rows = {r for r, line in enumerate(grid) if name in line}
        assert right - left == pytest.approx(sum(columns[c] for c in own_columns) / sum(columns), rel=1e-6, abs=1e-9)
        assert bottom - top == pytest.approx(sum(rows[r] for r in own_rows) / sum(rows), rel=1e-6, abs=1e-9)


@settings(deadline=None)
@given(straight_cuts(), st.integers(1, 90))
def test_a_drawing_is_a_rectangle_and_names_every_pane_that_has_room(
    made: tuple[Grid, list[float], list[float]], width: int
) -> None:
    drawn = draw(compile_picture(Picture(made[0])), {"p0": "ünïcode 日本語の長い名前 x́"}, width).split("\n")
    assert len({cells(line) for line in drawn}) == 1
    assert cells(drawn[0]) >= width
    assert drawn[0][0] == "┌"
    assert drawn[-1][-1] == "┘"


def in_cells(layout: Layout, width: int, height: int) -> dict[str, tuple[int, int, int, int, int]]:
    """Cut a terminal as a program that knows only whole cells does; the last figure is how many cuts made a pane."""
    found = {layout.first: (0, 0, width, height, 0)}
    for split in layout.splits:
        left, top, right, bottom, cuts_ = found[split.of]
        if split.direction == "right":
            line = right - round((right - left) * split.share)
            found[split.of] = (left, top, line, bottom, cuts_ + 1)
            found[split.pane] = (line, top, right, bottom, cuts_ + 1)
        else:
            line = bottom - round((bottom - top) * split.share)
            found[split.of] = (left, top, right, line, cuts_ + 1)
            found[split.pane] = (left, line, right, bottom, cuts_ + 1)
    return found


@settings(deadline=None)
@given(straight_cuts(), st.integers(40, 400), st.integers(12, 100))
def test_on_a_screen_of_any_size_the_cuts_draw_the_same_picture_within_rounding(
    made: tuple[Grid, list[float], list[float]], width: int, height: int
) -> None:
    grid, columns, rows = made
    layout = compile_picture(Picture(grid, tuple(columns), tuple(rows)))
    boxes = in_cells(layout, width, height)
    across = [width * sum(columns[:n]) / sum(columns) for n in range(len(columns) + 1)]
    down = [height * sum(rows[:n]) / sum(rows) for n in range(len(rows) + 1)]
    for name, (left, top, right, bottom, cuts_) in boxes.items():
        own_columns = [c for line in grid for c, one in enumerate(line) if one == name]
        own_rows = [r for r, line in enumerate(grid) if name in line]
        ideal = (across[min(own_columns)], down[min(own_rows)], across[max(own_columns) + 1], down[max(own_rows) + 1])
        off = max(abs(is_ - should) for is_, should in zip((left, top, right, bottom), ideal, strict=True))
        assert off <= 0.5 * cuts_ + 1e-6  # each cut rounds once
    assert sum((r - x) * (b - y) for x, y, r, b, _ in boxes.values()) == width * height


def can_be_cut(grid: Grid) -> bool:
    """Say by brute force whether straight cuts can make a grid: each area whole, and a line at every step."""
    names = {name for line in grid for name in line}
    if len(names) == 1:
        return True
    for line in range(1, len(grid)):
        if not set(sum(grid[:line], ())) & set(sum(grid[line:], ())):
            return can_be_cut(grid[:line]) and can_be_cut(grid[line:])
    for line in range(1, len(grid[0])):
        left, right = tuple(row[:line] for row in grid), tuple(row[line:] for row in grid)
        if not set(sum(left, ())) & set(sum(right, ())):
            return can_be_cut(left) and can_be_cut(right)
    return False


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(st.sampled_from("abcde"), min_size=n, max_size=n),
                                                    min_size=1, max_size=4)))  # fmt: skip
def test_a_picture_compiles_exactly_if_straight_cuts_can_make_it(rows: list[list[str]]) -> None:
    grid = tuple(map(tuple, rows))
    failed: RequestError | None = None
    try:
        layout = compile_picture(Picture(grid))
    except RequestError as error:
        failed = error
    if failed is not None:
        assert failed.code == "template.layout"
        assert not can_be_cut(grid)
    else:
        assert can_be_cut(grid)
        assert redraw(layout, [1] * len(grid[0]), [1] * len(grid)) == grid


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcd."), max_size=4), max_size=4))
def test_any_other_picture_is_refused_with_a_layout_error(rows: list[list[str]]) -> None:
    failed: RequestError | None = None
    try:
        picture = written("\n".join(" ".join(row) for row in rows))
        layout = compile_picture(picture)
    except RequestError as error:
        failed = error
    if failed is None:
        assert redraw(layout, [1] * len(picture.grid[0]), [1] * len(picture.grid)) == picture.grid
    else:
        assert failed.code == "template.layout"
        assert failed.message.startswith("t.yaml:")


def test_the_picture_of_the_design_becomes_three_cuts_in_order() -> None:
    layout = compiled("coder coder server\ncoder coder tests\nlog log log", columns=[2, 2, 3], rows=[4, 4, 2])
    assert layout.first == "coder"
    assert cuts(layout) == [
        ("coder", "log", "down", 0.2), ("coder", "server", "right", 0.4286), ("server", "tests", "down", 0.5),
    ]  # fmt: skip
    assert layout.panes == ("coder", "log", "server", "tests")


def test_several_columns_are_cut_from_the_left_each_from_the_rest() -> None:
    assert cuts(compiled("a b c d")) == [
        ("a", "b", "right", 0.75), ("b", "c", "right", 0.6667), ("c", "d", "right", 0.5),
    ]  # fmt: skip


def test_where_both_are_possible_columns_are_cut_first() -> None:
    assert [cut[2] for cut in cuts(compiled("a b\nc d"))] == ["right", "down", "down"]


def test_one_pane_needs_no_cut() -> None:
    assert compiled("a a\na a") == Layout("a", ())


def test_blank_lines_and_tabs_between_names_are_passed_over() -> None:
    assert cuts(compiled("\na\tb\n\n\ta \t b\n\n")) == [("a", "b", "right", 0.5)]


def test_extreme_weights_still_give_shares_between_nothing_and_all() -> None:
    for split in compiled("a b c", columns=[1000, 0.001, 1000]).splits:
        assert 0 < split.share < 1


def test_pieces_that_do_not_touch_are_told_with_all_of_them_marked() -> None:
    error = failure("coder  coder  server\ntests  coder  tests")
    assert error.message.split("\n") == [
        "t.yaml:2:1: the area 'tests' is not one block",
        "",
        "    1 │ coder  coder  server",
        "    2 │ tests  coder  tests",
        "      │ ^^^^^         ^^^^^",
        "An area has to be a rectangle. Two panes that run the same need two names, such as 'tests' and 'tests-2'; "
        "known are: coder, server, tests.",
    ]
    assert (error.data["file"], error.data["line"], error.data["column"]) == ("t.yaml", 2, 1)


def test_an_area_with_a_corner_missing_is_torn_too() -> None:
    error = failure("a a\na b")
    assert "t.yaml:1:1: the area 'a' is not a rectangle" in error.message
    assert error.data["excerpt"] == "    1 │ a a\n      │ ^ ^\n    2 │ a b\n      │ ^"


def test_a_gap_is_told_with_the_names_that_could_stand_there() -> None:
    error = failure("a a b\na a ..")
    assert error.message.startswith("t.yaml:2:5: the picture has a gap\n")
    assert error.data["excerpt"] == "    1 │ a a b\n    2 │ a a ..\n      │     ^^"
    assert error.message.endswith("known are: a, b.")


def test_a_pinwheel_is_refused_and_all_of_it_is_marked() -> None:
    error = failure("x x x\na a b\nc e b\nc d d")
    assert error.message.startswith("t.yaml:2:1: no straight cut can part 'a', 'b', 'c', 'e', 'd'\n")
    assert error.data["excerpt"].count("^") == 9
    assert "      │ ^ ^ ^\n    3 │ c e b" in error.data["excerpt"]


def test_a_pinwheel_without_a_middle_is_refused_like_any_other() -> None:
    assert "no straight cut" in failure("a a a b\nc d d b\nc e e b\nc f f f").message


def test_ragged_rows_are_refused_with_both_lengths() -> None:
    error = failure("a b\na b c")
    assert error.message.startswith("t.yaml:2:1: this row has 3 columns, the first has 2 columns\n")
    assert "this row has 1 column, the first" in failure("a b\nc").message


def test_an_empty_picture_is_refused() -> None:
    assert failure(" \n\t\n").message.startswith("t.yaml:1:1: the picture is empty\n")
    with pytest.raises(RequestError, match=r"^the picture is empty\. Write the names"):
        compile_picture(Picture(()))


def test_a_wrong_number_of_weights_names_both_numbers() -> None:
    assert "`columns` has 1 weight, the picture has 2 columns" in failure("a b", columns=[1]).message
    assert "`rows` has 3 weights, the picture has 1 row" in failure("a b", rows=[1, 2, 3]).message


@pytest.mark.parametrize(
    "text",
    [
        " ".join(["a"] * 65),
        "\n".join(["a"] * 65),
        "\n".join(" ".join(f"p{row}x{column}" for column in range(9)) for row in range(8)),
    ],
)
def test_a_picture_too_large_for_any_screen_is_refused(text: str) -> None:
    assert "the picture is too large" in failure(text).message


def test_the_largest_picture_is_compiled() -> None:
    text = "\n".join(" ".join(f"p{row // 8}x{column // 8}" for column in range(64)) for row in range(64))
    assert len(compiled(text).panes) == 64


def test_a_very_long_line_is_drawn_in_part_and_a_tall_error_is_cut() -> None:
    error = failure("ok\n" + " ".join(["name"] * 9_000))
    assert all(cells(line) < 120 for line in error.message.split("\n"))
    tall = failure("\n".join(["a b a"] * 40))
    assert "… │ and 28 more lines" in tall.message
    wide = failure("x " * 60 + "a b a\n" + "x " * 60 + "a b a")
    assert "1 │ …" in wide.message


def test_marks_beyond_the_drawn_part_of_a_wide_line_are_left_out() -> None:
    error = failure("a " + "日本語" * 15 + " " + "b " * 30 + "\nb")
    assert all(cells(line) < 120 for line in error.message.split("\n"))
    wide = failure("日" * 45 + " " + "本" * 10 + " c\n" + "日" * 45 + " c x y")
    assert all(cells(line) < 120 for line in wide.message.split("\n"))


def test_lines_between_marks_far_apart_are_left_out() -> None:
    error = failure("\n".join(["a b", *["c d"] * 5, "a b"]))
    assert "    1 │ a b\n      │ ^\n    … │\n    7 │ a b\n      │ ^" in error.message


def test_names_match_in_the_panes_own_spelling() -> None:
    picture = layouts.match_names(written("dev_server cafe\u0301"), ["dev-server", "caf\u00e9"])
    assert picture.grid == (("dev-server", "caf\u00e9"),)


def test_an_unknown_name_is_told_with_the_nearest_and_all_that_are_known() -> None:
    with pytest.raises(RequestError) as caught:
        layouts.match_names(written("server sever sever"), ["server", "tests"])
    assert caught.value.message.startswith("t.yaml:1:8: no pane is called 'sever'\n")
    assert caught.value.data["excerpt"].endswith("│        ^^^^^ ^^^^^")
    assert caught.value.message.endswith("Did you mean 'server'? Known are: server, tests.")


def test_without_any_pane_the_error_says_that_none_is_known() -> None:
    with pytest.raises(RequestError, match="None is known"):
        layouts.match_names(written("a"), [])


def test_a_gap_is_left_to_the_compiler_when_names_are_matched() -> None:
    assert layouts.match_names(written("a ."), ["a"]).grid == (("a", "."),)


def test_wide_names_are_marked_over_all_their_cells() -> None:
    error = failure("日本 日本\n日本 b")
    assert error.data["excerpt"] == "    1 │ 日本 日本\n      │ ^^^^ ^^^^\n    2 │ 日本 b\n      │ ^^^^"


def test_tiles_are_one_two_side_by_side_one_and_two_then_a_grid() -> None:
    assert cuts(compile_picture(tile(["a"]))) == []
    assert cuts(compile_picture(tile(["a", "b"]))) == [("a", "b", "right", 0.5)]
    assert cuts(compile_picture(tile(["a", "b", "c"]))) == [("a", "b", "right", 0.5), ("b", "c", "down", 0.5)]
    assert tile(["a", "b", "c", "d"]).grid == (("a", "c"), ("b", "d"))


@pytest.mark.parametrize("count", range(1, 65))
def test_any_number_of_tiles_compiles_and_keeps_the_order(count: int) -> None:
    names = [f"p{number:02}" for number in range(count)]
    picture = tile(names)
    assert set(compile_picture(picture).panes) == set(names)
    down_the_columns = [name for column in zip(*picture.grid, strict=True) for name in column]
    assert list(dict.fromkeys(down_the_columns)) == names


def test_a_layout_is_drawn_as_boxes_with_name_and_command() -> None:
    layout = compiled("coder server\ncoder tests", columns=[4, 3])
    labels = {"coder": "claude", "server": "npm run dev", "tests": "npm test"}
    assert draw(layout, labels, 43).split("\n") == [
        "┌ coder ────────────────┬ server ─────────┐",
        "│ claude                │ npm run dev     │",
        "│                       ├ tests ──────────┤",
        "│                       │ npm test        │",
        "└───────────────────────┴─────────────────┘",
    ]


def test_a_picture_is_drawn_as_its_cuts_are() -> None:
    assert draw(written("a b\nc d"), {}, 21) == (
        "┌ a ──────┬ b ──────┐\n│         │         │\n├ c ──────┼ d ──────┤\n│         │         │\n"
        "└─────────┴─────────┘"
    )


def test_a_label_too_long_is_cut_at_its_end_and_cannot_steer_the_terminal() -> None:
    drawn = draw(compiled("a b"), {"a": "\x1b]0;x\x07 and much more text", "b": "日本語日本語"}, 21)
    assert drawn.split("\n")[1] == "│ ·]0;x·… │ 日本語… │"


def test_a_narrow_drawing_grows_and_leaves_names_out_where_there_is_no_room() -> None:
    assert draw(compiled("a b"), {"a": "xyz"}, 3).split("\n")[:2] == ["┌───┬───┐", "│ … │   │"]


def test_a_combining_sign_stays_on_its_letter() -> None:
    assert draw(compiled("a"), {"a": "x\u0301y 日\u0301"}, 12).split("\n")[1] == "│ x\u0301y 日\u0301    │"
