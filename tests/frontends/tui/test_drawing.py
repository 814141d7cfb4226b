"""Lines for a width."""

from __future__ import annotations

import pytest

from tests.frontends.tui.worlds import NOW, at, world
from tests.support.scripted_hub import process, workspace
from wezparallel.client import text
from wezparallel.frontends.tui import drawing, state
from wezparallel.frontends.tui.state import World


def lines(made: World, width: int) -> list[str]:
    rows = state.rows(made)
    sizes = drawing.columns(rows, made, width)
    return ["".join(said for said, _ in drawing.line(row, made, sizes, NOW)) for row in rows]


def one(**fields: object) -> World:
    made = World()
    made.snapshot([workspace("shop")], [process("shop/server", started_at=at(60), **fields)])
    return made


@pytest.mark.parametrize("width", [20, 40, 55, 56, 79, 80, 100, 119, 120, 160, 300])
def test_a_line_has_at_most_the_width(width: int) -> None:
    assert max(text.width(line) for line in lines(world(200), width)) <= width


def test_at_forty_columns_symbol_name_and_state_stay() -> None:
    assert lines(one(), 40)[1].split() == ["●", "server", "running"]


def test_from_eighty_columns_on_there_are_figures() -> None:
    made = one(cpu_percent=12.0)
    assert "12 %" not in lines(made, 79)[1]
    assert lines(made, 80)[1].split()[-4:] == ["12", "%", "96", "MB"]


def test_a_column_that_would_be_empty_is_not_drawn() -> None:
    wide = lines(one(cpu_percent=None, memory_bytes=None), 100)
    assert "cpu" not in wide[0]
    assert "–" not in wide[1]


def test_a_countdown_counts_and_how_often_it_came_back_is_never_cut() -> None:
    made = one(
        state="backoff", pid=None, exit_code=1, reason="exited 1, again in 18 s (5 of 10)", next_start_at=at(-7),
        restarts=5,
    )  # fmt: skip
    assert "exited 1, again in 7 s (5 of 10) · 5×" in lines(made, 120)[1]
    assert "· 5×" in lines(made, 80)[1]


def test_what_a_ready_one_serves_is_a_link_and_a_command_is_one_line() -> None:
    made = one(state="ready", health="http://localhost:5173")
    row = state.rows(made)[1]
    spans = drawing.line(row, made, drawing.columns([row], made, 100), NOW)
    assert ("link", "http://localhost:5173") in [(style, said.strip()) for said, style in spans]
    assert drawing.why(process(command="a\n  b\x1b[2J"), NOW) == "a b�[2J"


def test_bars_grow_with_what_was_used_and_unknown_is_a_gap() -> None:
    assert drawing.sparkline([0, 50, 100], 5) == "  ▁▅█"
    assert drawing.sparkline([None, 400.0, 100.0], 3) == " █▃"
    assert drawing.sparkline([], 3) == "   "


def test_both_ends_stand_and_the_left_one_gives_way() -> None:
    assert "".join(said for said, _ in drawing.spread([("left", "")], [("right", "")], 12)) == "left   right"
    assert "".join(said for said, _ in drawing.spread([("a long left", "")], [("right", "")], 10)) == "a lo…right"


def test_those_who_wait_stand_below_each_other() -> None:
    shown = ["".join(said for said, _ in spans) for spans in drawing.waiting_lines(state.waiting(world(20)), 78, NOW)]
    assert shown[0] == "! api/tests     2h  Which database should the tests use? 1 Postgres 2 SQLite"
    assert shown[1] == "! api/server    4m  Bash: npm publish"
