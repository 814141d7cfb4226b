"""Texts, marks and widths."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wezparallel.hub.workspaces import source
from wezparallel.hub.workspaces.source import Mark, Source, cells, clip, printable


def test_an_error_has_a_message_for_people_and_data_for_programs() -> None:
    error = Source("/p/t.yaml", "one\ntwo\n", "t.yaml").error(
        "template.syntax", "wrong", Mark(2, 2, 2), "Do this.", x=1
    )
    assert error.code == "template.syntax"
    assert error.message == "t.yaml:2:2: wrong\n\n    1 │ one\n    2 │ two\n      │  ^^\nDo this."
    assert error.data == {
        "file": "/p/t.yaml", "line": 2, "column": 2, "sentence": "wrong", "hint": "Do this.", "x": 1,
        "excerpt": "    1 │ one\n    2 │ two\n      │  ^^",
    }  # fmt: skip


def test_a_mark_beyond_the_text_draws_nothing() -> None:
    text = Source("t.yaml", "one")
    assert text.error("template.syntax", "wrong", Mark(5, 1)).message == "t.yaml:5:1: wrong"
    assert (text.line(1), text.line(0), text.line(2)) == ("one", "", "")


def test_blank_lines_above_a_mark_are_not_drawn() -> None:
    assert Source("t", "x\n\ny").excerpt([Mark(3, 1)]) == "    1 │ x\n    2 │\n    3 │ y\n      │ ^"
    assert Source("t", "\n\ny").excerpt([Mark(3, 1)]) == "    3 │ y\n      │ ^"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r", "\x85", "\u2028"])
def test_lines_end_where_yaml_ends_them(ending: str) -> None:
    assert Source("t", f"a{ending}b").lines == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0), ("Ａ", 2), ("·", 1), ("\u200b", 1)]
)
def test_cells_are_counted_as_a_terminal_does(text: str, width: int) -> None:
    assert cells(printable(text)) == width


@settings(deadline=None)
@given(st.text(max_size=30), st.integers(0, 20))
def test_a_clipped_text_fits_and_ends_in_dots_if_anything_is_missing(text: str, width: int) -> None:
    short = clip(text, width)
    assert cells(short) <= width
    assert short == text if cells(text) <= width else short.endswith("…") or not width


@settings(deadline=None)
@given(st.text(max_size=300), st.lists(st.tuples(st.integers(1, 4), st.integers(1, 300), st.integers(1, 300))))
def test_an_excerpt_never_steers_a_terminal_and_never_grows_wide(
    text: str, places: list[tuple[int, int, int]]
) -> None:
    for line in Source("t", text).excerpt([Mark(*place) for place in places]).split("\n"):
        assert line.isprintable()
        assert cells(line) <= source.MAX_WIDTH + 8


def test_a_mark_far_to_the_right_is_shown_with_what_stands_before_it() -> None:
    text, carets = Source("t", "x" * 500 + "HERE" + "y" * 500).excerpt([Mark(1, 501, 4)]).split("\n")
    assert text[carets.index("^") : carets.index("^") + 4] == "HERE"
    assert text[8] == "…"
    assert text.endswith("y…")


def test_the_nearest_name_is_offered_only_if_it_is_near() -> None:
    assert source.did_you_mean("sever", ["server", "log"]) == "Did you mean 'server'? Known are: log, server."
    assert source.did_you_mean("x", ["server"]) == "Known are: server."
