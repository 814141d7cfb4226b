"""Which part of a screen is shown, and how its cells look."""

from __future__ import annotations

from typing import Any

import pytest
from rich.style import Style

from wezparallel.frontends.tui.widgets.peek import first_row, style


def screen(used: int, row: int, *, visible: bool = True, alternate: bool = False) -> dict[str, Any]:
    lines = [[{"text": f"line {number}"}] for number in range(used)] + [[{"text": "   "}]]
    return {"lines": lines, "cursor": {"row": row, "column": 0, "visible": visible}, "alternate": alternate}


@pytest.mark.parametrize(
    ("picture", "first"),
    [
        (screen(3, 3), 0),  # a shell that has said little
        (screen(24, 24), 19),  # its prompt is at the bottom
        (screen(24, 2, visible=False), 18),  # a program that hides its cursor
        (screen(50, 0, alternate=True), 0),  # an editor, at the top of its file
        (screen(50, 25, alternate=True), 22),
        (screen(50, 49, alternate=True), 44),  # no further than there are rows
    ],
)
def test_the_row_of_the_cursor_is_shown(picture: dict[str, Any], first: int) -> None:
    assert first_row(picture, 6) == first


def test_colours_and_attributes_are_those_of_the_program() -> None:
    assert style("bright_red", "#102030", ("bold", "hidden")) == Style.parse("bold conceal bright_red on #102030")
    assert style(None, None, ()) == Style.null()
    assert style("no such colour", None, ("bold",)) == Style.null()
