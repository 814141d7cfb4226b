"""`up` in a pane of WezTerm: panes beside it, and what becomes of the workspace where they cannot be made."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.frontends.wezterm.conftest import Fake, make_fake
from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon
from tests.support.waiting import until

TWO = "layout: |\n  a  b\npanes:\n  a: sleep 1000\n  b: {command: sleep 1000, focus: true}\n"


@pytest.fixture
def fake(real: CommandLine, tmp_path: Path) -> Fake:
    """The WezTerm around the user's shell."""
    fake = make_fake(tmp_path / "bin")
    real.environment |= {name: value for name, value in fake.environment().items() if name not in os.environ}
    real.environment |= {"WEZTERM_PANE": "1", "WEZTERM_EXECUTABLE_DIR": str(fake.folder)}
    for name in ("TMUX", "STY", "ZELLIJ", "TERM_PROGRAM"):
        real.environment.pop(name, None)
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    return fake


def test_up_opens_a_tab_beside_the_callers_and_says_what_init_would_add(
    real: CommandLine, daemon: Daemon, fake: Fake
) -> None:
    shown = real.on_terminal("up", "--trust")
    assert shown.code == 0
    assert "shop 2 of 2 up" in " ".join(shown.text.split())  # spread over the line
    assert "opened beside this tab. `wezparallel init` adds" in shown.text
    assert fake.verbs == ["list", "spawn", "list", "split-pane", "set-tab-title", "activate-pane"]
    first = fake.calls[1]["words"]
    assert first[:6] == ["spawn", "--pane-id", "1", "--cwd", str(real.cwd), "--"]
    assert first[-5:] == ["shop/a", "--socket", f"{daemon.runtime}/keeper.sock", "--size", "30x60"]


def test_up_that_cannot_be_shown_takes_back_what_it_made(real: CommandLine, daemon: Daemon, fake: Fake) -> None:
    fake.fail("split-pane")
    shown = real.on_terminal("up", "--trust")
    assert shown.code == 4
    assert "WezTerm refused `wezterm split-pane`: no split-pane today" in shown.text
    assert fake.panes == [1]
    assert not daemon.call("WorkspaceList")["workspaces"]


def test_up_of_what_was_open_leaves_it_open_where_it_cannot_be_shown(
    real: CommandLine, daemon: Daemon, fake: Fake
) -> None:
    real("up", "--trust")
    pids = {one["pid"] for one in daemon.call("ProcessList")["processes"]}
    fake.fail("spawn")
    shown = real.on_terminal("up", "--trust")
    assert shown.code == 4
    assert "shop is open; `wezparallel attach`" in shown.text
    assert {one["pid"] for one in daemon.call("ProcessList")["processes"]} == pids


@pytest.mark.parametrize("words", [("up", "--trust", "--detach"), ("up", "--trust", "--json")])
def test_up_that_is_not_to_be_shown_asks_wezterm_nothing(
    real: CommandLine, fake: Fake, words: tuple[str, ...]
) -> None:
    assert real.on_terminal(*words).code == 0
    assert not (fake.folder / "calls").exists()


def test_a_tmux_inside_wezterm_is_no_pane_of_it(real: CommandLine, fake: Fake) -> None:
    real.environment["TMUX"] = "/tmp/tmux-0/default,1,0"
    with real.terminal("up", "--trust") as terminal:
        terminal.wait_for("attached to shop/b")
    assert not (fake.folder / "calls").exists()


def test_open_and_switch_show_the_panes_of_a_workspace_too(real: CommandLine, daemon: Daemon, fake: Fake) -> None:
    real("up", "--trust")
    assert real.on_terminal("open", "shop").code == 0
    assert real.on_terminal("switch", "shop").code == 0
    assert fake.verbs.count("spawn") == 2  # nothing runs in these panes, so that each time there are none
    assert daemon.call("WorkspaceList")["workspaces"][0]["switched_at"]


def test_where_the_plugin_has_spoken_it_is_asked_and_nothing_is_built_from_outside(
    real: CommandLine, daemon: Daemon, fake: Fake
) -> None:
    mux = fake.folder / "sock"
    mux.touch()
    daemon.call("ProcessAdd", id="other", command="sleep", args=["1000"])
    daemon.call("ViewBind", process="other", pane="1", mux=str(mux))  # as the plugin does
    snapshot = Path(real.environment["XDG_STATE_HOME"]) / "wezterm-parallel" / "gui.json"
    until(lambda: json.loads(snapshot.read_text())["gui"] == str(mux), 10, "the snapshot")
    shown = real.on_terminal("up", "--trust")
    assert "WezTerm goes to shop" in shown.text
    assert not (fake.folder / "calls").exists()
    (request,) = json.loads(snapshot.read_text())["requests"]
    assert (request["kind"], request["workspace"], request["mux"]) == ("switch", "shop", str(mux))
