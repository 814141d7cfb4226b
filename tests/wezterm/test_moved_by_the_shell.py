"""The real window goes where a shell says: workspaces and processes, woken through its own panes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.place import Place
from tests.wezterm.test_plugin_loads import SETUP, link
from tests.wezterm.waiting import wait_for

pytestmark = pytest.mark.wezterm_gui

RESTORE = "return require('wezparallel.workspaces').restore(nil, nil)"


def place_of(gui: Gui) -> tuple[str, int]:
    """Return the workspace that the window shows, and the pane that has the focus."""
    clients = json.loads(gui.cli("list-clients", "--format", "json"))
    own = next(one for one in clients if one["pid"] == gui.pid)
    return own["workspace"], own["focused_pane_id"]


def wait_for_workspace(gui: Gui, name: str) -> None:
    """Wait until the window shows a workspace."""
    wait_for(lambda: place_of(gui)[0] == name, f"the workspace {name}")


def views(place: Place) -> dict[str, list[dict[str, Any]]]:
    """Return the panes of each process."""
    found = json.loads((place.home / ".local/state/wezterm-parallel/gui.json").read_bytes())
    every = [*found["loose"], *(one for each in found["workspaces"] for one in each["processes"])]
    return {one["id"]: one["views"] for one in every}


def test_switch_focus_and_open_move_the_window(place: Place, gui: Gui) -> None:
    link(place)
    place.wezparallel("daemon", "start")
    place.config.write_text(SETUP.format("wezparallel.setup(config)"))
    gui.start()
    with place.hub() as hub:
        for name in ("web", "jobs"):
            source = "layout: 'a b'\npanes: { a: { command: exec cat }, b: { command: exec cat } }"
            hub.call("WorkspaceCreate", {"name": name, "source": source, "root": str(place.home)}, timeout_s=10)
        hub.call("ProcessAdd", {"id": "loose", "command": "cat", "tty": True})
    gui.rpc(RESTORE)
    wait_for(lambda: all(views(place)[f"{name}/{one}"] for name in ("web", "jobs") for one in "ab"), "all panes")

    for name in ("web", "jobs", "web"):
        assert "WezTerm goes there" in place.wezparallel("switch", name).out
        wait_for_workspace(gui, name)

    assert "WezTerm goes there" in place.wezparallel("focus", "jobs/b").out
    pane = int(views(place)["jobs/b"][0]["pane"])
    wait_for(lambda: place_of(gui) == ("jobs", pane), "the focus on jobs/b")

    done = place.wezparallel("open", "loose")
    assert "loose is shown in pane" in done.out, (done.out, done.err)
    wait_for(lambda: len(views(place)["loose"]) == 1, "a pane of its own")

    with place.hub() as hub:
        hub.call("ViewClose", {"process": "loose"})
    wait_for(lambda: views(place)["loose"] == [], "the end of the pane")
    with place.hub() as hub:
        assert hub.call("ProcessGet", {"process": "loose"})["process"]["state"] == "running"
