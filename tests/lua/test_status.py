"""What is shown without being asked: status text, marks of tabs, toasts, who is looked at."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.lua.fake import FakeWezterm
from tests.lua.lua_process import EPOCH
from tests.lua.test_setup import FACTS, Make, started
from tests.lua.test_state import write

MUX = "/run/wezterm/gui-sock-1"


def moment(seconds_ago: float) -> str:
    return (
        (datetime.fromtimestamp(EPOCH, UTC) - timedelta(seconds=seconds_ago)).isoformat().replace("+00:00", ".000Z")
    )


def process(name: str, state: str = "running", **more: Any) -> dict[str, Any]:
    return {"id": f"shop/{name}", "name": name, "state": state, "pane": True, "direct": False, "exit_code": None,
            "waits": None, "since": moment(60), "views": [], **more}  # fmt: skip


def snapshot(*processes: dict[str, Any], workspace: str = "default", **more: Any) -> dict[str, Any]:
    waiting = [
        {
            "process_id": one["id"],
            "name": one["name"],
            "workspace": "shop",
            "text": one["waits"],
            "since": one["since"],
        }
        for one in processes
        if one["waits"]
    ]
    counts = {
        "workspaces": 1, "processes": len(processes), "agents": 0, "waiting": len(waiting),
        "running": sum(one["state"] in ("running", "ready", "unhealthy") for one in processes),
        "failed": sum(one["state"] in ("failed", "backoff") for one in processes),
    }  # fmt: skip
    home = {"name": workspace, "root": "/shop", "open": True, "focus": None, "tabs": [], "processes": list(processes)}
    return {**FACTS, "counts": counts, "waiting": waiting, "workspaces": [home], **more}


def show(wezterm: FakeWezterm, *processes: dict[str, Any], **more: Any) -> None:
    write(wezterm.home, json.dumps(snapshot(*processes, **more)))


def words(text: str) -> str:
    return re.sub(r"\x1b\[[^m]*m", "", text)


def in_pane(pane: int, mux: str = MUX) -> dict[str, Any]:
    return {"views": [{"pane": str(pane), "mux": mux}]}


def asked(wezterm: FakeWezterm, name: str) -> list[dict[str, Any]]:
    """Return what was sent of one command."""
    sent = [json.loads(argv[-1]) for argv in wezterm.children if argv[-1].startswith("{")]
    return [request[name] for request in sent if name in request]


def test_a_snapshot_that_counts_nothing_fails_in_nobodys_handler(make: Make) -> None:
    wezterm = started(make)
    write(wezterm.home, json.dumps({"format": 1, "counts": {}}))
    assert wezterm.call("return require('wezparallel').status_text()") == ""


def test_the_text_names_the_workspace_what_runs_and_who_waits_longest(make: Make) -> None:
    wezterm = started(make)
    show(
        wezterm, process("server"), process("db", "ready"), process("tests", "backoff"),
        process("coder-1", waits="Bash: npm publish", since=moment(250)),
        process("coder-2", waits="a question", since=moment(20)),
    )  # fmt: skip
    text = wezterm.call("return require('wezparallel').status_text()")
    assert words(text) == "default  ● 4  ✗ 1  ! coder-1 4m +1 "
    assert "AnsiColor=Yellow" in text


def test_the_text_is_empty_when_there_is_nothing_to_say(make: Make) -> None:
    wezterm = started(make)
    assert wezterm.call("return require('wezparallel').status_text()") == ""
    show(wezterm, workspace="elsewhere")
    assert wezterm.call("return require('wezparallel').status_text()") == ""


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(-5, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (172799, "47h"), (172800, "2d")],
)
def test_ages_are_short(make: Make, seconds: int, age: str) -> None:
    assert started(make).call("return require('wezparallel.status').age(...)", moment(seconds)) == age


@pytest.mark.parametrize(
    "text", ["2026-02-28T23:59:59.500Z", "2028-02-29T00:00:00Z", "2000-03-01T12:30:00Z", "1970-01-01T00:00:00Z"]
)
def test_moments_are_read_as_utc(make: Make, text: str) -> None:
    seconds = int(datetime.fromisoformat(text).timestamp())
    assert started(make).call("return require('wezparallel.status').epoch(...)", text) == seconds


def test_no_status_is_set_unless_an_option_or_the_configuration_says_so(make: Make) -> None:
    wezterm = started(make)
    show(wezterm, process("server"))
    wezterm.call("(...):set_right_status 'theirs'", wezterm.window())
    wezterm.advance(3)
    assert wezterm.status() == "theirs"
    show(wezterm, process("server"), ui={"show_process_status": True})
    wezterm.advance(3)
    assert words(wezterm.status()) == "default  ● 1 "


@pytest.mark.parametrize(("option", "side"), [("true", "right"), ("'left'", "left"), ("'right'", "right")])
def test_the_status_is_on_the_side_that_is_asked_for(make: Make, option: str, side: str) -> None:
    wezterm = started(make, f"wezparallel.setup(config, {{ status = {option} }})")
    show(wezterm, process("server"))
    wezterm.advance(2)
    assert words(wezterm.status(side)) == "default  ● 1 "
    assert wezterm.status("left" if side == "right" else "right") == ""


def test_false_keeps_the_status_away_whatever_the_configuration_says(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config, { status = false })")
    show(wezterm, process("server"), ui={"show_process_status": True})
    wezterm.advance(2)
    assert wezterm.status() == ""


def test_the_age_in_the_status_goes_on(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config, { status = true })")
    show(wezterm, process("coder", waits="x", since=moment(58)))
    wezterm.advance(1)
    assert "59s" in wezterm.status()
    wezterm.advance(3)
    assert "1m" in wezterm.status()


@pytest.mark.parametrize(
    ("facts", "mark"),
    [
        ({"state": "ready"}, "●"), ({"state": "starting"}, "●"), ({"state": "running", "waits": "x"}, "!"),
        ({"state": "exited", "exit_code": 0}, "✓"), ({"state": "exited", "exit_code": 2}, "✗"),
        ({"state": "failed"}, "✗"), ({"state": "stopped"}, ""), ({"state": "not_started"}, ""),
    ],
)  # fmt: skip
def test_a_tab_carries_the_mark_of_what_it_shows(make: Make, facts: dict[str, Any], mark: str) -> None:
    wezterm = started(make)
    show(wezterm, process("p", **facts, **in_pane(0)))
    assert wezterm.call_sync("return require('wezparallel').tab_mark(...)", wezterm.fake.tab_information(0)) == mark


def test_a_tab_of_several_panes_carries_what_needs_you_most(make: Make) -> None:
    wezterm = started(make)
    wezterm.call("require('wezterm').mux.get_pane(0):split { args = { 'x' } }")
    wezterm.set_user_var(1, "wezparallel_process", "shop/coder")
    show(wezterm, process("server", **in_pane(0)), process("coder", waits="x"))
    assert wezterm.call_sync("return require('wezparallel').tab_mark(...)", wezterm.fake.tab_information(0)) == "!"


def test_a_pane_of_another_wezterm_with_the_same_number_is_not_meant(make: Make) -> None:
    wezterm = started(make)
    show(wezterm, process("server", **in_pane(0, "/run/wezterm/gui-sock-2")))
    assert wezterm.call_sync("return require('wezparallel').tab_mark(...)", wezterm.fake.tab_information(0)) == ""


def test_marks_are_drawn_with_wezterms_own_title_and_only_where_there_is_one(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config, { tab_marks = true })")
    effective = {
        "use_fancy_tab_bar": False,
        "show_tab_index_in_tab_bar": True,
        "tab_and_split_indices_are_zero_based": False,
    }
    tab = wezterm.fake.tab_information(0)
    assert wezterm.emit_sync("format-tab-title", tab, [], [], effective, False, 16) is None
    show(wezterm, process("server", **in_pane(0)))
    items = wezterm.emit_sync("format-tab-title", tab, [], [], effective, False, 16)
    assert "".join(item.get("Text", "") for item in items) == " 1: ● wezterm "


def test_tabs_are_drawn_again_only_when_a_mark_changed(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config, { tab_marks = true })")
    wezterm.call(
        """local status, log = require 'wezparallel.status', require('wezterm').log_info
        local before = status.redraw_tabs
        status.redraw_tabs = function(window) log 'drawn' before(window) end"""
    )
    show(wezterm, process("server", **in_pane(0)))
    wezterm.advance(5)
    first = wezterm.logs.count("info: drawn")
    show(wezterm, process("server", waits="x", **in_pane(0)))
    wezterm.advance(5)
    assert wezterm.logs.count("info: drawn") == first + 1
    assert wezterm.call("return require('wezterm').mux.get_tab(0):get_title()") == ""


def test_what_you_look_at_asks_for_no_look_any_more_and_is_told_once(make: Make) -> None:
    wezterm = started(make)
    show(wezterm, process("coder", waits="x", **in_pane(0)))
    wezterm.advance(5)
    assert [see["process"] for see in asked(wezterm, "ViewSee")] == ["shop/coder"]
    show(wezterm, process("coder", waits="x", since=moment(1), **in_pane(0)))
    wezterm.advance(5)
    assert len(asked(wezterm, "ViewSee")) == 2


def test_what_waits_in_a_window_without_the_focus_is_not_looked_at(make: Make) -> None:
    wezterm = started(make)
    wezterm.slot().focused = False
    show(wezterm, process("coder", waits="x", **in_pane(0)))
    wezterm.advance(5)
    assert asked(wezterm, "ViewSee") == []


@pytest.mark.parametrize(
    ("argv", "answer"),
    [(["/opt/python", "-I", "-S", "/opt/attach.py", "shop/x"], False), (["vim"], None), ([], None)],
)
def test_closing_our_panes_loses_nothing_and_of_others_wezterm_decides(
    make: Make, argv: list[str], answer: bool | None
) -> None:
    wezterm = started(make, "wezparallel.setup(config, { close_question = true })")
    show(wezterm)
    info = {"pid": 1, "name": "python3", "argv": argv, "children": {}}
    assert wezterm.emit_sync("mux-is-process-stateful", info) is answer


def test_wezterm_asks_before_it_closes_a_pane_whose_process_stops_with_it(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config, { close_question = true })")
    show(wezterm, process("x", on_close="stop"), process("y"))
    for name, answer in (("x", None), ("y", False)):
        argv = ["/opt/python", "-I", "-S", "/opt/attach.py", f"shop/{name}", "--socket", "/s"]
        info = {"pid": 1, "name": "python3", "argv": argv, "children": {}}
        assert wezterm.emit_sync("mux-is-process-stateful", info) is answer


ENDED = {"state": "exited", "exit_code": 0}


def two_panes(make: Make) -> FakeWezterm:
    wezterm = started(make)
    wezterm.call("require('wezterm').mux.get_pane(0):split { args = { 'x' } }")
    return wezterm


def test_views_of_what_ended_well_are_closed_where_that_is_wanted(make: Make) -> None:
    wezterm = two_panes(make)
    show(wezterm, process("tests", **ENDED, **in_pane(1)))
    wezterm.advance(3)
    assert wezterm.world.panes[1] is not None
    show(wezterm, process("tests", **ENDED, **in_pane(1)), ui={"auto_hide_inactive_panes": True})
    wezterm.advance(3)
    assert wezterm.world.panes[1] is None
    assert [close["process"] for close in asked(wezterm, "ViewClose")] == ["shop/tests"]


def test_what_is_stopped_by_a_restart_keeps_its_view(make: Make) -> None:
    wezterm = two_panes(make)
    stopped = {"state": "stopped", **in_pane(1)}
    show(wezterm, process("tests", since=moment(0), **stopped), ui={"auto_hide_inactive_panes": True})
    wezterm.advance(1)
    assert wezterm.world.panes[1] is not None
    wezterm.advance(3)
    assert wezterm.world.panes[1] is None


@pytest.mark.parametrize("views", [[{"pane": "1", "mux": MUX, "in_shell": True}], []])
def test_a_shell_in_which_somebody_looks_at_what_ended_is_not_closed(make: Make, views: list[dict[str, Any]]) -> None:
    wezterm = two_panes(make)
    wezterm.set_user_var(1, "wezparallel_process", "shop/tests")
    show(wezterm, process("tests", **ENDED, views=views), ui={"auto_hide_inactive_panes": True})
    wezterm.advance(3)
    assert wezterm.world.panes[1] is not None


@pytest.mark.parametrize(
    "facts", [{"state": "exited", "exit_code": 1}, {"state": "running"}, {**ENDED, "direct": True}]
)
def test_failures_and_what_runs_stay_on_the_screen(make: Make, facts: dict[str, Any]) -> None:
    wezterm = two_panes(make)
    show(wezterm, process("tests", **facts, **in_pane(1)), ui={"auto_hide_inactive_panes": True})
    wezterm.advance(3)
    assert wezterm.world.panes[1] is not None


def test_the_last_pane_is_never_closed_because_wezterm_would_end(make: Make) -> None:
    wezterm = started(make)
    show(wezterm, process("tests", **ENDED, **in_pane(0)), ui={"auto_hide_inactive_panes": True})
    wezterm.advance(3)
    assert wezterm.world.panes[0] is not None
