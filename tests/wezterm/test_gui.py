"""The real window, as other tests use it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.place import Place
from tests.wezterm.waiting import wait_for

pytestmark = [pytest.mark.wezterm_gui, pytest.mark.timeout(120)]

ONE_KEY = """
local wezterm = require 'wezterm'
local config = wezterm.config_builder()
config.keys = {
  {
    key = 'Space',
    mods = 'CTRL|ALT',
    action = wezterm.action_callback(function(window, pane)
      local file = io.open(os.getenv 'HOME' .. '/pressed', 'w')
      file:write(pane:pane_id())
      file:close()
    end),
  },
}
return config
"""


def test_a_bound_key_runs_its_lua_and_the_screen_shows_what_was_typed(place: Place, gui: Gui, tmp_path: Path) -> None:
    place.config.write_text(ONE_KEY)
    gui.start()
    pane = gui.list()[0]["pane_id"]

    gui.key("ctrl+alt+space")
    pressed = place.home / "pressed"
    wait_for(pressed.exists, "the key's callback")
    gui.type("echo seen on the screen")
    gui.key("Return")
    gui.wait_for_text(pane, "\nseen on the screen")

    assert wait_for(pressed.read_text, "the file's text") == str(pane)
    assert gui.colours(gui.still(tmp_path / "screen.png")) > 8
    assert gui.rpc("return #require('wezterm').gui.gui_windows()") == 1
    gui.quit()
