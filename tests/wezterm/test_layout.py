"""The plugin's layouts in the real WezTerm, headless: the right panes at the right places, with what runs in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.wezterm.mux_server import MuxServer
from tests.wezterm.place import Place
from tests.wezterm.waiting import wait_for

pytestmark = pytest.mark.wezterm

LUA = Path(__file__).parents[2] / "lua"
TEMPLATE = """
layout:
  areas: |
    coder  coder  server
    coder  coder  tests
    log    log    log
panes:
  coder:  { command: echo coder says hello; exec cat, focus: true }
  server: { command: echo server says hello; exec cat }
  tests:  { command: echo tests say hello; exec cat }
  log:    { command: echo log says hello; exec cat }
"""
Boxes = dict[str, tuple[int, int, int, int]]


@pytest.fixture(scope="module")
def wezterm() -> Iterator[MuxServer]:
    """A mux server with our plugin in reach, as `init` links it, and our daemon beside it."""
    place = Place()
    server = MuxServer(place)
    try:
        place.write(".wezterm/README", "")
        (place.home / ".wezterm" / "wezparallel").symlink_to(LUA / "wezparallel")
        place.wezparallel("daemon", "start")
        server.start()
        yield server
    finally:
        server.close()
        place.close()


def boxes(wezterm: MuxServer, panes: dict[str, int]) -> Boxes:
    """Where each pane lies: left, top, columns, rows."""
    by_id = {pane["pane_id"]: pane for pane in wezterm.list()}
    found = {}
    for name, number in panes.items():
        pane = by_id[number]
        found[name] = (pane["left_col"], pane["top_row"], pane["size"]["cols"], pane["size"]["rows"])
    return found


def call(wezterm: MuxServer, body: str, *args: Any) -> Any:
    return wezterm.rpc(f"local layout, mux = require 'wezparallel.layout', require('wezterm').mux {body}", *args)


def opened(wezterm: MuxServer, name: str, source: str = TEMPLATE) -> Any:
    """The plan of a workspace whose programs wait for their panes."""
    with wezterm.place.hub() as hub:
        fields = {"name": name, "source": source, "root": str(wezterm.place.home), "view": "plan"}
        return hub.call("WorkspaceCreate", fields, timeout_s=10)["plan"]


def build(wezterm: MuxServer, name: str, plan: Any, size: tuple[int, int] = (120, 30)) -> Any:
    body = (
        "local name, plan, cols, rows = ... local built, failure = "
        "layout.build(name, plan, { size = { cols = cols, rows = rows } }) local panes = {} "
        "for id, pane in pairs(built and built.panes or {}) do panes[id:match '[^/]+$'] = pane:pane_id() end "
        "return failure or { tab = built.tabs[1]:tab_id(), focus = built.focus:pane_id(), panes = panes }"
    )
    return call(wezterm, body, name, plan, *size)


def skew(wezterm: MuxServer, pane: int, direction: str, amount: int) -> None:
    """Move a divider, as a person does by key."""
    wezterm.cli("activate-pane", "--pane-id", str(pane))
    wezterm.cli("adjust-pane-size", direction, "--amount", str(amount), "--pane-id", str(pane))


def relayout(wezterm: MuxServer, made: Any, plan: Any) -> Any:
    body = "local tab, plan = ... local ok, failure = layout.relayout(mux.get_tab(tab), plan.tabs[1]) "
    return call(wezterm, body + "return failure or ok", made["tab"], plan)


def test_four_panes_lie_where_the_picture_has_them_and_show_what_runs(wezterm: MuxServer) -> None:
    made = build(wezterm, "four", opened(wezterm, "four"))
    assert boxes(wezterm, made["panes"]) == {
        "coder": (0, 0, 80, 20),
        "server": (81, 0, 39, 9),
        "tests": (81, 10, 39, 10),
        "log": (0, 21, 120, 9),
    }
    for name, pane in made["panes"].items():
        assert wezterm.wait_for_text(pane, " hello").startswith(name)
    four = [pane for pane in wezterm.list() if pane["workspace"] == "four"]
    assert len(four) == 4
    assert [pane["pane_id"] for pane in four if pane["is_active"]] == [made["focus"]] == [made["panes"]["coder"]]


def test_sizes_are_exact_where_percents_would_not_be(wezterm: MuxServer) -> None:
    made = build(wezterm, "exact", opened(wezterm, "exact"), (237, 61))
    assert boxes(wezterm, made["panes"]) == {
        "coder": (0, 0, 158, 40),
        "server": (159, 0, 78, 20),
        "tests": (159, 21, 78, 19),
        "log": (0, 41, 237, 20),
    }


def test_sizes_are_there_again_after_dividers_were_moved(wezterm: MuxServer) -> None:
    plan = opened(wezterm, "moved")
    made = build(wezterm, "moved", plan)
    panes = made["panes"]
    before = boxes(wezterm, panes)
    skew(wezterm, panes["coder"], "Left", 70)
    skew(wezterm, panes["log"], "Down", 5)
    skew(wezterm, panes["server"], "Up", 4)
    assert len({*boxes(wezterm, panes).items()} & {*before.items()}) == 0
    assert relayout(wezterm, made, plan) is True
    assert boxes(wezterm, panes) == before


def test_sizes_are_mended_where_a_part_was_left_without_any(wezterm: MuxServer) -> None:
    plan = opened(wezterm, "mended")
    made = build(wezterm, "mended", plan)
    panes = made["panes"]
    before = boxes(wezterm, panes)
    skew(wezterm, panes["server"], "Down", 7)
    skew(wezterm, panes["coder"], "Up", 6)  # `server` alone is now higher than what it shares with `tests`
    assert boxes(wezterm, panes)["server"][3] > boxes(wezterm, panes)["coder"][3]
    assert relayout(wezterm, made, plan) is True
    assert boxes(wezterm, panes) == before


def test_what_gets_smaller_is_put_in_order_before_it_does(wezterm: MuxServer) -> None:
    panes = "".join(f"  {name}: {{ command: exec cat }}\n" for name in "abc")
    plan = opened(wezterm, "smaller", f"layout: 'a b c'\npanes:\n{panes}")
    made = build(wezterm, "smaller", plan)
    before = boxes(wezterm, made["panes"])
    skew(wezterm, made["panes"]["a"], "Left", 30)
    skew(wezterm, made["panes"]["b"], "Right", 60)
    assert boxes(wezterm, made["panes"])["b"][2] > before["b"][2] + before["c"][2]
    assert relayout(wezterm, made, plan) is True
    assert boxes(wezterm, made["panes"]) == before


def test_a_half_built_workspace_is_taken_away_with_what_no_tab_shows(wezterm: MuxServer) -> None:
    before = wezterm.list()
    plan = opened(wezterm, "undone")
    # The last pane has no room: its program has started already when WezTerm says so, and is in no tab then.
    body = (
        "local plan = ... local making = require 'wezparallel.making' local real = making.make_split "
        "making.make_split = function(of, way, cells) return real(of, way, way == 'Right' and 500 or cells) end "
        "local built, failure = layout.build('undone', plan, { size = { cols = 120, rows = 30 } }) "
        "making.make_split = real "
        "local highest = 0 for id = 0, 200 do if pcall(mux.get_pane, id) then highest = id end end "
        "return { failure, highest }"
    )
    failure, highest = call(wezterm, body, plan)
    assert failure["code"] == "layout.failed"
    assert "No space for split!" in failure["message"]
    wait_for(lambda: wezterm.list() == before, "the panes to be gone")
    assert highest == max(pane["pane_id"] for pane in before)


def test_a_missing_pane_comes_back_to_its_place(wezterm: MuxServer) -> None:
    plan = opened(wezterm, "missing")
    made = build(wezterm, "missing", plan)
    before = boxes(wezterm, made["panes"])
    wezterm.wait_for_text(made["panes"]["tests"], "tests say hello")
    wezterm.cli("kill-pane", "--pane-id", str(made["panes"]["tests"]))
    body = (
        "local plan = ... local to, failure = require('wezparallel.drawing').draw(nil, { name = 'missing' }, plan) "
        "return failure or to:pane_id()"
    )
    panes = {**made["panes"], "tests": call(wezterm, body, plan)}
    assert boxes(wezterm, panes) == before
    # It was never ended, and shows what it wrote before.
    wezterm.wait_for_text(panes["tests"], "tests say hello")
