"""`up` typed into a pane of the real WezTerm: a tab beside it, and with the plugin a workspace of WezTerm's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.place import Place
from tests.wezterm.waiting import wait_for

pytestmark = pytest.mark.wezterm_gui

TEMPLATE = "layout: |\n  a b\n  a c\npanes: {a: cat, b: {command: cat, focus: true}, c: cat}\n"


@pytest.fixture
def shell(place: Place, gui: Gui) -> Gui:
    """A shell in the project's folder; the test writes the configuration and starts it."""
    place.write("shop/wezparallel.yaml", TEMPLATE)
    gui.program = ("sh", "-c", "cd ~/shop && exec sh -i")
    return gui


def by_name(place: Place, gui: Gui) -> dict[str, dict[str, Any]]:
    """Process -> the pane that shows it, as WezTerm lists it; once there are three."""

    def found() -> dict[str, dict[str, Any]] | None:
        with place.hub() as hub:
            views = hub.call("ViewList")["views"]  # the workspace is not there at first
        listed = {one["pane_id"]: one for one in gui.list()}
        shown = {one["process_id"]: listed[int(one["pane"])] for one in views if int(one["pane"]) in listed}
        return shown if len(shown) == 3 else None

    return wait_for(found, "three panes", 40)


def test_without_the_plugin_it_is_a_tab_of_the_same_window_with_the_focus_where_the_template_says(
    place: Place, shell: Gui
) -> None:
    shell.start()
    (own,) = shell.list()
    shell.type("wezparallel up --trust\n")
    shown = by_name(place, shell)
    assert {one["window_id"] for one in shown.values()} == {own["window_id"]}
    assert {one["workspace"] for one in shown.values()} == {own["workspace"]}
    assert wait_for(lambda: shell.rpc(ACTIVE) == shown["shop/b"]["pane_id"], "the focus")
    shell.type("typed by hand\n")
    shell.wait_for_text(shown["shop/b"]["pane_id"], "typed by hand\ntyped by hand")


def test_with_the_plugin_wezterm_goes_to_a_workspace_of_that_name(place: Place, shell: Gui) -> None:
    assert place.wezparallel("init", "--write").code == 0
    shell.start()
    (own,) = shell.list()
    wait_for(lambda: place.wezparallel("status").code == 0, "the daemon that the plugin starts", 40)
    snapshot = place.home / ".local" / "state" / "wezterm-parallel" / "gui.json"
    wait_for(lambda: f'"gui":"{shell.socket}"' in snapshot.read_text(), "the plugin to be heard", 40)
    shell.type("wezparallel up --trust\n")
    shown = by_name(place, shell)
    assert {one["workspace"] for one in shown.values()} == {"shop"}
    assert {one["window_id"] for one in shown.values()}.isdisjoint({own["window_id"]})
    assert wait_for(lambda: shell.rpc(ACTIVE) == shown["shop/b"]["pane_id"], "the focus")
    assert len(shell.list()) == 4


ACTIVE = """
for _, window in ipairs(require('wezterm').gui.gui_windows()) do
  if window:is_focused() then return window:active_pane():pane_id() end
end
"""
