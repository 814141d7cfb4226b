"""`views`, and how `open`, `switch` and `focus` move WezTerm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon
from tests.support.fake_gui import FakeGui
from tests.support.scripted_hub import ScriptedHub
from tests.support.views import has_view, requests
from tests.support.waiting import until

VIEWS = [
    {"view_id": "v-1", "process_id": "shop/a", "pane": "17", "mux": "/run/gui-sock-1", "pid": 4, "size": [24, 80],
     "read_only": True, "origin": "viewer"},
    {"view_id": "b-1", "process_id": "shop/b", "pane": None, "mux": None, "pid": None, "size": None,
     "read_only": False, "origin": "bound"},
]  # fmt: skip
TWO = "layout: |\n  a b\npanes:\n  a: sleep 1000\n  b: sleep 1000\n"


@pytest.fixture
def shop(real: CommandLine) -> CommandLine:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    done = real("up", "--trust")
    assert done.code == 0, done.err
    return real


@pytest.fixture
def gui(daemon: Daemon, runtime: str) -> Iterator[FakeGui]:
    """A GUI whose plugin has said something."""
    gui = FakeGui(Path(runtime) / "gui", daemon.env)
    daemon.call("Ping", mux=gui.mux)
    yield gui
    gui.end()


def asked(daemon: Daemon, kind: str, gui: FakeGui) -> list[dict[str, Any]]:
    return requests(daemon, kind, gui.mux)


def test_each_view_says_what_it_shows_and_where(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    hub.answers["ViewList"] = {"views": VIEWS, "next": None}
    first, second = wezparallel("views").out.splitlines()
    assert first.split() == ["shop/a", "pane", "17", "80×24", "gui-sock-1", "read-only"]
    assert second.split() == ["shop/b", "terminal", "?", "not", "attached"]
    assert json.loads(wezparallel("views", "--json").out)["views"] == VIEWS


def test_where_nothing_is_shown_it_says_what_shows_something(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    hub.answers["ViewList"] = {"views": [], "next": None}
    assert "wezparallel attach NAME" in wezparallel("views").out


def test_switch_and_focus_move_the_gui_that_spoke_last(shop: CommandLine, daemon: Daemon, gui: FakeGui) -> None:
    assert shop("switch", "shop").out == "shop is the current workspace; WezTerm goes there\n"
    assert "WezTerm goes there" in shop("focus", "b").out
    first, second = asked(daemon, "switch", gui)
    assert (first["workspace"], first["focus"]) == ("shop", None)
    assert (second["workspace"], second["focus"]) == ("shop", "shop/b")
    gui.kill()
    assert "is the current workspace, at shop/b" in shop("switch", "shop").out


def test_open_shows_a_process_and_says_what_came_of_it(shop: CommandLine, daemon: Daemon, gui: FakeGui) -> None:
    done = shop("open", "shop/a")
    assert "WezTerm was asked to show shop/a" in done.out
    assert "wezparallel doctor" in done.err
    (request,) = asked(daemon, "open", gui)
    assert (request["process_id"], request["where"]) == ("shop/a", "tab")
    with shop.terminal("open", "b", "--where", "split") as terminal:
        until(lambda: len(asked(daemon, "open", gui)) == 2, 10, "the request")
        gui.open(7, "shop/b")
        terminal.wait_for("shop/b is shown in pane 7")
    has_view(daemon, "shop/b")
    assert shop("open", "nothing").code == 3


def test_open_without_any_wezterm_says_what_else_shows_it(shop: CommandLine) -> None:
    done = shop("open", "shop/a")
    assert done.code == 4
    assert "wezparallel attach shop/a" in done.err
