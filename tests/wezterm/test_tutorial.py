"""The tutorial for WezTerm, step by step in the real window: what it says is what happens."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path

import pytest

from tests.wezterm.binaries import binary
from tests.wezterm.gui import Gui
from tests.wezterm.person import ENTRY
from tests.wezterm.place import Place
from tests.wezterm.test_plugin_keys import key_table
from tests.wezterm.waiting import wait_for

pytestmark = [pytest.mark.wezterm_gui, pytest.mark.timeout(180)]

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "wezterm.md"
YAML = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)


def pids(place: Place) -> dict[str, int]:
    with place.hub() as hub:
        return {one["process_id"]: one["pid"] for one in hub.call("ProcessList", {})["processes"]}


def panes(gui: Gui) -> dict[str, str]:
    """What the panes of the workspace show, by the first word that tells them apart."""
    shown = [gui.text(pane["pane_id"]) for pane in gui.list() if pane["workspace"] == "shop"]
    marks = {"Serving HTTP": "server", "UTC": "clock"}
    return {next((name for mark, name in marks.items() if mark in text), "shell"): text for text in shown}


def test_the_tutorial_holds_from_an_empty_home_to_the_restored_panes(place: Place, gui: Gui) -> None:
    path = f"{Path(sys.executable).parent}:{Path(binary('wezterm')).parent}:/usr/bin:/bin"
    for shell_file in (".bash_profile", ".bashrc"):  # a login shell makes a PATH of its own
        place.write(shell_file, f"export PATH={path} TZ=UTC\nPS1='$ '\n")
    assert YAML is not None
    place.write("shop/wezparallel.yaml", YAML[1].replace("8123", "8124"))
    place.write("shop/index.html", "<h1>It works</h1>\n")
    assert place.wezparallel("init", "--write").code == 0

    gui.start()
    first = gui.list()[0]["pane_id"]
    gui.type("cd ~/shop\n")
    gui.type("wezparallel up\n")
    gui.wait_for_text(first, "Run these?")
    gui.type("y\n")
    wait_for(lambda: panes(gui).keys() == {"shell", "server", "clock"}, "three panes", 20)
    wait_for(lambda: "GET /" in panes(gui)["server"], "the server's first request")
    gui.type("echo left here, found again\n")
    wait_for(lambda: "\nleft here, found again" in panes(gui)["shell"], "the shell's answer")
    before = pids(place)
    assert before.keys() == {"shop/shell", "shop/server", "shop/clock"}

    gui.sigkill()
    assert pids(place) == before
    gui.start()
    gui.key(ENTRY)
    wait_for(lambda: key_table(gui), "the key table")
    gui.key("o")
    wait_for(lambda: panes(gui).keys() == {"shell", "server", "clock"}, "the panes again", 20)
    wait_for(lambda: "\nleft here, found again" in panes(gui)["shell"], "what was typed")
    assert pids(place) == before
    seconds = [int(line.split()[3][-2:]) for line in panes(gui)["clock"].splitlines() if "UTC" in line]
    assert all((after - one) % 60 in (1, 2) for one, after in itertools.pairwise(seconds))
