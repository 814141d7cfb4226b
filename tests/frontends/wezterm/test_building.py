"""From a plan to panes: the order of calls, the cells, and that nothing is left of what fails."""

from __future__ import annotations

from typing import Any

import pytest

from tests.frontends.wezterm.conftest import Fake
from wezparallel.errors import RequestError
from wezparallel.frontends.wezterm.building import Place, arrange, build, share_of
from wezparallel.frontends.wezterm.cli import Wezterm


def cut(of: str, pane: str, direction: str, share: float) -> dict[str, Any]:
    return {"of": of, "pane": pane, "direction": direction, "share": share}


def pane(name: str, **rest: Any) -> dict[str, Any]:
    return {"pane": name, "process_id": f"shop/{name}", "title": name, "focus": False, "direct": False, **rest}


PLAN = {
    "tabs": [
        {
            "title": "work", "focus": None, "first": "a",
            "splits": [cut("a", "b", "right", 0.3), cut("a", "c", "down", 0.2)],
            "panes": [pane("a"), pane("b", focus=True), pane("c")],
        },
        {"title": "logs", "focus": None, "first": "d", "splits": [], "panes": [pane("d")]},
    ]
}  # fmt: skip


def command_line(planned: dict[str, Any]) -> list[str]:
    return ["attach", planned["process_id"]]


def test_tabs_are_made_in_the_callers_window_cut_titled_and_the_focus_comes_last(
    wezterm: Wezterm, fake: Fake
) -> None:
    made = build(wezterm, PLAN, Place(pane=1, cwd="/w"), command_line)
    assert made == {"shop/a": 2, "shop/b": 3, "shop/c": 4, "shop/d": 5}
    assert [one["words"] for one in fake.calls if one["words"][0] != "list"] == [
        ["spawn", "--pane-id", "1", "--cwd", "/w", "--", "attach", "shop/a"],
        ["split-pane", "--pane-id", "2", "--right", "--cells", "36", "--cwd", "/w", "--", "attach", "shop/b"],
        ["split-pane", "--pane-id", "2", "--bottom", "--cells", "6", "--cwd", "/w", "--", "attach", "shop/c"],
        ["set-tab-title", "--pane-id", "2", "work"],
        ["activate-pane", "--pane-id", "2"],
        ["spawn", "--window-id", "7", "--cwd", "/w", "--", "attach", "shop/d"],
        ["set-tab-title", "--pane-id", "5", "logs"],
        ["activate-pane", "--pane-id", "3"],
    ]


def test_without_a_focus_the_first_pane_has_it(wezterm: Wezterm, fake: Fake) -> None:
    plan = {"tabs": [{**PLAN["tabs"][0], "panes": [pane("a"), pane("b"), pane("c")]}]}
    build(wezterm, plan, Place(pane=1), command_line)
    assert fake.calls[-1]["words"] == ["activate-pane", "--pane-id", "2"]


def test_a_tab_remembers_its_own_focus(wezterm: Wezterm, fake: Fake) -> None:
    plan = {"tabs": [{**PLAN["tabs"][0], "focus": "b"}, PLAN["tabs"][1]]}
    build(wezterm, plan, Place(pane=1), command_line)
    activated = [one["words"][-1] for one in fake.calls if one["words"][0] == "activate-pane"]
    assert activated == ["3", "3"]


def test_a_new_window_carries_the_workspaces_name(wezterm: Wezterm, fake: Fake) -> None:
    build(wezterm, PLAN, Place(workspace="shop"), command_line)
    spawns = [one["words"][1:4] for one in fake.calls if one["words"][0] == "spawn"]
    assert spawns == [["--new-window", "--workspace", "shop"], ["--window-id", "102", "--cwd"]]


@pytest.mark.parametrize(
    ("verb", "after"), [("spawn", 1), ("split-pane", 1), ("set-tab-title", 0), ("activate-pane", 1), ("list", 1)]
)
def test_what_was_made_for_a_plan_that_fails_is_closed_again(
    wezterm: Wezterm, fake: Fake, verb: str, after: int
) -> None:
    fake.fail(verb, after)
    with pytest.raises(RequestError, match=f"no {verb} today"):
        build(wezterm, PLAN, Place(pane=1), command_line)
    assert fake.panes == [1]


def test_a_plan_without_room_is_refused_before_anything_is_cut(wezterm: Wezterm, fake: Fake) -> None:
    cuts = [cut("a", f"p{number}", "down", 0.5) for number in range(6)]
    names = ["a", *(f"p{number}" for number in range(6))]
    plan = {"tabs": [{"title": "t", "first": "a", "splits": cuts, "panes": [pane(name) for name in names]}]}
    with pytest.raises(RequestError, match="there is no room for p3 beside a in 120 columns and 30 rows"):
        build(wezterm, plan, Place(pane=1), command_line)
    assert "split-pane" not in fake.verbs
    assert fake.panes == [1]


@pytest.mark.parametrize(
    ("columns", "splits", "wanted"),
    [
        (120, [cut("a", "b", "right", 2 / 3), cut("b", "c", "right", 1 / 2)], {"a": 40, "b": 39, "c": 39}),
        (80, [cut("a", "b", "right", 2 / 3), cut("b", "c", "right", 1 / 2)], {"a": 26, "b": 26, "c": 26}),
        (120, [cut("a", "b", "right", 3 / 10)], {"a": 83, "b": 36}),
        (211, [cut("a", "b", "right", 3 / 7)], {"a": 120, "b": 90}),
    ],
)
def test_panes_have_their_share_within_a_cell(
    columns: int, splits: list[dict[str, Any]], wanted: dict[str, int]
) -> None:
    found = {"a": columns}
    for split, cells in zip(splits, arrange("a", splits, (columns, 30)), strict=True):
        found[split["of"]] -= cells + 1
        found[split["pane"]] = cells
    assert sum(found.values()) + len(splits) == columns
    assert all(abs(found[name] - wanted[name]) <= 1 for name in wanted), found


def test_each_side_of_a_cut_keeps_a_cell() -> None:
    for whole in range(3, 240):
        for share in (0.001, 0.25, 0.5, 0.999):
            cells = share_of(whole, share)
            assert 1 <= cells <= whole - 2
            assert abs(cells - (whole - 1) * share) <= 1
