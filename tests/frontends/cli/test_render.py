"""Tables: plain into a pipe, cut on a terminal, the name and the state at any width."""

from __future__ import annotations

import io

import pytest

from wezparallel.frontends.cli.render import Cell, Column, Screen, fit

COLUMNS = (
    Column(cut=""),
    Column(least=12),
    Column(least=7),
    Column(rank=1, least=12),
    Column(rank=2, right=True, cut=""),
)
ROWS = [
    [Cell("●", "good"), Cell("server"), Cell("ready", "good"), Cell("npm run dev -- --host --port 5173"), Cell("1h")],
    [Cell("✗", "bad"), Cell("tests"), Cell("backoff", "bad"), Cell("npm test"), Cell("8s")],
]


def lines(columns: int | None, *, colour: bool = False) -> list[str]:
    return Screen(io.StringIO(), columns=columns, colour=colour).lines(COLUMNS, ROWS)


def test_into_a_pipe_nothing_is_cut_or_painted() -> None:
    assert lines(None)[0] == "● server  ready    npm run dev -- --host --port 5173  1h"


@pytest.mark.parametrize("columns", range(24, 80))
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    assert max(len(line) for line in lines(columns)) <= columns


@pytest.mark.parametrize("columns", [24, 40])
def test_on_a_narrow_terminal_name_and_state_stay(columns: int) -> None:
    assert "tests" in lines(columns)[1]
    assert "backoff" in lines(columns)[1]


def test_colour_is_beside_the_words_and_never_instead() -> None:
    painted = lines(80, colour=True)[1]
    assert "\x1b[31m✗\x1b[0m" in painted
    assert "backoff" in painted


def test_a_column_without_anything_is_not_drawn() -> None:
    rows = [[Cell("a"), Cell(""), Cell("b")]]
    assert Screen(io.StringIO(), columns=80, colour=False).lines((Column(), Column(title=""), Column()), rows) == [
        "a  b"
    ]


def test_columns_go_by_rank() -> None:
    assert set(fit((Column(least=5), Column(rank=2, least=5), Column(rank=1, least=5)), {0: 9, 1: 9, 2: 9}, 14)) == {
        0,
        2,
    }


def test_a_line_with_two_ends_keeps_the_left_one_where_there_is_no_room() -> None:
    out = io.StringIO()
    screen = Screen(out, columns=20, colour=False)
    screen.spread([Cell("left end")], "right")
    screen.spread([Cell("left end")], "a right end that is long")
    assert out.getvalue().split("\n")[:2] == ["left end       right", "left end"]


def test_a_link_needs_a_terminal_that_shows_it() -> None:
    assert (
        Screen(io.StringIO(), columns=80, colour=True, links=True)
        .link("a", "http://b")
        .startswith("\x1b]8;;http://b")
    )
    assert Screen(io.StringIO(), columns=None, colour=False).link("a", "http://b") == "a"


def test_a_url_is_a_link_to_all_of_it_also_where_it_was_cut() -> None:
    screen = Screen(io.StringIO(), columns=24, colour=True, links=True)
    line = screen.lines((Column(),), [[Cell("see http://localhost:5173/a/long/path")]])[0]
    assert line.startswith("see \x1b]8;;http://localhost:5173/a/long/path\x1b\\\x1b[34mhttp://localho")
    plain = Screen(io.StringIO(), columns=None, colour=False)
    assert plain.lines((Column(),), [[Cell("see http://localhost:5173/")]]) == ["see http://localhost:5173/"]
