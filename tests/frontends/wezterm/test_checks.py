"""`doctor`'s findings about WezTerm, each with its fix."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.frontends.wezterm.conftest import Fake, make_fake
from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon
from wezparallel.frontends.wezterm import checks


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """A WezTerm with one pane."""
    return make_fake(tmp_path / "bin")


@pytest.fixture
def gui() -> Iterator[subprocess.Popen[bytes]]:
    """A program with the environment of one that a dock started."""
    program = [sys.executable, "-I", "-S", "-c", "input()"]
    with subprocess.Popen(program, env={"PATH": "/nowhere"}, stdin=subprocess.PIPE) as running:
        yield running
        running.communicate(b"\n", 10)


def found(wezparallel: CommandLine, *, level: str = "") -> dict[str, dict[str, str]]:
    """Subject -> its (last) finding."""
    done = wezparallel("doctor", "--json")
    return {one["subject"]: one for one in json.loads(done.out)["checks"] if level in ("", one["level"])}


def inside(real: CommandLine, fake: Fake, socket: str) -> CommandLine:
    """The command line in a pane of that WezTerm."""
    real.environment |= {"WEZTERM_UNIX_SOCKET": socket, "WEZTERM_EXECUTABLE_DIR": str(fake.folder)}
    real.environment |= {"WEZTERM_CONFIG_FILE": str(fake.folder.parent / "wezterm.lua"), "WEZTERM_PANE": "1"}
    return real


def test_all_is_well_after_init_beside_a_daemon(real: CommandLine, daemon: Daemon, fake: Fake) -> None:
    (fake.folder.parent / "wezterm.lua").write_text("local config = {}\nreturn config\n")
    wezparallel = inside(real, fake, f"{fake.folder}/sock")
    assert "does not ask for wezparallel" in found(wezparallel)["plugin"]["said"]
    wezparallel("init", "--write")
    checked = found(wezparallel)
    assert checked["wezterm"]["said"].startswith("20240203-110809-5046fc22, socket answers in ")
    assert checked["plugin"]["level"] == "ok"


def test_a_socket_that_is_gone_is_told_with_its_fix(real: CommandLine, daemon: Daemon, fake: Fake) -> None:
    fake.fail("list")
    check = found(inside(real, fake, f"{fake.folder}/sock"))["wezterm"]
    assert check["level"] == "fix"
    assert "no list today" in check["said"]
    assert check["fix"].startswith("open a new pane")


def test_a_link_that_leads_nowhere_is_to_be_fixed_by_init(real: CommandLine, daemon: Daemon, fake: Fake) -> None:
    (fake.folder.parent / "wezterm.lua").write_text("require 'wezparallel'.setup(config)\n")
    check = found(inside(real, fake, f"{fake.folder}/sock"))["plugin"]
    assert check["level"] == "fix"
    assert "~/.wezterm/wezparallel is missing" in check["said"]
    assert check["fix"] == "wezparallel init"


def test_a_plugin_that_wezterm_cloned_needs_no_link(real: CommandLine, daemon: Daemon, fake: Fake) -> None:
    line = "wezterm.plugin.require('https://example.org/x/wezparallel').setup(config)\n"
    (fake.folder.parent / "wezterm.lua").write_text(line)
    assert found(inside(real, fake, f"{fake.folder}/sock"))["plugin"]["level"] == "ok"


def test_the_path_of_a_gui_that_a_dock_started_is_looked_at(
    real: CommandLine, daemon: Daemon, fake: Fake, gui: subprocess.Popen[bytes]
) -> None:
    wezparallel = inside(real, fake, f"{fake.folder}/gui-sock-{gui.pid}")
    snapshot = Path(real.environment["XDG_STATE_HOME"]) / "wezterm-parallel" / "gui.json"
    snapshot.unlink(missing_ok=True)
    told = {"format": 1, "python": sys.executable}
    assert checked_path(wezparallel, snapshot, None)["level"] == "fix"
    check = checked_path(wezparallel, snapshot, told)
    assert check["level"] == "ok"
    assert "and need not" in check["said"]


def checked_path(wezparallel: CommandLine, snapshot: Path, told: dict[str, object] | None) -> dict[str, str]:
    """The finding about PATH beside such a snapshot, from the program itself: a daemon would write its own."""
    environment = {**wezparallel.environment, "XDG_STATE_HOME": str(wezparallel.cwd / "state")}
    path = wezparallel.cwd / "state" / "wezterm-parallel" / "gui.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if told is not None:
        path.write_text(json.dumps(told))
    argv = [sys.executable, "-m", "wezparallel.frontends.wezterm", "doctor", "--json"]
    done = subprocess.run(argv, env=environment, capture_output=True, check=True, timeout=30)
    return next(one for one in json.loads(done.stdout)["checks"] if one["subject"] == "PATH")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "is missing"), ("{", "cannot be read"), ('{"format": 2}', "does not know"), ("[]", "does not know"),
    ],
)  # fmt: skip
def test_a_snapshot_that_lua_would_refuse_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, said: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    path = tmp_path / "wezterm-parallel" / "gui.json"
    path.parent.mkdir()
    if text is not None:
        path.write_text(text)
    snapshot, problem = checks.read_snapshot()
    assert snapshot is None
    assert said in problem


def test_a_pipe_in_the_place_of_the_snapshot_holds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "wezterm-parallel").mkdir()
    os.mkfifo(tmp_path / "wezterm-parallel" / "gui.json")
    assert "not a regular file" in checks.read_snapshot()[1]


def test_a_snapshot_of_an_installation_that_is_gone_is_to_be_fixed_by_init(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    told = {"format": 1, "python": "/gone/python", "call": __file__, "attach": __file__}
    (check,) = list(checks._snapshot(told, "", None))
    assert (check.level, check.fix) == ("fix", "wezparallel init")
    assert "/gone/python" in check.said


def test_a_slow_python_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_SLOW_MS", 0)
    told = {"python": sys.executable, "call": os.devnull, "env": {}}
    assert not list(checks._latency(told))  # no file
    (tmp_path / "call.py").write_text("")
    (check,) = list(checks._latency({**told, "call": str(tmp_path / "call.py")}))
    assert (check.level, check.subject) == ("note", "client")


def test_a_second_wezterm_on_the_path_is_told(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "wezterm").write_text("#!/bin/sh\necho wezterm 20200101-000000-aaaaaaaa\n")
    (other / "wezterm").chmod(0o755)
    for name, value in fake.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{other}:{os.environ['PATH']}")
    told = list(checks._wezterm())
    assert [check.level for check in told] == ["ok", "note"]
    assert "20200101-000000-aaaaaaaa" in told[1].said
