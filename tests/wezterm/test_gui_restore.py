"""The real WezTerm is killed, with everything in it: one key later all of it is on the screen again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.person import Found, Person, template
from tests.wezterm.waiting import wait_for

pytestmark = [pytest.mark.wezterm_gui, pytest.mark.timeout(150)]

LINES = 3000
WORK = f"""
tabs:
  talk:
    layout: |
      coder coder server
      coder coder tests
  long: {{ layout: feed }}
panes:
  coder: {{ command: "echo coder speaks; exec cat -u > ~/typed-coder" }}
  server: {{ command: "echo server speaks; exec cat -u > ~/typed-server", on_close: stop }}
  tests: {{ command: "echo tests speaks; stty -echo; exec sh -i" }}
  feed: {{ command: "seq {LINES}; echo feed speaks; exec tail -n +1 -f ~/feed" }}
"""
# Where a pane stands and what it is called; its number and that of its tab are WezTerm's business.
KEPT = ("workspace", "left_col", "top_row", "tab_title", "title", "is_active")


def places(panes: Found) -> dict[str, list[Any]]:
    # Without the pixels: WezTerm knows none of a workspace that it has not shown.
    return {
        name: [pane["size"]["cols"], pane["size"]["rows"], *(pane[what] for what in KEPT)]
        for name, pane in panes.items()
    }


def back(person: Person, before: dict[str, list[Any]], *workspaces: str) -> None:
    """Wait until every pane of some workspaces is where it was, with the title that it had."""

    def same() -> bool:
        found = places({name: pane for each in workspaces for name, pane in person.speaking(each).items()})
        assert found == before
        return True

    wait_for(same, "the places of before")


def test_every_program_and_every_byte_is_there_after_a_kill_and_nothing_was_typed(person: Person, gui: Gui) -> None:
    person.place.write("feed", "")
    person.set_up(work=WORK, single=template("three"))
    work = person.create("work", "web")
    jobs = person.create("single", "jobs")
    person.switch("web")
    person.wait_for_focus(work["coder"]["pane_id"])
    gui.type("typed before")
    gui.key("Return")
    gui.wait_for_text(work["coder"]["pane_id"], "typed before\ntyped before"[:12])
    wait_for(lambda: person.typed()["coder"] == "typed before\n", "the words in the program")
    before = places(person.speaking("web") | person.speaking("jobs"))
    held = person.held()
    logs = {process: person.log(process) for process in held}
    shown = {name: gui.text(pane["pane_id"], "--start-line", "-20000") for name, pane in (work | jobs).items()}
    assert shown["feed"].split()[:LINES] == [str(number) for number in range(1, LINES + 1)]
    print(gui.cli("list"))

    gui.sigkill()
    with (person.place.home / "feed").open("a") as feed:
        feed.write("told while no WezTerm was there\n")
    wait_for(lambda: "told while" in person.log("web/feed"), "the words of meanwhile")
    person.start()
    assert {pane["workspace"] for pane in gui.list()} == {"default"}
    person.press("o")
    found = person.speaking("web") | person.speaking("jobs")
    print(gui.cli("list"))

    # A title comes a moment after the words.
    back(person, before, "web", "jobs")
    assert person.held() == held
    assert set(person.states().values()) == {"running"}
    logs["web/feed"] += "told while no WezTerm was there\r\n"
    assert {process: person.log(process) for process in held} == logs
    assert person.typed() == {"coder": "typed before\n", "server": "", "three": ""}
    for name, pane in found.items():
        text = gui.text(pane["pane_id"], "--start-line", "-20000")
        wanted = shown[name].strip() + ("\ntold while no WezTerm was there" if name == "feed" else "")
        assert text.strip().splitlines() == wanted.splitlines(), name

    # And it is no picture of them: what is typed now is what they read.
    person.switch("web")
    person.wait_for_focus(found["coder"]["pane_id"])
    gui.type("typed after")
    gui.key("Return")
    wait_for(lambda: person.typed()["coder"] == "typed before\ntyped after\n", "the words of now")
    person.wait_for_views("web", 4)


def test_a_second_kill_and_a_second_restore_find_the_same_again(person: Person, gui: Gui) -> None:
    person.set_up(pair=template("one two", on_close="stop"))
    before = places(person.create("pair", "web"))
    held = person.held()
    for _ in range(2):
        person.wait_for_views("web", 2)
        gui.sigkill()
        person.start()
        person.press("o")
        back(person, before, "web")
        # What is there already is not shown twice.
        person.press("o")
        person.switch("default")
        assert len(gui.list()) == 3
    assert person.held() == held
    assert person.states() == {"web/one": "running", "web/two": "running"}
    assert person.typed() == {"one": "", "two": ""}
