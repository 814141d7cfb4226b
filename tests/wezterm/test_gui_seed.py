"""The configuration that the seed wrote down, character by character, in the real window: it loads, its keys work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.person import ENTRY, Person, template
from tests.wezterm.test_plugin_loads import SEED
from tests.wezterm.waiting import wait_for

pytestmark = [pytest.mark.wezterm_gui, pytest.mark.timeout(150)]


def test_the_seeds_configuration_loads_and_its_three_keys_work(person: Person, gui: Gui, tmp_path: Path) -> None:
    person.place.config.write_bytes(SEED.read_bytes())
    assert person.place.wezparallel("init").code == 0
    person.set_up(pair=template("one two"), single=template("three"))
    assert person.place.config.read_bytes() == SEED.read_bytes()
    before = len(gui.list())

    # n: create
    gui.key("ctrl+shift+n")
    gui.wait_for_overlay("Create a workspace")
    gui.key("slash")
    gui.type("pair")
    gui.wait_for_overlay(": pair")
    gui.key("Return")
    person.name("web")
    panes = person.speaking("web")
    person.wait_for_focus(panes["one"]["pane_id"])
    assert len(gui.list()) == before + 2  # and not the new window that WezTerm's own key opens

    # w: switch, and nothing is closed
    gui.key("ctrl+shift+w")
    gui.wait_for_overlay("Switch to a workspace")
    gui.key("Return")
    person.wait_for_workspace("default")
    gui.key("ctrl+shift+w")
    gui.wait_for_overlay("Switch to a workspace")
    gui.key("Return")
    person.wait_for_workspace("web")
    assert len(gui.list()) == before + 2

    # d: dashboard, and away again
    gui.key("ctrl+shift+d")
    (dashboard,) = wait_for(
        lambda: set(_ids(gui)) - {one["pane_id"] for one in panes.values()} - {0}, "the dashboard"
    )
    gui.wait_for_text(dashboard, "2 run")
    gui.still(tmp_path / "dashboard.png")
    gui.key("ctrl+shift+d")
    wait_for(lambda: dashboard not in _ids(gui), "the end of the dashboard")

    # The one entry key is there beside them, although `config.keys` was assigned after `setup`.
    gui.key(ENTRY)
    person.wait_for_status("n new  w switch")
    gui.key("Escape")
    assert person.typed() == {"one": "", "two": ""}


def _ids(gui: Gui) -> list[int]:
    return [pane["pane_id"] for pane in gui.list()]
