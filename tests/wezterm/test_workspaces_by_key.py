"""A day with the plugin in the real window: a workspace by key, its sizes, what waits, the dashboard, a restore."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.place import Place
from tests.wezterm.test_layout import LUA, TEMPLATE
from tests.wezterm.waiting import wait_for

pytestmark = [pytest.mark.wezterm_gui, pytest.mark.timeout(180)]

CONFIG = """
local config = require('wezterm').config_builder()
require('wezparallel').setup(config, {})
return config
"""
Boxes = dict[str, tuple[int, int, int, int]]


def press(gui: Gui, key: str) -> None:
    """Press the entry key and, once its table is open, a key of it."""
    gui.key("ctrl+alt+space")
    wait_for(lambda: gui.rpc("return require('wezterm').gui.gui_windows()[1]:active_key_table()"), "the key table")
    gui.key(key)


def panes(gui: Gui, workspace: str = "proj") -> dict[str, dict[str, Any]]:
    """The panes of a workspace by the first word that each shows."""
    found = [pane for pane in gui.list() if pane["workspace"] == workspace]
    return {(gui.text(pane["pane_id"]).split() or [""])[0]: pane for pane in found}


def boxes(gui: Gui) -> Boxes:
    return {
        name: (pane["left_col"], pane["top_row"], pane["size"]["cols"], pane["size"]["rows"])
        for name, pane in panes(gui).items()
    }


def shown(gui: Gui) -> tuple[str, int]:
    """The workspace on screen, and the pane that has the focus."""
    code = (
        "local window = require('wezterm').gui.gui_windows()[1]:mux_window() "
        "return { window:get_workspace(), window:active_pane():pane_id() }"
    )
    workspace, pane = gui.rpc(code)
    return workspace, pane


def runs(place: Place) -> dict[str, Any]:
    with place.hub() as hub:
        return {one["process_id"]: (one["run_id"], one["pid"]) for one in hub.call("ProcessList", {})["processes"]}


def started(place: Place, gui: Gui) -> int:
    """Start a window with the plugin in it; return its first pane, which is in a project's folder."""
    place.write(".wezterm/README", "")
    (place.home / ".wezterm" / "wezparallel").symlink_to(LUA / "wezparallel")
    place.write(".config/wezterm-parallel/templates/four.yaml", TEMPLATE)
    (place.home / "proj").mkdir()
    place.config.write_text(CONFIG)
    place.wezparallel("daemon", "start")
    gui.start()
    first = gui.list()[0]["pane_id"]
    gui.type(f"cd {place.home}/proj\n")
    return int(first)


def makes_a_workspace(gui: Gui) -> None:
    press(gui, "n")
    gui.wait_for_overlay("four")
    gui.type("/four")
    wait_for(lambda: "basic" not in (gui.overlay() or "basic"), "the filter")
    gui.key("Return")
    gui.wait_for_overlay("Name of the workspace")
    gui.key("Return")  # the folder's name is there already
    wait_for(lambda: panes(gui).keys() == {"coder", "server", "tests", "log"}, "the first output of each")
    assert boxes(gui)["coder"] == (0, 0, 53, 16)
    assert shown(gui) == ("proj", panes(gui)["coder"]["pane_id"])
    gui.type("mine\n")
    gui.wait_for_text(panes(gui)["coder"]["pane_id"], "mine\nmine")


def gets_its_sizes_again(gui: Gui) -> None:
    gui.display.run("xdotool", "windowsize", "--sync", str(gui.display.focused()), "1200", "700")
    wait_for(lambda: boxes(gui)["log"][2] > 100, "the window to be larger")
    cols, rows = boxes(gui)["log"][2], boxes(gui)["coder"][3] + boxes(gui)["log"][3] + 1
    edges = (round((cols + 1) * 2 / 3), round((rows + 1) * 2 / 3))
    assert boxes(gui)["server"][0] != edges[0]  # WezTerm keeps no ratio
    press(gui, "equal")
    wait_for(
        lambda: boxes(gui)["server"][0] == edges[0] and boxes(gui)["log"][1] == edges[1], "the sizes of the plan"
    )
    assert shown(gui) == ("proj", panes(gui)["coder"]["pane_id"])


def test_a_workspace_is_made_sized_left_found_killed_and_restored_by_key(place: Place, gui: Gui) -> None:
    first = started(place, gui)
    makes_a_workspace(gui)
    gets_its_sizes_again(gui)

    press(gui, "w")
    gui.wait_for_overlay("Switch to a workspace")
    gui.type("/default")
    wait_for(lambda: "proj" not in (gui.overlay() or "proj"), "the filter")
    gui.key("Return")
    wait_for(lambda: shown(gui) == ("default", first), "the workspace of before")
    place.wezparallel("notify", "--process", "proj/tests", "look at me")
    wait_for(lambda: gui.rpc("return require('wezparallel.state').read().waiting[1]"), "the snapshot to tell of it")
    press(gui, "space")
    wait_for(lambda: shown(gui) == ("proj", panes(gui)["tests"]["pane_id"]), "what waits in the hidden workspace")
    with place.hub() as hub:
        wait_for(
            lambda: not hub.call("ProcessGet", {"process": "proj/tests"})["process"]["notified"], "it to be seen"
        )

    press(gui, "d")
    wait_for(lambda: "MEM" in gui.text(shown(gui)[1]).upper(), "the dashboard")
    press(gui, "d")
    wait_for(lambda: shown(gui) == ("proj", panes(gui)["tests"]["pane_id"]), "where it was before")

    were, before = runs(place), boxes(gui)
    gui.sigkill()
    gui.start()
    press(gui, "o")
    wait_for(lambda: panes(gui).keys() == before.keys(), "all panes again")
    assert shown(gui)[0] == "proj"
    assert runs(place) == were
    assert "mine\nmine" in gui.text(panes(gui)["coder"]["pane_id"])
    # Nothing was typed into them by their panes' end.
    with place.hub() as hub:
        log = hub.call("LogRead", {"process": "proj/server", "lines": 100})["chunks"]
    assert "".join(entry["text"] for entry in log).split() == ["server", "says", "hello"]
