"""What the hub asks of the GUI is done once, in order, by the GUI that is meant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lua.fake import FakeWezterm
from tests.lua.lua_process import EPOCH, HELD
from tests.lua.test_setup import Make, started
from tests.lua.test_state import write
from tests.lua.test_status import MUX, asked, in_pane, process, snapshot

RECORD = """
local log = require('wezterm').log_info
for module, names in pairs {
  workspaces = { 'switch', 'open', 'relayout', 'restore' }, processes = { 'reveal', 'show' },
} do
  for _, name in ipairs(names) do
    require('wezparallel.' .. module)[name] = function(_, pane, ...)
      if BLOCK then require('wezterm').sleep_ms(1000) end
      log(name, pane:pane_id(), ...)
    end
  end
end
"""


def request(number: int, kind: str, **fields: Any) -> dict[str, Any]:
    """A request of `number` ms after the virtual clock began."""
    return {"id": EPOCH * 1000 + number, "kind": kind, "mux": MUX, **fields}


def show(wezterm: FakeWezterm, *requests: dict[str, Any], **more: Any) -> None:
    processes = more.pop("processes", [process("server", **in_pane(0)), process("coder", waits="x")])
    write(wezterm.home, json.dumps(snapshot(*processes, requests=list(requests), **more)))


@pytest.fixture
def wezterm(make: Make) -> FakeWezterm:
    """A WezTerm whose deeds are written to its log instead of being done."""
    running = started(make)
    running.call(RECORD.replace("BLOCK", "false"))
    show(running)
    running.advance(1)
    return running


def done(wezterm: FakeWezterm) -> list[str]:
    return [line.removeprefix("info: ") for line in wezterm.logs if line.startswith("info: ")]


@pytest.mark.parametrize(
    ("kind", "fields", "deed"),
    [
        ("switch", {"workspace": "web"}, "switch 0 web nil"),
        ("switch", {"workspace": "web", "focus": "web/api"}, "switch 0 web web/api"),
        ("focus", {"process_id": "web/api"}, "reveal 0 web/api"),
        ("open", {"process_id": "web/api", "where": "split"}, "show 0 web/api split"),
        ("build", {"workspace": "web"}, "open 0 web"),
        ("relayout", {"workspace": "web"}, "relayout 0 web"),
        ("restore", {}, "restore 0"),
    ],
)  # fmt: skip
def test_each_kind_is_done(wezterm: FakeWezterm, kind: str, fields: dict[str, Any], deed: str) -> None:
    show(wezterm, request(500, kind, **fields))
    wezterm.advance(1.5)
    assert done(wezterm) == [deed]


def test_a_request_that_comes_between_two_windows_is_done_in_the_next(wezterm: FakeWezterm) -> None:
    # The last window of a workspace is closed, and that of the next workspace is not drawn yet.
    wezterm.call(
        """
        local gui, panes = require('wezterm').gui, require 'wezparallel.panes'
        local lost = setmetatable({}, { __index = function() return function() error 'invalid window 1' end end })
        panes.all = rawget(gui, 'gui_windows')
        rawset(gui, 'gui_windows', function() return { lost } end)
        """
    )
    show(wezterm, request(500, "switch", workspace="web"))
    wezterm.advance(1.5)
    assert done(wezterm) == []
    wezterm.call("rawset(require('wezterm').gui, 'gui_windows', require('wezparallel.panes').all)")
    wezterm.advance(1.5)
    assert done(wezterm) == ["switch 0 web nil"]


def test_a_request_is_done_once_however_often_it_is_read_and_after_a_reload(wezterm: FakeWezterm) -> None:
    show(wezterm, request(500, "switch", workspace="web"))
    wezterm.advance(5)
    wezterm.reload()
    wezterm.call(RECORD.replace("BLOCK", "false"))
    wezterm.advance(5)
    assert done(wezterm) == ["switch 0 web nil"]


def test_the_wake_up_of_the_hub_is_heard_at_once(wezterm: FakeWezterm) -> None:
    show(wezterm, request(500, "switch", workspace="web"))
    wezterm.set_user_var(0, "somebody_elses", "1")
    assert done(wezterm) == []
    wezterm.set_user_var(0, "wezparallel_wake", "1")
    assert done(wezterm) == ["switch 0 web nil"]


def test_requests_are_done_in_order_although_one_takes_its_time(make: Make) -> None:
    wezterm = started(make)
    wezterm.call(RECORD.replace("BLOCK", "name == 'open'"))
    first, second = request(1, "build", workspace="a"), request(2, "switch", workspace="b")
    show(wezterm, first)
    wezterm.set_user_var(0, "wezparallel_wake", "1")
    show(wezterm, first, second)
    wezterm.set_user_var(0, "wezparallel_wake", "2")
    wezterm.advance(3)
    assert done(wezterm) == ["open 0 a", "switch 0 b nil"]


def test_what_another_gui_is_asked_is_left_to_it(wezterm: FakeWezterm) -> None:
    show(
        wezterm,
        request(500, "switch", workspace="theirs") | {"mux": "/run/wezterm/gui-sock-2"},
        request(501, "switch", workspace="anybodys") | {"mux": None},
    )
    wezterm.advance(2)
    assert done(wezterm) == ["switch 0 anybodys nil"]


def test_what_was_asked_before_this_wezterm_was_there_is_not_done_but_the_last_seconds_are(make: Make) -> None:
    wezterm = started(make)
    wezterm.call(RECORD.replace("BLOCK", "false"))
    show(wezterm, request(-20_000, "switch", workspace="old"), request(-5_000, "switch", workspace="new"))
    wezterm.advance(2)
    assert done(wezterm) == ["switch 0 new nil"]


def test_a_deed_that_fails_is_logged_and_the_next_one_is_done(wezterm: FakeWezterm) -> None:
    wezterm.call("require('wezparallel.workspaces').switch = function() error('it broke') end")
    show(wezterm, request(1, "switch", workspace="a"), request(2, "build", workspace="b"))
    wezterm.advance(2)
    assert done(wezterm) == ["open 0 b"]
    assert any("switch" in line and "it broke" in line for line in wezterm.logs if line.startswith("error"))


def test_a_kind_of_a_later_version_is_passed_over(wezterm: FakeWezterm) -> None:
    show(wezterm, request(1, "dance"), request(2, "build", workspace="b"))
    wezterm.advance(2)
    assert done(wezterm) == ["open 0 b"]


def test_the_focused_window_is_the_one_that_acts(wezterm: FakeWezterm) -> None:
    wezterm.call("require('wezterm').mux.spawn_window { args = { 'x' } }")
    wezterm.slot(1).focused, wezterm.slot(2).focused = False, True
    show(wezterm, request(500, "switch", workspace="web"))
    wezterm.advance(2)
    assert done(wezterm) == ["switch 1 web nil"]


def test_a_split_is_made_beside_the_pane_that_is_named(wezterm: FakeWezterm) -> None:
    wezterm.call("require('wezterm').mux.get_pane(0):split { args = { 'x' } }")
    show(wezterm, request(1, "open", process_id="web/api", where="split", after_pane="0"))
    wezterm.advance(2)
    assert done(wezterm) == ["show 0 web/api split"]


def toasts(wezterm: FakeWezterm) -> list[tuple[str, str]]:
    return [(toast["title"], toast["message"]) for toast in wezterm.toasts]


def test_a_toast_is_shown(wezterm: FakeWezterm) -> None:
    show(wezterm, request(1, "toast", title="coder waits", body="npm publish", process_id="shop/coder"))
    wezterm.advance(2)
    assert toasts(wezterm) == [("coder waits", "npm publish")]


def test_it_is_quiet_about_the_pane_that_you_look_at(wezterm: FakeWezterm) -> None:
    toast = {"title": "server", "body": "exited 1", "process_id": "shop/server"}
    show(wezterm, request(1, "toast", **toast))
    wezterm.advance(2)
    assert toasts(wezterm) == []
    wezterm.slot().focused = False
    show(wezterm, request(2, "toast", **toast))
    wezterm.advance(2)
    assert toasts(wezterm) == [("server", "exited 1")]


def test_toasts_can_be_switched_off(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config, { toasts = false })")
    show(wezterm, request(1, "toast", title="a", body="b"))
    wezterm.advance(2)
    assert toasts(wezterm) == []


def test_views_are_closed_and_the_process_is_left_alone(wezterm: FakeWezterm) -> None:
    wezterm.call("local p = require('wezterm').mux.get_pane(0) p:split { args = { 'x' } } p:split { args = { 'y' } }")
    both = {"views": [{"pane": "1", "mux": MUX}, {"pane": "2", "mux": MUX}]}
    show(wezterm, request(1, "close_view", process_id="shop/db", pane="2"), processes=[process("db", **both)])
    wezterm.advance(2)
    assert (wezterm.world.panes[1] is not None, wezterm.world.panes[2]) == (True, None)
    assert asked(wezterm, "ViewClose") == asked(wezterm, "ProcessStop") == []


@pytest.mark.parametrize("yes", [True, False])
def test_a_closed_pane_whose_process_may_end_is_asked_about(wezterm: FakeWezterm, yes: bool) -> None:
    show(wezterm, request(1, "ask_close", process_id="shop/db", name="db"))
    wezterm.advance(2)
    wezterm.choose("yes" if yes else None)
    assert [stop["process"] for stop in asked(wezterm, "ProcessStop")] == (["shop/db"] if yes else [])


def test_the_hub_is_told_once_that_a_plugin_is_here_and_a_missing_daemon_is_started(make: Make) -> None:
    wezterm = started(make)
    wezterm.advance(3)
    assert wezterm.children == []  # nobody knows whom to ask
    show(wezterm)
    wezterm.advance(3)
    wezterm.reload()
    wezterm.advance(3)
    assert asked(wezterm, "Ping") == [{"mux": MUX}]
    assert "--no-start" not in wezterm.children[0]


def test_without_auto_start_a_missing_daemon_stays_missing(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config, { auto_start = false })")
    show(wezterm)
    wezterm.advance(3)
    assert all("--no-start" in argv for argv in wezterm.children)


def test_a_hub_that_never_answers_stops_nothing_else(make: Make) -> None:
    wezterm = started(make)
    wezterm.answer = lambda _argv: HELD
    wezterm.call(RECORD.replace("BLOCK", "false"))
    show(wezterm)
    wezterm.advance(2)
    show(wezterm, request(2500, "switch", workspace="web"))
    wezterm.advance(2)
    assert done(wezterm) == ["switch 0 web nil"]


@pytest.mark.parametrize(("text", "words"), [(None, "wezparallel init"), ('{"format":9}', "update both")])
def test_a_snapshot_that_is_missing_or_foreign_is_told_once(make: Make, text: str | None, words: str) -> None:
    wezterm = started(make)
    if text is not None:
        write(wezterm.home, text)
    wezterm.fake.toasts = wezterm.lua.table()
    wezterm.call(
        "local G = require('wezterm').GLOBAL G.wezparallel_told_missing = nil G.wezparallel_told_format = nil"
    )
    wezterm.advance(10)
    wezterm.reload()
    wezterm.advance(10)
    (toast,) = wezterm.toasts
    assert words in toast["message"]


def test_one_task_looks_and_a_reload_leaves_one(make: Make) -> None:
    wezterm = started(make)
    show(wezterm)
    for _ in range(3):
        wezterm.reload()
        wezterm.advance(2)
    assert sum(timer.resume is not None for timer in wezterm.fake.timers.values()) == 1


def test_a_program_that_wakes_without_end_is_looked_at_some_times_a_second_only(make: Make) -> None:
    wezterm = started(make)
    show(wezterm)
    wezterm.call(
        """local state, log = require 'wezparallel.state', require('wezterm').log_info
        local read = state.read
        state.read = function() log 'read' return read() end"""
    )
    wezterm.advance(1.1)
    before = len(done(wezterm))
    for number in range(200):
        wezterm.set_user_var(0, "wezparallel_request", str(number))
    assert len(done(wezterm)) - before < 100


def test_a_flood_of_titles_is_looked_at_some_times_a_second_only(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config, { status = true })")
    show(wezterm)
    wezterm.call(
        """local state, log = require 'wezparallel.state', require('wezterm').log_info
        local read = state.read
        state.read = function() log 'read' return read() end"""
    )
    wezterm.advance(1.1)
    before = len(done(wezterm))
    for _ in range(500):
        wezterm.fake.update_status(wezterm.slot())
        wezterm.drain()
    assert len(done(wezterm)) - before < 100
