"""Tabs, and replicas in their areas."""

from __future__ import annotations

import pytest

from tests.hub.workspaces.test_templates import compiled, failure
from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import layouts
from wezparallel.hub.workspaces.templates import Compiled

TWO = """\
name: shop
tabs:
  work:
    layout:
      areas: |
        a  b
        a  c
      columns: [2, 1]
  logs: { layout: log, title: All logs }
panes: { a: x, log: { command: y, focus: true }, c: z, b: shell }
"""


def boxes(template: Compiled, tab: int = 0) -> dict[str, tuple[float, ...]]:
    found = layouts.rectangles(template.tabs[tab].layout)
    return {name: tuple(round(edge, 3) for edge in box) for name, box in found.items()}


def test_each_tab_has_its_picture_title_and_focus() -> None:
    plan = compiled(TWO).plan_for("shop-2")
    assert [(tab.title, tab.first, tab.focus) for tab in plan.tabs] == [
        ("work", "a", "a"),
        ("All logs", "log", "log"),
    ]
    assert [[pane.process_id for pane in tab.panes] for tab in plan.tabs] == [
        ["shop-2/a", "shop-2/b", "shop-2/c"], ["shop-2/log"],
    ]  # fmt: skip
    assert [pane.pane for tab in plan.tabs for pane in tab.panes if pane.focus] == ["log"]
    assert compiled(TWO).focus == "log"


def test_a_drawing_of_tabs_names_each() -> None:
    lines = compiled(TWO).picture.split("\n")
    assert lines[0] == "work"
    assert lines[lines.index("All logs") - 1] == ""
    assert lines[lines.index("All logs") + 1].startswith("┌ log ─")


def test_the_order_of_processes_is_that_of_the_file() -> None:
    assert [one.name for one in compiled(TWO).settings] == ["a", "log", "c", "b"]


@pytest.mark.parametrize(
    ("tabs", "place", "sentence"),
    [
        ("{ one: a, two: a b }", "1:14", "the pane 'a' stands in two tabs"),
        ("{ one: a }", "2:16", "the pane 'b' has no area in the picture"),
        ("{ one: a, two: c }", "1:22", "no pane is called 'c'"),
        ("[a b]", "1:7", "`tabs` has to be a map of names"),
        ("{}", "1:7", "`tabs` has to be a map of names"),
        ("{ one: a b, two: }", "1:24", "the picture is empty"),
        ("{ one: a b, two: { title: x } }", "1:24", "tab 'two' needs `layout`, its picture"),
        ("{ one: { layout: a b, titel: x } }", "1:29", "tab 'one' has no key 'titel'"),
        ("{ one: { areas: a b, columns: [1] } }", "1:23", "`columns` has 1 weight, the picture has 2 columns"),
        ("{ '': a b }", "1:9", "'' cannot be the title of a tab"),
        ("{ one: two_pane, two: a }", "1:14", "the pane 'a' stands in two tabs"),
    ],
)
def test_a_wrong_tab_is_told_with_its_place(tabs: str, place: str, sentence: str) -> None:
    source = f"tabs: {tabs}\npanes: {{ a: x, b: y }}"
    with pytest.raises(RequestError) as caught:
        compiled(source)
    message = caught.value.message
    assert message.startswith(f"wezparallel.yaml:{place}: {sentence}")


def test_a_template_has_a_layout_or_tabs() -> None:
    error = failure("layout: a\ntabs: { t: a }\npanes: { a: x }")
    assert error.message.startswith("wezparallel.yaml:1:1: a template has `layout` or `tabs`")
    assert error.message.count("^") == len("layout") + len("tabs")


def test_replicas_tile_their_area_and_each_knows_its_number() -> None:
    template = compiled(
        "layout: { areas: [coder shell], columns: [1, 1] }\n"
        "panes: { coder: { command: 'run ${REPLICA}', replicas: 3, title: 'no. ${REPLICA}' }, shell: }"
    )
    assert [(one.name, one.command, one.title, one.env) for one in template.settings[:3]] == [
        (f"coder-{n}", f"run {n}", f"no. {n}", {"REPLICA": str(n)}) for n in (1, 2, 3)
    ]
    assert boxes(template) == {  # a high area becomes rows
        "coder-1": (0, 0, 0.5, 0.333), "coder-2": (0, 0.333, 0.5, 0.667), "coder-3": (0, 0.667, 0.5, 1),
        "shell": (0.5, 0, 1, 1),
    }  # fmt: skip


def test_replicas_in_a_wide_area_stand_side_by_side_and_in_a_square_one_in_a_grid() -> None:
    wide = boxes(compiled("layout: [c, s]\npanes: { c: { command: x, replicas: 2 }, s: }"))
    assert (wide["c-1"], wide["c-2"]) == ((0, 0, 0.5, 0.5), (0.5, 0, 1, 0.5))
    square = boxes(compiled("layout: c\npanes: { c: { command: x, replicas: 4 } }"))
    assert square == {
        "c-1": (0, 0, 0.5, 0.5),
        "c-2": (0, 0.5, 0.5, 1),
        "c-3": (0.5, 0, 1, 0.5),
        "c-4": (0.5, 0.5, 1, 1),
    }


def test_areas_of_a_picture_keep_their_size_around_replicas() -> None:
    picture = "layout: |\n  a c c\n  a c c\n  b b d\npanes: { a: x, b: x, c: { command: x, replicas: %d }, d: x }"
    one, many = boxes(compiled(picture % 1)), boxes(compiled(picture % 7))
    assert {name: many[name] for name in "abd"} == {name: one[name] for name in "abd"}
    left, top, right, bottom = one["c"]
    area = sum((x1 - x0) * (y1 - y0) for name, (x0, y0, x1, y1) in many.items() if name.startswith("c-"))
    assert area == pytest.approx((right - left) * (bottom - top), abs=0.01)


def test_one_replica_keeps_its_name() -> None:
    (one,) = compiled("panes: { a: { command: 'x ${REPLICA}', replicas: 1 } }").settings
    assert (one.name, one.command, one.env) == ("a", "x 1", {"REPLICA": "1"})


def test_a_picture_may_give_each_replica_its_own_area() -> None:
    template = compiled("layout: |\n  c-1 c-2\n  c-3 s\npanes: { c: { command: x, replicas: 3 }, s: }")
    assert template.plan.tabs[0].splits[0].pane == "c-2"
    error = failure("layout: c c-2\npanes: { c: { command: x, replicas: 2 } }", "template.layout")
    assert "an area 'c' for all, and one for 'c-2'" in error.message
    error = failure("layout: c-1\npanes: { c: { command: x, replicas: 2 } }", "template.layout")
    assert "the pane 'c-2' has no area in the picture" in error.message


def test_replicas_need_no_pane_and_no_picture() -> None:
    template = compiled("panes: [x]\nprocesses: { w: { command: x, replicas: 3 } }")
    assert [one.name for one in template.settings] == ["x", "w-1", "w-2", "w-3"]
    assert len(compiled("panes: { a: { command: x, replicas: 6 } }").plan.tabs[0].panes) == 6


def test_the_first_replica_has_the_focus() -> None:
    template = compiled("panes: { a: x, b: { command: x, replicas: 2, focus: true } }")
    assert [one.name for one in template.settings if one.focus] == ["b-1"]


@pytest.mark.parametrize(
    ("source", "code", "sentence"),
    [
        ("panes: { a: { replicas: 0 } }", "syntax", "`replicas` has to be a whole number from 1 to 200"),
        ("panes: { a: { replicas: 201 } }", "syntax", "`replicas` has to be a whole number from 1 to 200"),
        ("panes: { a: { replicas: many } }", "syntax", "`replicas` has to be a whole number"),
        ("panes: { a: { replicas: true } }", "syntax", "`replicas` has to be a whole number"),
        ("panes: { a: { replicas: 2 }, a-1: x }", "syntax", "'a-1' is the name of another process already"),
        ("panes: { a: { replicas: 65 } }", "syntax", "a tab has at most 64 panes"),
        ("layout: a\npanes: { a: { replicas: 65 } }", "layout", "a tab has at most 64 panes"),
        (
            "processes: { a: { command: x, replicas: 150 }, b: { command: x, replicas: 150 } }",
            "syntax",
            "at most 200",
        ),
    ],
)
def test_too_many_replicas_are_refused(source: str, code: str, sentence: str) -> None:
    assert sentence in failure(source, f"template.{code}").message


def test_what_runs_in_the_pane_itself_is_marked_in_plan_and_picture() -> None:
    template = compiled("panes: { a: { command: htop, direct: true }, b: x }")
    assert [pane.direct for pane in template.plan.tabs[0].panes] == [True, False]
    assert "htop  (direct)" in template.picture
