"""The plugin's layouts in the real WezTerm, headless: the right panes at the right places, with what runs in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.wezterm.mux_server import MuxServer
from tests.wezterm.place import Place
from tests.wezterm.waiting import wait_for

pytestmark = pytest.mark.wezterm

LUA = Path(__file__).parents[2] / "lua"
TEMPLATE = """
name: four
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


@pytest.fixture
def wezterm(place: Place, mux_server: MuxServer) -> MuxServer:
    """A mux server with our plugin in reach, as `init` links it."""
    place.write(".wezterm/README", "")
    (place.home / ".wezterm" / "wezparallel").symlink_to(LUA / "wezparallel")
    mux_server.start()
    return mux_server


def boxes(wezterm: MuxServer, workspace: str) -> Boxes:
    """Where each pane lies that says hello: left, top, columns, rows."""
    found = {}
    for pane in wezterm.list():
        if pane["workspace"] == workspace:
            text = wezterm.wait_for_text(pane["pane_id"], " hello")
            size = pane["size"]
            found[text.split()[0]] = (pane["left_col"], pane["top_row"], size["cols"], size["rows"])
    return found


def call(wezterm: MuxServer, body: str, *args: Any) -> Any:
    return wezterm.rpc(f"local layout, mux = require 'wezparallel.layout', require('wezterm').mux {body}", *args)


def build(wezterm: MuxServer, plan: Any, cols: int, rows: int) -> Any:
    body = (
        "local plan, cols, rows = ... local built, failure = "
        "layout.build('four', plan, { size = { cols = cols, rows = rows } }) "
        "return failure or { tab = built.tabs[1]:tab_id(), focus = built.focus:pane_id() }"
    )
    return call(wezterm, body, plan, cols, rows)


def opened(place: Place) -> Any:
    with place.hub() as hub:
        fields = {"name": "four", "source": TEMPLATE, "root": str(place.home), "view": "plan"}
        return hub.call("WorkspaceCreate", fields, timeout_s=10)


def test_four_panes_lie_where_the_picture_has_them_and_show_what_runs(place: Place, wezterm: MuxServer) -> None:
    place.wezparallel("daemon", "start")
    made = build(wezterm, opened(place)["plan"], 120, 30)
    assert boxes(wezterm, "four") == {
        "coder": (0, 0, 80, 20),
        "server": (81, 0, 39, 9),
        "tests": (81, 10, 39, 10),
        "log": (0, 21, 120, 9),
    }
    focused = [pane for pane in wezterm.list() if pane["workspace"] == "four" and pane["is_active"]]
    assert [pane["pane_id"] for pane in focused] == [made["focus"]]
    assert wezterm.text(made["focus"]).split()[0] == "coder"
