"""Somebody at WezTerm's window, with the plugin as `wezparallel init --write` sets it up: keys in, screen out."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from tests.wezterm.gui import Gui
from tests.wezterm.place import Place
from tests.wezterm.waiting import wait_for

ENTRY = "ctrl+alt+space"
WATCH_STATUS = """
local status = require 'wezparallel.status'
local put = status.put
status.put = function(window, text)
  local shown = text or status.side(require('wezparallel.state').read()) and status.text() or ''
  require('wezterm').GLOBAL.shown = shown:gsub('\\27%[[%d;:]*m', '')
  put(window, text)
end
"""
STATUS = "return require('wezterm').GLOBAL.shown or ''"
WORKSPACE = "return require('wezterm').gui.gui_windows()[1]:mux_window():get_workspace()"
FOCUSED = "return require('wezterm').gui.gui_windows()[1]:mux_window():active_pane():pane_id()"
SPEAKS = re.compile(r"^(\w+) speaks$", re.MULTILINE)

Found = dict[str, dict[str, Any]]


def keeper_of_words(name: str) -> str:
    """Return a command that says its name, and keeps every byte that is typed into it, in a file for each name."""
    return f"echo {name} speaks; exec cat -u > ~/typed-{name}"


def template(names: str, on_close: str = "keep") -> str:
    """Return a template with those names in its layout, a row a line; each pane has a `keeper_of_words`."""
    rows = "".join(f"  {row}\n" for row in names.splitlines())
    lines = [
        f"  {name}: {{ command: {json.dumps(keeper_of_words(name))}, on_close: {on_close} }}\n"
        for name in dict.fromkeys(names.split())
    ]
    return f"layout: |\n{rows}panes:\n{''.join(lines)}"


class Person:
    """What somebody does at the keys, and what they see."""

    def __init__(self, place: Place, gui: Gui) -> None:
        self.place = place
        self.gui = gui

    def set_up(self, **templates: str) -> None:
        """Set everything up as the guide says, with templates of the person's own, and start WezTerm."""
        for name, text in templates.items():
            self.place.write(f".config/wezterm-parallel/templates/{name}.yaml", text)
        self.find_command()
        done = self.place.wezparallel("init", "--write")
        assert done.code == 0, done.err
        self.start()

    def find_command(self) -> None:
        """Have shells in WezTerm find `wezparallel`."""
        # The account's login shell makes its own PATH, and the machine's knows nothing of the command under test.
        self.place.write(".bash_profile", f"PS1='$ '\nexport PATH={shlex.quote(self.place.env['PATH'])}\n")

    def start(self) -> None:
        """Start WezTerm, and wait until the plugin and the daemon know each other."""
        self.gui.start()
        self.gui.rpc(WATCH_STATUS)
        wait_for(lambda: self.snapshot().get("gui") == str(self.gui.socket), "the daemon to know of the plugin", 30)

    def press(self, key: str) -> None:
        """Press the entry key and, as fast as anybody could, a key of its table."""
        self.gui.key(ENTRY, key)

    def create(self, template: str, name: str, *, is_offered: bool = False) -> Found:
        """Create a workspace by keys; return its panes once each has been drawn with its first words.

        A name that is offered already (`is_offered`) is not typed.
        """
        self.press("n")
        self.gui.wait_for_overlay("Create a workspace")
        self.gui.key("slash")
        self.gui.type(template)
        self.gui.wait_for_overlay(f": {template}")
        self.gui.key("Return")
        if is_offered:
            self.gui.wait_for_overlay(f"> {name}")
            self.gui.key("Return")
        else:
            self.name(name)
        return self.speaking(name)

    def name(self, name: str) -> None:
        """Answer the prompt for a name."""
        self.gui.wait_for_overlay("Name of the workspace")
        self.gui.key("ctrl+w")
        self.gui.type(name)
        self.gui.wait_for_overlay(f"> {name}")
        self.gui.key("Return")

    def switch(self, name: str) -> None:
        """Go to a workspace by keys."""
        self.press("w")
        self.gui.wait_for_overlay("Switch to a workspace")
        self.gui.key("slash")
        self.gui.type(name)
        self.gui.wait_for_overlay(f": {name}")
        self.gui.key("Return")
        self.wait_for_workspace(name)

    def wait_for_workspace(self, name: str) -> None:
        """Wait until a workspace is on screen."""
        wait_for(lambda: self.gui.rpc(WORKSPACE) == name, f"the workspace {name} on screen")

    def wait_for_focus(self, pane: int) -> None:
        """Wait until a pane has the keys."""
        wait_for(lambda: self.gui.rpc(FOCUSED) == pane, f"the focus on pane {pane}")

    def status(self) -> str:
        """Return the words of the status text, or of the hint in its place."""
        return str(self.gui.rpc(STATUS))

    def wait_for_status(self, words: str) -> str:
        """Wait until the status text has some words; return all of it."""
        return wait_for(lambda: text if words in (text := self.status()) else "", f"{words!r} in the status text")

    def speaking(self, workspace: str, place: str | None = None) -> Found:
        """Wait until every pane of a workspace is on screen and has said its name; return them by name.

        `place` is WezTerm's workspace where they are, if it is not the one of that name.
        """

        def all_of_them() -> Found:
            names = {one["name"] for one in self.processes(workspace) if one["pane"]}
            said = {
                found[1]: pane
                for pane in self.gui.list()
                if pane["workspace"] == (place or workspace)
                and (found := SPEAKS.search(self.gui.text(pane["pane_id"])))
            }
            return said if names and said.keys() == names else {}

        return wait_for(all_of_them, f"the first words of each pane of {workspace}", 30)

    def snapshot(self) -> dict[str, Any]:
        """Return what the plugin would read."""
        found: dict[str, Any] = json.loads((self.place.home / ".local/state/wezterm-parallel/gui.json").read_bytes())
        return found

    def processes(self, workspace: str) -> list[dict[str, Any]]:
        """Return the processes of a workspace, as the plugin would read them."""
        return [
            one for each in self.snapshot()["workspaces"] if each["name"] == workspace for one in each["processes"]
        ]

    def wait_for_views(self, workspace: str, number: int) -> None:
        """Wait until the daemon knows of so many panes that show something of a workspace."""

        def views() -> int:
            return sum(len(one["views"]) for one in self.processes(workspace))

        wait_for(lambda: views() == number, f"{number} views of {workspace}")

    def held(self) -> dict[str, tuple[int, str]]:
        """Return pid and run of everything that the daemon holds."""
        with self.place.hub() as hub:
            every = hub.call("ProcessList", {})["processes"]
        return {one["process_id"]: (one["pid"], one["run_id"]) for one in every}

    def states(self) -> dict[str, str]:
        """Return the state of everything that the daemon holds."""
        with self.place.hub() as hub:
            return {one["process_id"]: one["state"] for one in hub.call("ProcessList", {})["processes"]}

    def log(self, process: str) -> str:
        """Return every byte that a process has written."""
        pieces: list[str] = []
        offset: int | None = 0
        with self.place.hub() as hub:
            while offset is not None:
                page = hub.call("LogRead", {"process": process, "offset": offset})
                pieces += [chunk["text"] for chunk in page["chunks"]]
                offset = page["next"]
        return "".join(pieces)

    def typed(self) -> dict[str, str]:
        """Return what was typed into each `keeper_of_words`."""
        return {
            file.name.removeprefix("typed-"): file.read_text() for file in sorted(self.place.home.glob("typed-*"))
        }

    def bar(self, path: Path) -> Path:
        """Take a picture of the right two thirds of the tab bar, once it keeps still: status text or hint."""
        self.gui.still(path)
        self.gui.display.run(
            "convert", str(path), "-gravity", "NorthEast", "-crop", "850x34+1+1", "+repage", str(path)
        )
        return path

    def in_shell(self, pane: int, *words: str) -> None:
        """Run a command in the shell of a pane, and wait for its end."""
        self.gui.cli("send-text", "--no-paste", "--pane-id", str(pane), f"{shlex.join(words)}; echo en''d $?\r")
        said = self.gui.wait_for_text(pane, "\nend ", 40)
        assert "\nend 0" in said, said
