"""Plans become windows, tabs and panes; what fails half way leaves nothing behind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lua.fake import FakeWezterm
from tests.lua.hub import ATTACH, DIRECT, ENV, MUX, PYTHON, Hub, adjusts, pane_of, plan_tab, process, shows, titles

GRID = ["coder coder server", "coder coder tests", "log log log"]
BUILD = (
    "local plan, opts = ... for _, tab in ipairs(plan.tabs) do tab.splits = tab.splits or {} end "
    "local built, failure = require('wezparallel.layout').build('web', plan, opts) "
    "return built and built.focus:pane_id() or failure"
)


@pytest.fixture
def hub(wezterm: FakeWezterm) -> Hub:
    return Hub(wezterm)


def build(wezterm: FakeWezterm, *tabs: Any, size: tuple[int, int] | None = (120, 30), **opts: Any) -> Any:
    if size:
        opts["size"] = {"cols": size[0], "rows": size[1]}
    return wezterm.call(BUILD, {"tabs": list(tabs)}, opts)


def test_four_panes_lie_where_the_picture_has_them(wezterm: FakeWezterm, hub: Hub) -> None:
    build(wezterm, plan_tab("web", GRID, title="work"))
    (tab,) = wezterm.tabs("web")
    assert shows(wezterm, tab) == {
        "web/coder": (0, 0, 80, 20),
        "web/server": (81, 0, 39, 9),
        "web/tests": (81, 10, 39, 10),
        "web/log": (0, 21, 120, 9),
    }
    assert titles(wezterm, "web") == ["work"]


def test_each_pane_runs_the_program_that_shows_its_process(wezterm: FakeWezterm, hub: Hub) -> None:
    build(wezterm, plan_tab("web", ["a b"], direct="b"), cwd="/home/me/web")
    first, second = (wezterm.world.panes[pane_of(wezterm, name)] for name in ("web/a", "web/b"))
    assert list(first.args.values()) == [PYTHON, "-I", "-S", ATTACH, "web/a", "--socket", "/run/w/keeper.sock"]
    assert list(second.args.values()) == [PYTHON, "-I", "-S", DIRECT, "web/b"]
    for pane in (first, second):
        assert dict(pane.env.items()) == ENV
        assert pane.cwd == "/home/me/web"
        assert pane.domain == "local"


def test_the_focus_is_where_the_plan_wants_it(wezterm: FakeWezterm, hub: Hub) -> None:
    tabs = [plan_tab("web", ["a b"], title="one"), plan_tab("web", ["c", "d"], focus="c", title="two")]
    assert build(wezterm, *tabs) == pane_of(wezterm, "web/c")
    first, second = wezterm.tabs("web")
    assert wezterm.world.windows[first.window].active == second.id
    assert (first.active, second.active) == (pane_of(wezterm, "web/a"), pane_of(wezterm, "web/c"))


def test_without_a_wish_the_first_tab_has_the_focus(wezterm: FakeWezterm, hub: Hub) -> None:
    first = {**plan_tab("web", ["a b"]), "focus": "b"}
    assert build(wezterm, first, plan_tab("web", ["c"])) == pane_of(wezterm, "web/b")
    assert wezterm.world.windows[wezterm.tabs("web")[0].window].active == wezterm.tabs("web")[0].id


def test_tabs_are_added_to_a_window_that_is_there(wezterm: FakeWezterm, hub: Hub) -> None:
    window = wezterm.call("return require('wezterm').mux.all_windows()[1]:window_id()")
    wezterm.call(
        "local plan = ... plan.tabs[1].splits = {} local window = require('wezterm').mux.all_windows()[1] "
        "require('wezparallel.layout').build('default', plan, { window = window })",
        {"tabs": [plan_tab("web", ["a"])]},
    )
    assert len(wezterm.world.windows[window].tabs) == 2
    assert len(wezterm.world.order) == 1


def test_a_layout_without_room_is_refused_before_anything_is_made(wezterm: FakeWezterm, hub: Hub) -> None:
    before = len(wezterm.world.panes)
    failure = build(wezterm, plan_tab("web", ["a"]), plan_tab("web", ["b c d e"]), size=(6, 10))
    assert failure["code"] == "layout.no_room"
    assert "7 columns and 1 rows, the window has 6 and 10" in failure["message"]
    assert len(wezterm.world.panes) == before
    assert wezterm.children == []


def test_a_half_built_workspace_is_taken_away_again(wezterm: FakeWezterm, hub: Hub) -> None:
    before = set(wezterm.world.panes)
    # Without a size WezTerm takes its own, which is found out after the first pane only.
    failure = build(
        wezterm, plan_tab("web", ["a"]), plan_tab("web", [" ".join(f"p{n}" for n in range(41))]), size=None
    )
    assert failure["code"] == "layout.no_room"
    assert set(wezterm.world.panes) == before
    closed = [one["process"] for one in hub.asked("ViewClose")]
    assert closed == ["web/a", "web/p0"]
    assert {one["mux"] for one in hub.asked("ViewClose")} == {MUX}


def test_a_split_that_fails_leaves_no_pane_without_a_tab(wezterm: FakeWezterm, hub: Hub) -> None:
    before = set(wezterm.world.panes)
    # Somebody makes the window small in the middle of the building: what was counted on is not there any more.
    wezterm.fake.on_spawn = wezterm.lua.eval(
        "function(world) return function(id) "
        "if id == 2 then local tab = world.tabs[1] tab.cols, tab.rows = 3, 3 tab.tree.a, tab.tree.b = nil end "
        "end end"
    )(wezterm.world)
    failure = build(wezterm, plan_tab("web", ["a b"]))
    assert failure["code"] == "layout.failed"
    assert "No space for split!" in failure["message"]
    assert list(wezterm.world.orphans.values()) == [2]
    assert set(wezterm.world.panes) == before


def test_without_a_snapshot_it_says_what_to_do(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.path.unlink()
    assert build(wezterm, plan_tab("web", ["a"]))["code"] == "gui.no_snapshot"


def fill(wezterm: FakeWezterm, tab: Any, plan: Any) -> Any:
    return wezterm.call(
        "local id, plan = ... local built, failure = require('wezparallel.layout').fill("
        "require('wezterm').mux.get_tab(id), plan, require('wezparallel.panes').shown(nil)) "
        "return failure or built.focus:pane_id()",
        tab.id, plan,
    )  # fmt: skip


@pytest.mark.parametrize("gone", ["a", "b", "c", "d"])
def test_a_missing_pane_comes_back_beside_its_neighbour(wezterm: FakeWezterm, hub: Hub, gone: str) -> None:
    plan = plan_tab("web", ["a b", "a c", "d d"])
    build(wezterm, plan)
    (tab,) = wezterm.tabs("web")
    before = shows(wezterm, tab)
    wezterm.kill_pane(pane_of(wezterm, f"web/{gone}"))
    assert fill(wezterm, tab, plan) == pane_of(wezterm, f"web/{gone}")
    after = shows(wezterm, tab)
    assert after.keys() == before.keys()
    if gone in "bc":  # their neighbour is a single pane, so they come back to their place, but for a rounded cell
        for name, box in before.items():
            assert all(abs(one - other) <= 1 for one, other in zip(box, after[name], strict=True))


def test_a_zoomed_tab_is_unzoomed_before_it_is_filled(wezterm: FakeWezterm, hub: Hub) -> None:
    plan = plan_tab("web", ["a b c"])
    build(wezterm, plan)
    (tab,) = wezterm.tabs("web")
    wezterm.kill_pane(pane_of(wezterm, "web/c"))
    tab.zoomed = True
    assert fill(wezterm, tab, plan) == pane_of(wezterm, "web/c")
    assert not tab.zoomed


def test_what_was_built_is_known_before_the_hub_tells_of_it(wezterm: FakeWezterm, hub: Hub) -> None:
    build(wezterm, plan_tab("web", ["a b"]))
    wezterm.reload()
    found = wezterm.call(
        "local found = {} for id, place in pairs(require('wezparallel.panes').shown(nil)) do "
        "found[id] = place.pane:pane_id() end return found"
    )
    assert found == {name: pane_of(wezterm, name) for name in ("web/a", "web/b")}


def process_in(wezterm: FakeWezterm, pane: int) -> Any:
    code = "return require('wezparallel.panes').process_of((...), require('wezparallel.state').read())"
    return wezterm.call(code, wezterm.pane(pane))


def test_a_pane_is_known_by_its_view_and_by_what_it_says_itself(wezterm: FakeWezterm, hub: Hub) -> None:
    assert process_in(wezterm, 0) is None
    view = {"pane": "0", "mux": MUX}
    hub.tell(loose=[process("told", views=[view]), process("other", views=[{"pane": "0", "mux": "/another"}])])
    assert process_in(wezterm, 0) == "told"
    wezterm.set_user_var(0, "wezparallel_process", "other")
    assert process_in(wezterm, 0) == "other"
    # After a rename the pane says a name that is none any more.
    wezterm.set_user_var(0, "wezparallel_process", "before")
    assert process_in(wezterm, 0) == "told"


def focus(wezterm: FakeWezterm, pane: int) -> Any:
    return wezterm.call("return require('wezparallel.panes').focus(...)", wezterm.pane(pane))


def test_going_to_a_pane_goes_to_its_workspace_and_its_tab(wezterm: FakeWezterm, hub: Hub) -> None:
    build(wezterm, plan_tab("web", ["a b"]), plan_tab("web", ["c"]))
    assert wezterm.workspace == "default"
    target = pane_of(wezterm, "web/b")
    assert focus(wezterm, target) is True
    assert wezterm.workspace == "web"
    assert wezterm.active_pane() == target


def relayout(wezterm: FakeWezterm, tab: Any, plan: Any) -> Any:
    code = "local id, plan = ... plan.splits = plan.splits or {} local ok, failure = "
    code += "require('wezparallel.layout').relayout(require('wezterm').mux.get_tab(id), plan) return failure or ok"
    return wezterm.call(code, tab.id, plan)


@pytest.mark.parametrize("size", [(200, 50), (61, 21), (119, 31)])
def test_ratios_are_there_again_after_a_resize(wezterm: FakeWezterm, hub: Hub, size: tuple[int, int]) -> None:
    plan = plan_tab("web", ["a a b", "a a c", "d e e"], focus="c")
    made = adjusts(wezterm)
    build(wezterm, plan)
    focus(wezterm, pane_of(wezterm, "web/c"))
    (tab,) = wezterm.tabs("web")
    wezterm.resize(*size)
    assert relayout(wezterm, tab, plan) is True
    wanted = wezterm.call(
        "local cuts = require 'wezparallel.cuts' local tab, cols, rows = ... "
        "return cuts.place((cuts.tree(tab)), cols, rows)",
        plan, *size,
    )  # fmt: skip
    assert shows(wezterm, tab) == {
        f"web/{name}": (box["left"], box["top"], box["cols"], box["rows"]) for name, box in wanted.items()
    }
    assert made
    assert wezterm.active_pane() == pane_of(wezterm, "web/c")


def test_what_gets_smaller_is_put_in_order_before_it_does(wezterm: FakeWezterm, hub: Hub) -> None:
    plan = plan_tab("web", ["a b c"])
    made = adjusts(wezterm)
    build(wezterm, plan)
    (tab,) = wezterm.tabs("web")
    # `b` alone is wider than what `b` and `c` will have together.
    tab.tree.a, tab.tree.b, tab.tree.second.a, tab.tree.second.b = 20, 99, 95, 3
    assert relayout(wezterm, tab, plan) is True
    assert {name: box[2] for name, box in shows(wezterm, tab).items()} == {"web/a": 39, "web/b": 40, "web/c": 39}
    # No pane was without any size in between.
    assert len(made) == 2


def test_nothing_is_moved_where_all_is_in_its_place(wezterm: FakeWezterm, hub: Hub) -> None:
    plan = plan_tab("web", GRID)
    made = adjusts(wezterm)
    build(wezterm, plan)
    assert relayout(wezterm, wezterm.tabs("web")[0], plan) is True
    assert made == []


def test_the_panes_that_are_left_share_the_tab_as_the_plan_says(wezterm: FakeWezterm, hub: Hub) -> None:
    plan = plan_tab("web", ["a b c"])
    adjusts(wezterm)
    build(wezterm, plan, size=(121, 30))
    (tab,) = wezterm.tabs("web")
    wezterm.kill_pane(pane_of(wezterm, "web/c"))
    assert relayout(wezterm, tab, plan) is True
    assert {name: box[2] for name, box in shows(wezterm, tab).items()} == {"web/a": 40, "web/b": 80}


def test_a_tab_with_a_pane_of_somebody_else_is_left_alone(wezterm: FakeWezterm, hub: Hub) -> None:
    plan = plan_tab("web", ["a b"])
    made = adjusts(wezterm)
    build(wezterm, plan)
    (tab,) = wezterm.tabs("web")
    wezterm.call("(...):split { args = { 'vi' } }", wezterm.pane(pane_of(wezterm, "web/a")))
    assert relayout(wezterm, tab, plan)["code"] == "layout.moved"
    assert made == []


def test_no_tab_of_the_window_comes_to_the_front_by_it(wezterm: FakeWezterm, hub: Hub) -> None:
    plan = plan_tab("web", ["a b"])
    adjusts(wezterm)
    build(wezterm, plan, plan_tab("web", ["c"], focus="c"))
    first, second = wezterm.tabs("web")
    focus(wezterm, pane_of(wezterm, "web/c"))
    wezterm.resize(200, 50)
    assert relayout(wezterm, first, plan) is True
    assert wezterm.world.windows[first.window].active == second.id


def test_a_process_is_shown_in_a_tab_a_split_or_a_window(wezterm: FakeWezterm, hub: Hub) -> None:
    code = (
        "local where, pane, window = ... local shown, failure = require('wezparallel.layout').show('web/x', "
        "{ where = where, pane = pane, window = window:mux_window() }) return failure or shown:pane_id()"
    )
    for where, windows, tabs, panes in (("tab", 1, 2, 1), ("split", 1, 2, 2), ("window", 2, 1, 1)):
        made = wezterm.call(code, where, wezterm.pane(), wezterm.window())
        assert len(wezterm.world.order) == windows
        tab = wezterm.world.tabs[wezterm.world.panes[made].tab]
        assert len(wezterm.world.windows[tab.window].tabs) == tabs
        assert len(wezterm.places(tab)) == panes


def test_a_window_of_its_own_is_as_large_as_it_is_told(wezterm: FakeWezterm, hub: Hub) -> None:
    wezterm.call(
        "require('wezparallel.layout').show('x', "
        "{ where = 'window', workspace = 'other', size = { cols = 133, rows = 37 } })"
    )
    (tab,) = wezterm.tabs("other")
    assert (tab.cols, tab.rows) == (133, 37)
