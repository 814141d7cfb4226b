"""Panes that the real WezTerm closes, one by one or with its own end: what becomes of the processes in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.instance import Instance
from tests.wezterm.mux_server import MuxServer
from tests.wezterm.place import Place
from tests.wezterm.waiting import wait_for

pytestmark = pytest.mark.wezterm

RULES = {"keep": "running", "stop": "stopped"}
CONFIG = "local config = require('wezterm').config_builder()\nreturn config\n"


def snapshot(place: Place) -> dict[str, Any]:
    """Return what the plugin would read."""
    found: dict[str, Any] = json.loads((place.home / ".local/state/wezterm-parallel/gui.json").read_bytes())
    return found


def states(place: Place) -> dict[str, str]:
    with place.hub() as hub:
        return {one["process_id"]: one["state"] for one in hub.call("ProcessList", {})["processes"]}


def told(place: Place, since: dict[str, Any], name: str, count: int) -> dict[str, dict[str, Any]]:
    """Return the data of the next events of that name, by process."""
    found: dict[str, dict[str, Any]] = {}
    with place.hub() as hub:
        stream = hub.subscribe([name], since=since["seq"], epoch=since["epoch"])
        while len(found) < count:
            message = stream.next(20)
            assert message is not None, f"no more {name}; {found}"
            found[message["Event"]["data"]["process_id"]] = message["Event"]["data"]
    return found


def shown(place: Place, server: Instance) -> dict[str, int]:
    """Have a process of each rule in a pane that runs the attach client, live; return the panes."""
    place.wezparallel("daemon", "start")
    place.config.write_text(CONFIG)
    server.start()
    wait_for((place.home / ".local/state/wezterm-parallel/gui.json").exists, "the snapshot")
    facts = snapshot(place)
    # All in one window: what is closed window by window may take longer than the daemon waits for WezTerm's end.
    first = str(wait_for(server.list, "the first pane")[0]["pane_id"])
    panes = {}
    with place.hub() as hub:
        for name in RULES:
            fields = {"id": name, "command": "cat", "tty": True, "on_close": name}
            hub.call("ProcessAdd", fields)
            words = [facts["python"], "-I", "-S", facts["attach"], name, "--socket", facts["keeper_socket"]]
            panes[name] = int(server.cli("spawn", "--pane-id", first, "--", *words))
            hub.call("ProcessType", {"process": name, "text": f"{name} is live", "enter": True})
            server.wait_for_text(panes[name], f"{name} is live")
    return panes


def test_each_pane_is_known_where_it_is(place: Place, mux_server: MuxServer) -> None:
    panes = shown(place, mux_server)
    wait_for(
        lambda: (
            {one["id"]: one["views"] for one in snapshot(place)["loose"]}
            == {name: [{"pane": str(pane), "mux": str(mux_server.socket)}] for name, pane in panes.items()}
        ),
        "the panes in the snapshot",
    )


def test_a_pane_that_is_closed_does_what_its_process_says(place: Place, mux_server: MuxServer) -> None:
    panes = shown(place, mux_server)
    with place.hub() as hub:
        begin = hub.call("Status", {})
    for pane in panes.values():
        mux_server.cli("kill-pane", "--pane-id", str(pane))
    found = told(place, begin, "view.closed", len(panes))
    assert {name: (one["by"], one["on_close"]) for name, one in found.items()} == {
        name: ("user", name) for name in RULES
    }
    wait_for(lambda: states(place) == RULES, "what each says")


def test_wezterms_own_end_closes_nothing(place: Place, mux_server: MuxServer) -> None:
    panes = shown(place, mux_server)
    with place.hub() as hub:
        begin = hub.call("Status", {})
    mux_server.kill()
    found = told(place, begin, "view.lost", len(panes))
    assert {name: one["reason"] for name, one in found.items()} == dict.fromkeys(RULES, "gui_gone")
    assert set(states(place).values()) == {"running"}


@pytest.mark.wezterm_gui
@pytest.mark.parametrize("how", ["quit", "sigkill"])
def test_the_end_of_the_window_closes_nothing(place: Place, gui: Gui, how: str) -> None:
    panes = shown(place, gui)
    with place.hub() as hub:
        begin = hub.call("Status", {})
    getattr(gui, how)()
    found = told(place, begin, "view.lost", len(panes))
    assert {name: one["reason"] for name, one in found.items()} == dict.fromkeys(RULES, "gui_gone")
    assert set(states(place).values()) == {"running"}


@pytest.mark.wezterm_gui
def test_a_pane_that_is_closed_in_the_window_does_what_its_process_says(place: Place, gui: Gui) -> None:
    panes = shown(place, gui)
    with place.hub() as hub:
        begin = hub.call("Status", {})
    for pane in panes.values():
        gui.cli("kill-pane", "--pane-id", str(pane))
    found = told(place, begin, "view.closed", len(panes))
    assert {name: one["on_close"] for name, one in found.items()} == {name: name for name in RULES}
    wait_for(lambda: states(place) == RULES, "what each says")
