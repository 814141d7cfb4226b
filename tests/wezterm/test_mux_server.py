"""The headless WezTerm, as other tests use it."""

from __future__ import annotations

import os

import pytest

from tests.wezterm.mux_server import MuxServer
from tests.wezterm.place import Place
from tests.wezterm.waiting import wait_for

pytestmark = pytest.mark.wezterm


def test_what_a_spawned_program_prints_stands_in_its_pane(mux_server: MuxServer) -> None:
    mux_server.start()

    pane = mux_server.spawn("sh", "-c", "echo ready to serve; exec cat", workspace="web")

    assert "ready to serve" in mux_server.wait_for_text(pane, "ready to serve")
    assert [one["pane_id"] for one in mux_server.list() if one["workspace"] == "web"] == [pane]


def test_its_lua_answers_calls_and_has_read_the_configuration(place: Place, mux_server: MuxServer) -> None:
    place.config.write_text("local config = {}\nanswer = 42\nreturn config\n")
    mux_server.start()

    said = mux_server.rpc(
        "local ok, out = require('wezterm').run_child_process { 'echo', ... }\nreturn { answer, ok, out }", "over"
    )

    assert said == [42, True, "over\n"]
    with pytest.raises(AssertionError, match="no such luck"):
        mux_server.rpc("error 'no such luck'")
    assert len(mux_server.list()) == 1, "a call left a pane behind"


def test_its_lua_splits_panes(mux_server: MuxServer) -> None:
    mux_server.start()

    made = mux_server.rpc(
        """
        local mux = require('wezterm').mux
        local _, first = mux.spawn_window { workspace = 'four', width = 120, height = 30, args = { 'cat' } }
        local second = first:split { direction = 'Right', size = 0.3, args = { 'cat' } }
        return { first:pane_id(), second:pane_id() }
        """
    )

    four = [pane for pane in mux_server.list() if pane["workspace"] == "four"]
    sizes = {pane["pane_id"]: (pane["size"]["cols"], pane["size"]["rows"]) for pane in four}
    assert sizes == {made[0]: (83, 30), made[1]: (36, 30)}


def test_it_is_killed_and_started_again_with_new_panes(mux_server: MuxServer) -> None:
    mux_server.start()
    pane = mux_server.spawn("sh", "-c", "echo $$; exec cat")
    inside = int(mux_server.wait_for_text(pane, "\n").split()[0])

    mux_server.kill()

    wait_for(lambda: not os.path.exists(f"/proc/{inside}"), "the pane's program to end with its terminal")
    mux_server.start()
    assert len(mux_server.list()) == 1
