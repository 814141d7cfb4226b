"""From a plan to panes: the order of calls, the cells, and that nothing is left of what fails."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.frontends.wezterm.conftest import Fake
from wezparallel.errors import RequestError
from wezparallel.frontends.wezterm.building import Place, build
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


def command_line(planned: dict[str, Any], size: tuple[int, int] | None) -> list[str]:
    return ["attach", planned["process_id"], *(map(str, size) if size else [])]


def test_tabs_are_made_in_the_callers_window_cut_titled_and_the_focus_comes_last(
    wezterm: Wezterm, fake: Fake
) -> None:
    made = build(wezterm, PLAN, Place(pane=1, cwd="/w"), command_line)
    assert made == {"shop/a": 2, "shop/b": 3, "shop/c": 4, "shop/d": 5}
    assert [one["words"] for one in fake.calls if one["words"][0] != "list"] == [
        ["spawn", "--pane-id", "1", "--cwd", "/w", "--", "attach", "shop/a", "84", "24"],
        [
            "split-pane",
            "--pane-id",
            "2",
            "--right",
            "--cells",
            "35",
            "--cwd",
            "/w",
            "--",
            "attach",
            "shop/b",
            "35",
            "30",
        ],
        [
            "split-pane",
            "--pane-id",
            "2",
            "--bottom",
            "--cells",
            "5",
            "--cwd",
            "/w",
            "--",
            "attach",
            "shop/c",
            "84",
            "5",
        ],
        ["set-tab-title", "--pane-id", "2", "--", "work"],
        ["activate-pane", "--pane-id", "2"],
        ["spawn", "--window-id", "7", "--cwd", "/w", "--", "attach", "shop/d", "120", "30"],
        ["set-tab-title", "--pane-id", "5", "--", "logs"],
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
    ("verb", "after"), [("spawn", 1), ("split-pane", 1), ("set-tab-title", 0), ("activate-pane", 1), ("list", 2)]
)
def test_what_was_made_for_a_plan_that_fails_is_closed_again(
    wezterm: Wezterm, fake: Fake, verb: str, after: int
) -> None:
    fake.fail(verb, after)
    with pytest.raises(RequestError, match=f"no {verb} today"):
        build(wezterm, PLAN, Place(pane=1), command_line)
    assert fake.panes == [1]


def test_a_plan_without_room_is_refused_before_anything_is_cut(wezterm: Wezterm, fake: Fake) -> None:
    names = [f"p{number}" for number in range(16)]
    cuts = [cut(of, name, "down", 0.5) for of, name in pairwise(names)]
    plan = {"tabs": [{"title": "t", "first": "p0", "splits": cuts, "panes": [pane(name) for name in names]}]}
    with pytest.raises(
        RequestError, match="the tab of p0 needs 1 columns and 31 rows, and the window has 120 and 30"
    ):
        build(wezterm, plan, Place(pane=1), command_line)
    assert fake.verbs == ["list"]
