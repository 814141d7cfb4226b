"""The plugin's keys in the real window: the entry key, its table and hint, and keys that a configuration lost."""

from __future__ import annotations

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.place import Place
from tests.wezterm.test_plugin_loads import SEED, SETUP, link
from tests.wezterm.waiting import wait_for

pytestmark = pytest.mark.wezterm_gui

TABLE = "return require('wezterm').gui.gui_windows()[1]:active_key_table() or ''"
WATCHED = """
wezparallel.setup(config)
local status = require 'wezparallel.status'
local put = status.put
status.put = function(window, text)
  wezterm.GLOBAL.hint = text or ''
  put(window, text)
end
"""


def key_table(gui: Gui) -> str:
    return str(gui.rpc(TABLE))


def test_the_entry_key_opens_the_table_with_its_hint_and_escape_closes_both(place: Place, gui: Gui) -> None:
    link(place)
    place.wezparallel("daemon", "start")
    place.config.write_text(SETUP.format(WATCHED))
    gui.start()

    gui.key("ctrl+alt+space")

    wait_for(lambda: key_table(gui) == "wezparallel", "the key table")
    hint = "return require('wezterm').GLOBAL.hint or ''"
    assert gui.rpc(hint).startswith("n new  w switch")
    gui.key("Escape")
    wait_for(lambda: key_table(gui) == "", "the end of the key table")
    wait_for(lambda: gui.rpc(hint) == "", "the end of the hint")


def test_keys_that_were_assigned_after_setup_leave_ours_working(place: Place, gui: Gui) -> None:
    link(place)
    place.wezparallel("daemon", "start")
    place.config.write_text(SEED.read_text())
    gui.start()
    overridden = """
    local overrides = require('wezterm').gui.gui_windows()[1]:get_config_overrides()
    return overrides and #overrides.keys or 0
    """
    wait_for(lambda: gui.rpc(overridden) == 6, "our key beside the five of the seed")

    gui.key("ctrl+alt+space")

    wait_for(lambda: key_table(gui) == "wezparallel", "the key table")
    gui.key("w")
    gui.wait_for_overlay("Switch to a workspace")


def test_a_reload_leaves_one_task_that_looks(place: Place, gui: Gui) -> None:
    link(place)
    place.wezparallel("daemon", "start")
    counting = """
    local requests = require 'wezparallel.requests'
    local run = requests.run
    requests.run = function(...)
      wezterm.GLOBAL.looks = (wezterm.GLOBAL.looks or 0) + 1
      return run(...)
    end
    wezparallel.setup(config)
    """
    place.config.write_text(SETUP.format(counting))
    gui.start()
    pulse = "return require('wezterm').GLOBAL.wezparallel_pulse or 0"
    wait_for(lambda: gui.rpc(pulse) >= 1, "the first task")
    for number in range(3):
        before = gui.rpc(pulse)
        place.config.write_text(SETUP.format(counting) + f"-- {number}\n")
        wait_for(lambda before=before: gui.rpc(pulse) > before, "the task of the reloaded configuration")

    looks = gui.rpc(
        """
        local wezterm = require 'wezterm'
        wezterm.sleep_ms(1500)
        wezterm.GLOBAL.looks = 0
        wezterm.sleep_ms(4000)
        return wezterm.GLOBAL.looks
        """
    )

    assert 3 <= looks <= 5
