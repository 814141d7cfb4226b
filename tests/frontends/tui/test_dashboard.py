"""The dashboard as a person runs it: the program on a terminal, beside a real daemon."""

from __future__ import annotations

from pathlib import Path

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon

ECHO = 'while read line; do echo "you said $line"; done'


def test_a_day_at_the_dashboard(daemon: Daemon, tmp_path: Path) -> None:
    wezparallel = CommandLine(daemon.env, tmp_path)
    with wezparallel.terminal("dashboard", columns=100, rows=24) as terminal:
        terminal.wait_for("Nothing runs yet.")
        shell = {"command": "/bin/sh", "args": ["-c", ECHO], "tty": True}
        daemon.call("ProcessAdd", id="shop/coder", root=str(tmp_path), **shell)
        terminal.wait_for("coder")
        terminal.wait_for("none needs you")

        daemon.call("ProcessNotify", process="shop/coder", text="which database?")
        terminal.wait_for("needs you")
        terminal.wait_for("1 waits")
        terminal.type("a")
        terminal.wait_for("enter types it")
        terminal.type("postgres\r")
        terminal.wait_for("you said postgres")  # in the lower box
        terminal.wait_for("none needs you")

        terminal.type("l")
        terminal.wait_for("follows")
        daemon.call("ProcessType", process="shop/coder", text="more", enter=True)
        terminal.wait_for("you said more")
        terminal.type("/")
        terminal.wait_for("search")
        terminal.type("POSTGRES\r")
        terminal.wait_for("'POSTGRES': 2 lines")  # what was typed, and its echo
        terminal.wait_for("line 1 of 4")
        terminal.type("f")
        terminal.wait_for("follows")
        terminal.type("q")
        terminal.wait_for("enter open")

        terminal.type("\r")
        terminal.wait_for("you said more")
        terminal.type("in its terminal\r")
        terminal.wait_for("you said in its terminal")
        terminal.type("\x1c\x1c")
        terminal.wait_for("enter open")

        daemon.kill_hub()
        terminal.wait_for("hub away")
        terminal.wait_for("live")
        terminal.type("sy")
        terminal.wait_for("stopped")
        terminal.type("q")
        assert terminal.wait() == 0
        assert b"\x1b[?1049l" in terminal.raw[-400:]


def test_without_a_terminal_it_is_a_table_and_as_json_too(daemon: Daemon, tmp_path: Path) -> None:
    wezparallel = CommandLine(daemon.env, tmp_path)
    assert "wezparallel up" in wezparallel("dashboard").out
    assert wezparallel("dashboard", "--json").out.strip() == '{"processes": []}'
    assert wezparallel.on_terminal("dashboard", "nowhere").code == 3


def test_where_textual_is_missing_top_is_shown_and_why_is_said(daemon: Daemon, tmp_path: Path) -> None:
    # A package of that name that cannot be found: what `find_spec` sees where the extra is not installed.
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['textual'] = None\n")
    environment = {**daemon.env, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[3]}"}
    done = CommandLine(environment, tmp_path)("dashboard")
    assert done.code == 0
    assert "wezparallel[tui]" in done.err
    assert len(done.err.splitlines()) == 1
    assert "wezparallel up" in done.out
