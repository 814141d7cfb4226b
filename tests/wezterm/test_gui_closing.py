"""Panes, tabs and the whole real WezTerm closed by keys: what becomes of the programs, and that nothing is typed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.person import Person, template
from tests.wezterm.waiting import wait_for

pytestmark = [pytest.mark.wezterm_gui, pytest.mark.timeout(150)]

KEYS = """
  { key = 'q', mods = 'CTRL|SHIFT', action = wezterm.action.CloseCurrentPane { confirm = true } },
  { key = 'F12', action = wezterm.action.QuitApplication },
"""
MIXED = """
layout: kept stopped
panes:
  kept: { command: "echo kept speaks; exec cat -u > ~/typed-kept" }
  stopped: { command: "echo stopped speaks; exec cat -u > ~/typed-stopped", on_close: stop }
"""


def set_up(person: Person, option: str = "close_question = false", **templates: str) -> None:
    """Set up as `init --write` does, with keys that close things beside the plugin's."""
    assert person.place.wezparallel("init", "--write").code == 0
    sample = person.place.config.read_text()
    assert "config.keys = {\n" in sample
    assert "close_question = false" in sample
    sample = sample.replace("config.keys = {\n", "config.keys = {" + KEYS)
    person.place.config.write_text(sample.replace("close_question = false", option))
    person.set_up(**templates)


def closed(gui: Gui, pane: int) -> None:
    wait_for(lambda: pane not in {one["pane_id"] for one in gui.list()}, f"the end of pane {pane}")


def decided(person: Person, since: dict[str, Any], number: int) -> dict[str, str]:
    """Return what the daemon made of the next panes that went, by process."""
    found: dict[str, str] = {}
    with person.place.hub() as hub:
        stream = hub.subscribe(["view.closed", "view.lost"], since=since["seq"], epoch=since["epoch"])
        while len(found) < number:
            message = stream.next(20)
            assert message is not None, f"no more; {found}"
            event = message["Event"]
            data = event["data"]
            found[data["process_id"]] = data.get("reason") or f"{data['by']}: {data['on_close']}"
    return found


def begin(person: Person) -> dict[str, Any]:
    with person.place.hub() as hub:
        status: dict[str, Any] = hub.call("Status", {})
    return status


def test_a_pane_that_a_key_closes_keeps_its_program_or_stops_it_as_it_says(person: Person, gui: Gui) -> None:
    set_up(person, mixed=MIXED)
    panes = person.create("mixed", "web")
    held, since = person.held(), begin(person)

    person.wait_for_focus(panes["kept"]["pane_id"])
    gui.key("ctrl+shift+q")
    gui.wait_for_overlay("Really kill this pane")
    gui.key("n")
    wait_for(lambda: gui.overlay() is None, "the end of the question")
    assert panes["kept"]["pane_id"] in {one["pane_id"] for one in gui.list()}
    for name in ("kept", "stopped"):
        person.wait_for_focus(panes[name]["pane_id"])
        gui.key("ctrl+shift+q")
        gui.wait_for_overlay("Really kill this pane")
        gui.key("y")
        closed(gui, panes[name]["pane_id"])

    assert decided(person, since, 2) == {"web/kept": "user: keep", "web/stopped": "user: stop"}
    wait_for(lambda: person.states() == {"web/kept": "running", "web/stopped": "stopped"}, "what each says")
    assert person.held()["web/kept"] == held["web/kept"]
    assert person.log("web/kept") == "kept speaks\r\n"
    assert person.typed() == {"kept": "", "stopped": ""}


def test_with_the_close_question_answered_a_key_closes_a_tab_at_once_and_all_of_it_is_kept(
    person: Person, gui: Gui
) -> None:
    set_up(person, "close_question = true", pair=template("one two"))
    panes = person.create("pair", "web")
    held, since = person.held(), begin(person)
    person.wait_for_views("web", 2)

    gui.key("ctrl+shift+w")
    for pane in panes.values():
        closed(gui, pane["pane_id"])

    assert decided(person, since, 2) == {"web/one": "user: keep", "web/two": "user: keep"}
    assert person.held() == held
    assert set(person.states().values()) == {"running"}
    assert person.typed() == {"one": "", "two": ""}
    # Its window went with its last tab, and the key shows it again.
    person.press("w")
    gui.wait_for_overlay("Switch to a workspace")
    gui.key("Return")
    again = person.speaking("web")
    assert again.keys() == panes.keys()
    assert person.held() == held


@pytest.mark.parametrize("how", ["quits by a key", "closes its windows"])
def test_when_wezterm_itself_ends_everything_goes_on_whatever_it_says_of_closing(
    person: Person, gui: Gui, how: str
) -> None:
    set_up(person, mixed=MIXED)
    shell = gui.list()[0]["pane_id"]
    person.create("mixed", "web")
    gui.cli("kill-pane", "--pane-id", str(shell))
    closed(gui, shell)
    held, since = person.held(), begin(person)
    person.wait_for_views("web", 2)

    if how == "quits by a key":
        gui.key("F12")
        gui.wait_for_overlay("Really Quit WezTerm")
        gui.key("y")
        gui.wait()
    else:
        gui.quit()

    assert decided(person, since, 2) == {"web/kept": "gui_gone", "web/stopped": "gui_gone"}
    assert person.held() == held
    assert person.states() == {"web/kept": "running", "web/stopped": "running"}
    assert [person.log(f"web/{name}") for name in ("kept", "stopped")] == ["kept speaks\r\n", "stopped speaks\r\n"]
    assert person.typed() == {"kept": "", "stopped": ""}
