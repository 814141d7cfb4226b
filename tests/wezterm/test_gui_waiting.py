"""What waits for somebody: seen in the status of the real window, and one key away wherever it is hidden."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.person import Person, template
from tests.wezterm.waiting import wait_for

pytestmark = [pytest.mark.wezterm_gui, pytest.mark.timeout(120)]

YELLOW = "#ffff55"  # as WezTerm's own scheme has it


def yellow(gui: Gui, picture: Path) -> float:
    """Return how much of a picture is yellow."""
    only = ("-fill", "black", "+opaque", YELLOW, "-format", "%[fx:mean]", "info:")
    return float(gui.display.run("convert", str(picture), *only))


def waiting(person: Person) -> list[str]:
    return [one["process_id"] for one in person.snapshot()["waiting"]]


def notify(person: Person, process: str) -> None:
    """Have a process ask for a look, as an agent's hook does."""
    done = person.place.wezparallel("notify", "--process", process, "may I?")
    assert done.code == 0, done.err


def test_what_waits_is_marked_and_the_key_goes_there_through_hidden_workspaces(
    person: Person, gui: Gui, tmp_path: Path
) -> None:
    person.set_up(pair=template("one two"), single=template("three"))
    shell = gui.list()[0]["pane_id"]
    pair = person.create("pair", "web")
    single = person.create("single", "jobs")
    person.switch("default")
    assert yellow(gui, person.bar(tmp_path / "before.png")) == 0

    notify(person, "web/two")
    assert "! two " in person.wait_for_status("! two")
    assert yellow(gui, person.bar(tmp_path / "marked.png")) > 0
    notify(person, "jobs/three")
    assert "! two " in person.wait_for_status("+1")

    person.press("space")
    person.wait_for_workspace("web")
    person.wait_for_focus(pair["two"]["pane_id"])
    wait_for(lambda: waiting(person) == ["jobs/three"], "the end of the first wait")
    person.press("space")
    person.wait_for_workspace("jobs")
    person.wait_for_focus(single["three"]["pane_id"])
    wait_for(lambda: waiting(person) == [], "the end of the second wait")
    wait_for(lambda: "!" not in person.status(), "a status without a mark")
    assert yellow(gui, person.bar(tmp_path / "after.png")) == 0

    # Nothing waits: the key leaves the person where they are, and types nothing.
    person.press("space")
    person.switch("default")
    person.wait_for_focus(shell)
    assert person.typed() == {"one": "", "two": "", "three": ""}


def test_a_bell_in_a_hidden_workspace_waits_and_one_that_is_looked_at_does_not(person: Person, gui: Gui) -> None:
    person.set_up(
        bells="layout: left right\npanes:\n"
        + "".join(
            f"  {name}: {{ command: \"echo {name} speaks; while read line; do printf 'rung\\\\a\\\\n'; done\" }}\n"
            for name in ("left", "right")
        )
    )
    panes = person.create("bells", "web")
    person.wait_for_focus(panes["left"]["pane_id"])

    gui.key("Return")
    gui.wait_for_text(panes["left"]["pane_id"], "rung")
    person.switch("default")
    with person.place.hub() as hub:
        hub.call("ProcessType", {"process": "web/right", "text": "", "enter": True})
    wait_for(lambda: waiting(person) == ["web/right"], "the bell that nobody looked at")
    person.press("space")
    person.wait_for_focus(panes["right"]["pane_id"])
    wait_for(lambda: waiting(person) == [], "the end of the wait")
