"""What the plugin shows in the real window by itself: status text, marks, no question where nothing is lost."""

from __future__ import annotations

import json

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.place import Place
from tests.wezterm.test_plugin_loads import SETUP, link
from tests.wezterm.waiting import wait_for

pytestmark = pytest.mark.wezterm_gui

RESTORE = "return require('wezparallel.workspaces').restore(nil, nil)"
SHOWN = """
wezparallel.setup(config, { status = STATUS, tab_marks = true, close_question = true })
local title = wezparallel.tab_title
wezparallel.tab_title = function(tab, effective)
  local items = title(tab, effective)
  local words = {}
  for index, item in ipairs(items or {}) do
    words[index] = item.Text or ''
  end
  local file = io.open('TITLE', 'w') -- asking by a call would make WezTerm draw the tabs anew
  file:write(table.concat(words))
  file:close()
  return items
end
local status = require 'wezparallel.status'
local put = status.put
status.put = function(window, text)
  wezterm.GLOBAL.status = text or status.text()
  put(window, text)
end
local client = require 'wezparallel.client'
local call = client.call
client.call = function(request, ...)
  if request.ViewSee then
    wezterm.GLOBAL.seen = request.ViewSee.process
  end
  return call(request, ...)
end
config.keys[#config.keys + 1] = {
  key = 'F8', action = wezterm.action.CloseCurrentPane { confirm = true },
}
"""


@pytest.fixture(params=["true"])
def shop(place: Place, gui: Gui, request: pytest.FixtureRequest) -> Gui:
    """A window on a workspace of two panes."""
    link(place)
    place.wezparallel("daemon", "start")
    place.config.write_text(
        SETUP.format(SHOWN.replace("STATUS", request.param).replace("TITLE", str(place.root / "title")))
    )
    gui.start()
    source = "layout: 'server tests'\npanes: { server: { command: exec cat }, tests: { command: exec cat } }"
    with place.hub() as hub:
        hub.call("WorkspaceCreate", {"name": "shop", "source": source, "root": str(place.home)}, timeout_s=10)
    gui.rpc(RESTORE)
    place.wezparallel("switch", "shop")
    wait_for(lambda: "● shop" in title(place), "the workspace on the screen, its mark in the tab")
    return gui


def title(place: Place) -> str:
    file = place.root / "title"
    return file.read_text() if file.exists() else ""


def said(gui: Gui, what: str) -> str:
    return str(gui.rpc(f"return require('wezterm').GLOBAL.{what} or ''"))


def test_the_status_says_what_runs_and_who_waits(place: Place, shop: Gui) -> None:
    wait_for(lambda: "● 2" in said(shop, "status"), "the number of those that run")

    place.wezparallel("notify", "--process", "shop/tests", "3 failed")

    wait_for(lambda: "! tests" in said(shop, "status"), "who waits")


@pytest.mark.parametrize("shop", ["true", "false"], indirect=True)
def test_marks_change_by_themselves_and_change_back(place: Place, shop: Gui) -> None:
    place.wezparallel("notify", "--process", "shop/tests", "3 failed")
    wait_for(lambda: "! shop" in title(place), "the mark of what waits")

    with place.hub() as hub:
        hub.call("ViewSee", {"process": "shop/tests"})
    wait_for(lambda: "● shop" in title(place), "the mark of what works")


def test_the_view_of_what_was_stopped_goes_where_that_is_wanted_and_a_shell_that_shows_it_stays(
    place: Place, shop: Gui
) -> None:
    snapshot = place.home / ".local/state/wezterm-parallel/gui.json"
    before = {one["pane_id"] for one in shop.list()}
    facts = json.loads(snapshot.read_bytes())
    client = [facts["python"], "-I", "-S", facts["attach"], "shop/tests", "--socket", facts["keeper_socket"]]
    shell = shop.spawn("sh", "-c", '"$@"; exec cat', "sh", *client)
    wait_for(lambda: '"in_shell":true' in snapshot.read_text(), "the client in the shell")
    place.write(".config/wezterm-parallel/config.yaml", "ui: { auto_hide_inactive_panes: true }\n")

    with place.hub() as hub:
        hub.call("ConfigReload", {})
        hub.call("ProcessStop", {"process": "shop/tests"})

    wait_for(lambda: len({one["pane_id"] for one in shop.list()} & before) == len(before) - 1, "the end of the view")
    shop.rpc("require('wezparallel.pulse').look()")
    assert shell in {one["pane_id"] for one in shop.list()}


def test_what_is_looked_at_waits_no_longer(place: Place, shop: Gui) -> None:
    place.wezparallel("notify", "--process", "shop/server", "look here")

    wait_for(lambda: said(shop, "seen") == "shop/server", "the look")
    snapshot = place.home / ".local/state/wezterm-parallel/gui.json"
    wait_for(lambda: json.loads(snapshot.read_bytes())["waiting"] == [], "nobody who waits")


def test_a_pane_of_ours_closes_without_a_question_and_its_program_goes_on(place: Place, shop: Gui) -> None:
    before = len(shop.list())

    shop.key("F8")

    wait_for(lambda: len(shop.list()) == before - 1, "the end of the pane")
    with place.hub() as hub:
        states = {one["process_id"]: one["state"] for one in hub.call("ProcessList", {})["processes"]}
    assert states == {"shop/server": "running", "shop/tests": "running"}
