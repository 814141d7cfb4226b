"""What the end of a view means, with a stand-in for WezTerm whose panes run the real client."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import pytest

from tests.hub.gui.conftest import NewGui
from tests.support.daemon import Daemon
from tests.support.fake_gui import ATTACH, FakeGui
from tests.support.viewing import Pane
from tests.support.views import add, event, events, has_view, requests, snapshot, state, views
from tests.support.waiting import until

RULES = {"keep": "running", "stop": "stopped", "ask": "running"}


@pytest.fixture
def daemon(emptied: Daemon) -> Daemon:
    """The module's daemon."""
    return emptied


def shown(daemon: Daemon, gui: FakeGui, process_id: str, pane: int = 1, **fields: Any) -> int:
    """Have a process, and a pane that shows it; return the client's pid."""
    add(daemon, process_id, **fields)
    pid = gui.open(pane, process_id)
    has_view(daemon, process_id)
    return pid


def now(daemon: Daemon) -> dict[str, Any]:
    """Return the place in the journal."""
    return daemon.call("Status")


def test_a_pane_and_its_gui_are_known_once_the_client_is_there(daemon: Daemon, gui: FakeGui) -> None:
    begin = now(daemon)
    pid = shown(daemon, gui, "a")
    (view,) = views(daemon)
    assert view | {"view_id": "", "size": None} == {
        "view_id": "", "process_id": "a", "pane": "1", "mux": gui.mux, "pid": pid, "size": None, "read_only": False,
        "origin": "viewer",
    }  # fmt: skip
    told = event(daemon, begin, "view.bound")
    assert (told["process_id"], told["pane"], told["mux"]) == ("a", "1", gui.mux)
    until(lambda: snapshot(daemon)["loose"][0]["views"] == [{"pane": "1", "mux": gui.mux}], 5, "the file")


def test_a_pane_closed_by_hand_does_what_its_process_says(daemon: Daemon, gui: FakeGui) -> None:
    for pane, rule in enumerate(RULES):
        shown(daemon, gui, rule, pane, on_close=rule)
    begin = now(daemon)
    for pane, rule in enumerate(RULES):
        gui.close(pane)
        has_view(daemon, rule, 0)
        assert state(daemon, rule) == "running"  # it is decided 2 s later
    found = events(daemon, begin, "view.closed", len(RULES))
    assert {one["process_id"]: (one["by"], one["on_close"], one["pane"], one["mux"]) for one in found} == {
        rule: ("user", rule, str(pane), gui.mux) for pane, rule in enumerate(RULES)
    }
    for rule, after in RULES.items():
        until(lambda rule=rule, after=after: state(daemon, rule) == after, 10, f"{rule} to act")  # type: ignore[misc]
    until(lambda: bool(requests(daemon, "ask_close", gui.mux)), 5, "the question")
    (asked,) = requests(daemon, "ask_close", gui.mux)
    assert (asked["process_id"], asked["name"]) == ("ask", "ask")


def test_a_client_that_was_killed_in_its_pane_is_a_pane_that_was_closed(daemon: Daemon, gui: FakeGui) -> None:
    pid = shown(daemon, gui, "a", on_close="stop")
    os.kill(pid, signal.SIGKILL)
    until(lambda: state(daemon, "a") == "stopped", 10, "the stop")


def test_a_client_that_a_shell_started_is_not_the_pane(daemon: Daemon, gui: FakeGui) -> None:
    add(daemon, "a", on_close="stop")
    gui.open(1, "a", in_shell=True)
    has_view(daemon, "a")
    begin = now(daemon)
    os.kill(views(daemon)[0]["pid"], signal.SIGKILL)
    told = event(daemon, begin, "view.closed")
    assert (told["by"], told["on_close"]) == ("program", "keep")
    assert state(daemon, "a") == "running"


@pytest.mark.parametrize("how", ["kill", "quit"])
def test_a_gui_that_is_gone_keeps_everything(daemon: Daemon, gui: FakeGui, how: str) -> None:
    shown(daemon, gui, "a", on_close="stop")
    begin = now(daemon)
    getattr(gui, how)()
    told = event(daemon, begin, "view.lost")
    assert (told["reason"], told["process_id"], told["pane"]) == ("gui_gone", "a", "1")
    assert state(daemon, "a") == "running"
    assert views(daemon) == []


def test_one_of_two_panes_closed_by_hand_keeps(daemon: Daemon, gui: FakeGui, new_gui: NewGui) -> None:
    other = new_gui()
    shown(daemon, gui, "a", on_close="stop")
    other.open(1, "a")
    has_view(daemon, "a", 2)
    begin = now(daemon)
    gui.close(1)
    told = event(daemon, begin, "view.closed")
    assert (told["by"], told["on_close"]) == ("user", "keep")
    assert state(daemon, "a") == "running"


def test_a_detach_and_the_programs_end_mean_nothing(daemon: Daemon, gui: FakeGui) -> None:
    pid = shown(daemon, gui, "a", on_close="stop")
    daemon.call("ProcessType", process="a", text="live")
    until(lambda: b"live" in gui.shown(1), 10, "a live terminal")
    begin = now(daemon)
    os.kill(pid, signal.SIGTERM)
    told = event(daemon, begin, "view.closed")
    assert (told["by"], told["on_close"]) == ("program", "keep")
    assert state(daemon, "a") == "running"


def test_a_pane_that_we_had_closed_is_nobodys_wish(daemon: Daemon, gui: FakeGui) -> None:
    shown(daemon, gui, "a", on_close="stop")
    begin = now(daemon)
    closed = daemon.call("ViewClose", process="a")
    assert [view["pane"] for view in closed["views"]] == ["1"]
    (request,) = requests(daemon, "close_view", gui.mux)
    assert (request["process_id"], request["pane"], request["mux"]) == ("a", "1", gui.mux)
    gui.close(1)
    told = event(daemon, begin, "view.closed")
    assert (told["by"], told["on_close"]) == ("program", "keep")
    assert state(daemon, "a") == "running"


def test_what_stands_still_is_not_asked_about(daemon: Daemon, gui: FakeGui) -> None:
    shown(daemon, gui, "a", on_close="ask")
    daemon.call("ProcessStop", process="a")
    until(lambda: b"r restart" in gui.shown(1), 10, "the line between two runs")
    begin = now(daemon)
    gui.close(1)
    told = event(daemon, begin, "view.closed")
    assert (told["by"], told["on_close"]) == ("user", "keep")
    assert requests(daemon, "ask_close", gui.mux) == []


def test_a_restart_that_is_due_is_given_up_with_the_pane(daemon: Daemon, gui: FakeGui) -> None:
    daemon.call(
        "ProcessAdd", id="a", command="false", tty=True, on_close="stop", restart="always", backoff_s=3600,
        auto_start=False,
    )  # fmt: skip
    gui.open(1, "a")
    has_view(daemon, "a")
    daemon.call("ProcessStart", process="a")
    until(lambda: b"again in" in gui.shown(1), 10, "the line that counts down")
    gui.close(1)
    until(lambda: state(daemon, "a") == "stopped", 10, "the stop")


def test_a_hub_that_dies_meanwhile_forgets_the_closing(daemon: Daemon, gui: FakeGui) -> None:
    shown(daemon, gui, "a", on_close="stop")
    add(daemon, "b", on_close="stop")
    gui.open(2, "b")
    has_view(daemon, "b")
    gui.close(1)
    has_view(daemon, "a", 0)
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    has_view(daemon, "b")  # it was told of those that are there
    begin = now(daemon)
    gui.close(2)
    told = event(daemon, begin, "view.closed")
    assert (told["process_id"], told["on_close"]) == ("b", "stop")
    until(lambda: state(daemon, "b") == "stopped", 10, "the stop")
    assert state(daemon, "a") == "running"


def test_an_agents_client_takes_no_pane_by_naming_one(daemon: Daemon, gui: FakeGui) -> None:
    shown(daemon, gui, "a")
    add(daemon, "b")
    named = ["WEZTERM_PANE=1", f"WEZTERM_UNIX_SOCKET={gui.mux}", "TERM_PROGRAM=WezTerm"]
    client = [*named, sys.executable, "-I", "-S", ATTACH, "b", "--read-only"]
    daemon.call("ProcessAdd", id="bot", command="env", args=client, tty=True, agent="claude_code")
    has_view(daemon, "b")
    assert [(view["process_id"], view["pane"]) for view in views(daemon)] == [("a", "1"), ("b", None)]


def test_a_terminal_outside_of_wezterm_is_no_pane(daemon: Daemon) -> None:
    add(daemon, "a", on_close="stop")
    begin = now(daemon)
    pane = Pane()
    pane.attach(daemon, "a", leads=True, TERM="xterm")
    has_view(daemon, "a")
    assert [(view["pane"], view["mux"]) for view in views(daemon)] == [(None, None)]
    pane.read_until(lambda: pane.is_raw, "raw mode")
    pane.close_like_wezterm()
    has_view(daemon, "a", 0)
    assert pane.client is not None
    pane.client.wait(10)
    bind = daemon.call("ViewBind", process="a", pane="1", mux="/a")["view"]
    assert event(daemon, begin, "view.*")["view_id"] == bind["view_id"]  # nothing was told before


def test_a_shell_in_which_somebody_looks_is_not_closed(daemon: Daemon, gui: FakeGui) -> None:
    add(daemon, "a")
    add(daemon, "b")
    gui.open(2, "b")
    gui.open(1, "a", in_shell=True)
    has_view(daemon, "a")
    has_view(daemon, "b")
    until(lambda: "in_shell" in str(snapshot(daemon)["loose"]), 5, "the file")
    assert daemon.call("ViewClose", process="a")["views"] == []
    assert daemon.call("ViewClose", process="b")["views"] != []
    until(lambda: bool(requests(daemon, "close_view", gui.mux)), 10, "the one request")
    assert [one["process_id"] for one in requests(daemon, "close_view", gui.mux)] == ["b"]
