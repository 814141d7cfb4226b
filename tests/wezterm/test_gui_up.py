"""`wezparallel up` typed into a shell of the real window, with the plugin there and without it."""

from __future__ import annotations

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.person import Person, template
from tests.wezterm.waiting import wait_for

TEMPLATE = template("one two\none three").replace("two: {", "two: { focus: true,")
pytestmark = [pytest.mark.wezterm_gui, pytest.mark.timeout(150)]


def up(person: Person, shell: int) -> str:
    """Type it into the shell; return what stands there at its end."""
    gui = person.gui
    gui.cli("send-text", "--no-paste", "--pane-id", str(shell), "cd ~/shop; wezparallel up --trust; echo en''d $?\r")
    said = gui.wait_for_text(shell, "\nend ", 40)
    assert "\nend 0" in said, said
    return said


def test_with_the_plugin_up_opens_the_workspace_in_a_place_of_its_own(person: Person, gui: Gui) -> None:
    person.place.write("shop/wezparallel.yaml", TEMPLATE)
    person.set_up()
    shell = gui.list()[0]

    said = up(person, shell["pane_id"])
    panes = person.speaking("shop")

    assert "wezparallel init" not in said
    person.wait_for_workspace("shop")
    person.wait_for_focus(panes["two"]["pane_id"])
    assert {pane["window_id"] for pane in panes.values()}.isdisjoint({shell["window_id"]})
    # A second time it only goes there.
    person.switch("default")
    gui.cli("send-text", "--no-paste", "--pane-id", str(shell["pane_id"]), "clear\r")
    wait_for(lambda: "end" not in gui.text(shell["pane_id"]), "an empty screen")
    assert "WezTerm goes to shop" in up(person, shell["pane_id"])
    person.wait_for_workspace("shop")
    assert len(gui.list()) == 4
    assert person.typed() == {"one": "", "two": "", "three": ""}


def test_without_the_plugin_up_opens_a_tab_beside_the_shell_and_says_what_init_would_add(
    person: Person, gui: Gui
) -> None:
    person.place.write("shop/wezparallel.yaml", TEMPLATE)
    person.find_command()
    gui.start()
    shell = gui.list()[0]

    said = up(person, shell["pane_id"])
    panes = person.speaking("shop", "default")

    assert "`wezparallel init` adds to WezTerm" in said.replace("\n", " ")
    assert {pane["window_id"] for pane in panes.values()} == {shell["window_id"]}
    (tab,) = {pane["tab_id"] for pane in panes.values()}
    assert tab != shell["tab_id"]
    assert {pane["tab_title"] for pane in panes.values()} == {"shop"}
    person.wait_for_focus(panes["two"]["pane_id"])
    gui.key("x", "Return")
    wait_for(lambda: person.typed() == {"one": "", "two": "x\n", "three": ""}, "the key in that pane")
