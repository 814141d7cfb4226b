"""Workspaces by keys in the real window: created from a template, looked at, switched between, and the dashboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wezterm.gui import Gui
from tests.wezterm.person import ENTRY, Found, Person, template
from tests.wezterm.waiting import wait_for

pytestmark = [pytest.mark.wezterm_gui, pytest.mark.timeout(120)]

Boxes = dict[str, tuple[int, int, int, int]]
FOUR = template("coder coder server\ncoder coder tests\nlog log tests")


def boxes(panes: Found) -> Boxes:
    """Return where each pane stands: left, top, columns, rows."""
    return {
        name: (pane["left_col"], pane["top_row"], pane["size"]["cols"], pane["size"]["rows"])
        for name, pane in panes.items()
    }


def test_from_the_entry_key_to_four_panes_that_speak(person: Person, gui: Gui, tmp_path: Path) -> None:
    person.set_up(shop=FOUR)
    found = gui.rpc("return package.searchpath('wezparallel', package.path)")
    assert found == f"{person.place.home}/.wezterm/wezparallel/init.lua"  # the link that `init` made
    empty = gui.colours(person.bar(tmp_path / "bar.png"))

    gui.key(ENTRY)
    assert person.wait_for_status("n new  w switch").endswith("? all ")
    assert gui.colours(person.bar(tmp_path / "hint.png")) > empty + 20  # letters, with their soft edges
    gui.key("n")
    gui.wait_for_overlay("shop")
    gui.key("slash")
    gui.type("shop")
    gui.wait_for_overlay(": shop")
    gui.key("Return")
    person.name("web")
    panes = person.speaking("web")

    person.wait_for_workspace("web")
    person.wait_for_focus(panes["coder"]["pane_id"])
    found = boxes(panes)
    left, top, columns, rows = found["coder"]
    assert (left, top) == (0, 0)
    assert found["log"][:3] == (0, rows + 1, columns)
    assert found["server"][:2] == (columns + 1, 0)
    assert found["tests"][:2] == (columns + 1, found["server"][3] + 1)
    assert 1.9 < columns / found["server"][2] < 2.1
    assert {pane["tab_title"] for pane in panes.values()} == {"web"}
    assert person.wait_for_status("● 4") == "web  ● 4 "
    # What was typed at the window went to the window: no program had a key of it.
    assert person.typed() == dict.fromkeys(("coder", "log", "server", "tests"), "")
    assert gui.colours(gui.still(tmp_path / "four.png")) > 20


def test_keys_switch_workspaces_and_each_shows_its_own_panes(person: Person, gui: Gui) -> None:
    person.set_up(pair=template("one two"), single=template("three"))
    shell = gui.list()[0]["pane_id"]
    person.place.write("web/README", "")
    person.in_shell(shell, "cd", "web")
    pair = person.create("pair", "web", is_offered=True)  # the name of the shell's folder
    person.create("single", "jobs")

    person.switch("web")
    gui.key("x", "Return")
    wait_for(lambda: person.typed()["one"] == "x\n", "the key in the first pane of web")
    person.press("w")
    shown = gui.wait_for_overlay("Switch to a workspace").splitlines()
    # The last used one first, where one is at the end: Enter alone goes back and forth.
    assert [line.split()[1] for line in shown[1:]] == ["jobs", "default", "web"]
    gui.key("Return")
    person.wait_for_workspace("jobs")
    person.switch("default")
    person.wait_for_focus(shell)
    person.switch("web")
    person.wait_for_focus(pair["one"]["pane_id"])

    assert len(gui.list()) == 4
    assert person.typed() == {"one": "x\n", "two": "", "three": ""}


def test_sizes_that_keys_or_a_larger_window_took_come_back_by_a_key_and_are_seen(
    person: Person, gui: Gui, tmp_path: Path
) -> None:
    def middle(name: str) -> bytes:
        """Return the pixels of one row across the panes, where nothing but their dividers is."""
        whole, row = gui.still(tmp_path / f"{name}.png"), tmp_path / f"{name}.ppm"
        gui.display.run("convert", str(whole), "-crop", "1280x1+0+400", "+repage", str(row))
        return row.read_bytes()

    person.set_up(shop=FOUR)
    panes = person.create("shop", "web")
    before = middle("before")

    gui.key(*["ctrl+shift+alt+Right"] * 4)
    wait_for(lambda: _columns(gui, panes["coder"]["pane_id"]) > panes["coder"]["size"]["cols"], "a wider pane")
    wait_for(lambda: middle("moved") != before, "the dividers to move")
    person.press("equal")
    wait_for(lambda: _columns(gui, panes["coder"]["pane_id"]) == panes["coder"]["size"]["cols"], "the size of before")
    wait_for(lambda: middle("after") == before, "the dividers where they were")

    gui.display.run("xdotool", "windowsize", "--sync", str(gui.display.focused()), "1200", "700")
    wait_for(lambda: wide(boxes(person.speaking("web"))) > 100, "a larger window")
    assert not has_its_sizes(boxes(person.speaking("web")))  # WezTerm keeps no ratio
    person.press("equal")
    wait_for(lambda: has_its_sizes(boxes(person.speaking("web"))), "the sizes of the plan")
    person.wait_for_focus(panes["coder"]["pane_id"])


def wide(four: Boxes) -> int:
    """Return the columns of a tab with the panes of FOUR."""
    return four["coder"][2] + 1 + four["server"][2]


def has_its_sizes(four: Boxes) -> bool:
    """Tell whether the panes of FOUR stand where its picture has them: at two thirds of the tab, each way."""
    high = four["coder"][3] + 1 + four["log"][3]
    edges = (round((wide(four) + 1) * 2 / 3), round((high + 1) * 2 / 3))
    return (four["server"][0], four["log"][1]) == edges


def _columns(gui: Gui, pane: int) -> int:
    return next(int(one["size"]["cols"]) for one in gui.list() if one["pane_id"] == pane)


def test_a_shell_moves_the_window_and_keys_go_where_it_went(person: Person, gui: Gui) -> None:
    person.set_up(pair=template("one two"), single=template("three"))
    shell = gui.list()[0]["pane_id"]
    person.create("pair", "web")
    jobs = person.create("single", "jobs")
    person.switch("default")

    person.in_shell(shell, "wezparallel", "switch", "web")
    person.wait_for_workspace("web")
    assert "WezTerm goes there" in person.place.wezparallel("switch", "jobs").out
    person.wait_for_workspace("jobs")
    person.wait_for_focus(jobs["three"]["pane_id"])
    gui.key("x", "Return")
    wait_for(lambda: person.typed()["three"] == "x\n", "the key in the pane of jobs")


def test_keys_that_follow_each_other_at_once_go_to_the_window_and_never_into_a_program(
    person: Person, gui: Gui
) -> None:
    person.set_up(pair=template("one two"))
    person.create("pair", "web")

    for _ in range(3):
        gui.key(ENTRY, "w")
        gui.wait_for_overlay("Switch to a workspace")
        # The list is still there while the next keys come.
        gui.key("Escape", ENTRY, "l")
        gui.wait_for_overlay("Show the log")
        gui.key("Escape")
        wait_for(lambda: gui.overlay() is None, "the end of the list")
    gui.key("x", "Return")
    wait_for(lambda: person.typed()["one"] == "x\n", "the one key for the program")
    assert person.typed() == {"one": "x\n", "two": ""}


def test_the_dashboard_comes_and_goes_by_the_same_key(person: Person, gui: Gui) -> None:
    person.set_up(pair=template("one two"))
    panes = person.create("pair", "web")
    before = {pane["pane_id"] for pane in gui.list()}

    person.press("d")
    (dashboard,) = wait_for(lambda: {pane["pane_id"] for pane in gui.list()} - before, "the dashboard")
    person.wait_for_focus(dashboard)
    assert "two" in gui.wait_for_text(dashboard, "2 run")
    # It lives: what happens meanwhile is seen without a key.
    assert person.place.wezparallel("stop", "web/two").code == 0
    gui.wait_for_text(dashboard, "1 run")
    person.press("d")
    wait_for(lambda: {pane["pane_id"] for pane in gui.list()} == before, "the end of the dashboard")
    person.wait_for_focus(panes["one"]["pane_id"])
    person.press("d")
    wait_for(lambda: len(gui.list()) == len(before) + 1, "the dashboard, a second time")
