"""The dashboard in the real window: it looks as in any terminal, and Enter goes to a pane."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.person import Person, template
from tests.wezterm.waiting import wait_for

pytestmark = [pytest.mark.wezterm_gui, pytest.mark.timeout(120)]


def test_enter_in_the_dashboard_goes_to_the_pane_of_the_process(person: Person, gui: Gui, tmp_path: Path) -> None:
    person.set_up(pair=template("one two"))
    panes = person.create("pair", "web")
    before = {pane["pane_id"] for pane in gui.list()}
    person.press("d")
    (dashboard,) = wait_for(lambda: {pane["pane_id"] for pane in gui.list()} - before, "the dashboard")
    person.wait_for_focus(dashboard)
    gui.wait_for_text(dashboard, "2 run")
    gui.wait_for_text(dashboard, "▸ ● one")
    gui.still(tmp_path / "dashboard.png")
    gui.key("j")
    gui.wait_for_text(dashboard, "▸ ● two")
    gui.key("Return")
    person.wait_for_focus(panes["two"]["pane_id"])
    # Nothing was opened for it, and the dashboard is where it was.
    assert {pane["pane_id"] for pane in gui.list()} == before | {dashboard}
