"""The `layout` of a template: what is wrong with a picture is told with line and column."""

from __future__ import annotations

import pytest

from tests.hub.workspaces.test_templates import compiled, failure
from wezparallel.errors import RequestError


def test_a_torn_area_is_told_as_in_an_editor() -> None:
    error = failure("layout:\n\n  areas: |\n    a  a  b\n    c  a  c\npanes: { a: x, b: y, c: z }", "template.layout")
    assert error.message.split("\n")[:7] == [
        "wezparallel.yaml:5:5: the area 'c' is not one block",
        "",
        "    3 │   areas: |",
        "    4 │     a  a  b",
        "    5 │     c  a  c",
        "      │     ^     ^",
        "An area has to be a rectangle. Two panes that run the same need two names, such as 'c' and 'c-2'; known "
        "are: a, b, c.",
    ]


@pytest.mark.parametrize(
    ("layout", "place", "sentence"),
    [
        ("|\n  a b\n  a .", "3:5", "the picture has a gap"),
        ("|\n  a a b\n  c a b", "2:3", "the area 'a' is not a rectangle"),
        ("|\n  a b\n  a", "3:3", "this row has 1 column, the first has 2 columns"),
        ("|\n  a b sever", "2:7", "no pane is called 'sever'"),
        ("|\n  a b", "3:21", "the pane 'c' has no area in the picture"),
        ("|\n\n", "1:9", "the picture is empty"),
        ("''", "1:9", "the picture is empty"),
        ("\n  a b\n  c c", "2:3", "this picture would become one line"),
        ("'a b x'", "1:14", "no pane is called 'x'"),
        ("a b x", "1:13", "no pane is called 'x'"),
        ('"a b\\nx c"', "1:10", "no pane is called 'x'"),
        ("[a b, 'x c']", "1:16", "no pane is called 'x'"),
        ("[[a, b]]", "1:10", "a row of the picture has to be one value"),
        ("{}", "1:9", "`layout` needs `areas`"),
        ("{areas: }", "1:9", "`layout` needs `areas`"),
        ("{areas: {}}", "1:17", "a picture is text"),
        ("{areas: a b c, colums: [1]}", "1:24", "`layout` has no key 'colums'"),
        ("{areas: a b c, columns: 1}", "1:33", "`columns` has to be a list of numbers"),
        ("{areas: a b c, columns: []}", "1:33", "`columns` has to be a list of numbers"),
        ("{areas: a b c, columns: [1, 0, 1]}", "1:37", "a weight is a number from 0.001 to 1000"),
        ("{areas: a b c, columns: [1, true, x]}", "1:37", "a weight is a number"),
        ("{areas: a b c, columns: [1, .nan, x]}", "1:37", "a weight is a number"),
        ("{areas: a b c, rows: [1, 2]}", "1:17", "`rows` has 2 weights, the picture has 1 row"),
        ("three_pane_diagonal", "1:9", "no pane is called 'three_pane_diagonal'"),
        ("sidebar", "1:9", "no pane is called 'sidebar'"),
    ],
)  # fmt: skip
def test_a_wrong_layout_is_told_with_line_and_column(layout: str, place: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        compiled(f"layout: {layout}\npanes: {{a: x, b: y, c: z}}")
    assert caught.value.message.startswith(f"wezparallel.yaml:{place}: {sentence}")


def test_tabs_inside_a_picture_are_spaces() -> None:
    template = compiled("layout: |\n  a\tb\n  a\t\tc\npanes: {a: x, b: y, c: z}")
    assert template.layout is not None
    assert template.layout.panes == ("a", "b", "c")


def test_a_pane_may_be_called_like_a_named_layout() -> None:
    assert compiled("layout: main_window\npanes: {main-window: x}").focus == "main-window"
