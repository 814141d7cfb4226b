"""`daemon`, `status`, `events`, `doctor`, `call` with the real daemon; and its start by the first verb."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon


def test_the_first_verb_starts_the_daemon_and_stop_ends_it(wezparallel: CommandLine, runtime: str) -> None:
    Path(runtime).chmod(0o700)
    try:
        assert wezparallel("daemon", "status").code == 5
        assert wezparallel("ls").code == 0
        assert wezparallel("daemon", "status").code == 0
    finally:
        done = wezparallel("daemon", "stop", "--all", "--yes")
    assert done.out == "The daemon is stopped.\n"
    assert wezparallel("ls").code == 5


def test_processes_live_on_while_the_daemon_is_stopped(real: CommandLine, daemon: Daemon) -> None:
    real("run", "--", "sleep", "1000")
    pid = daemon.call("ProcessGet", process="home/sleep")["process"]["pid"]
    done = real("daemon", "stop")
    assert "1 process goes on" in done.out
    assert real("ps").code == 5
    assert "stopped by you" in real("daemon", "status").out
    assert real("daemon", "status").code == 5  # looking at it did not start it
    assert real("daemon", "start").code == 0
    assert daemon.call("ProcessGet", process="home/sleep")["process"]["pid"] == pid


def test_up_and_run_start_a_stopped_daemon(real: CommandLine, daemon: Daemon) -> None:
    real("run", "--", "sleep", "1000")
    real("daemon", "stop")
    assert real("run", "--", "sleep", "1000").code == 0


def test_upgrade_keeps_every_process(real: CommandLine, daemon: Daemon) -> None:
    real("run", "--", "sleep", "1000")
    before = daemon.call("ProcessGet", process="home/sleep")["process"]
    keeper = daemon.call("Status")["keeper_pid"]
    done = real("daemon", "upgrade")
    assert done.code == 0, done.err
    after = daemon.call("ProcessGet", process="home/sleep")["process"]
    assert (after["pid"], after["run_id"]) == (before["pid"], before["run_id"])
    assert daemon.call("Status")["keeper_pid"] == keeper


def test_stopping_everything_asks_first(real: CommandLine, daemon: Daemon) -> None:
    real("run", "--", "sleep", "1000")
    assert real("daemon", "stop", "--all").code == 2
    assert daemon.call("Status")["processes"] == 1


def test_status_says_the_figures(real: CommandLine, daemon: Daemon) -> None:
    real("run", "--", "sleep", "1000")
    done = real("status")
    assert "1 (1 running)" in done.out
    assert json.loads(real("status", "--json").out)["by_state"] == {"running": 1}


def test_events_tell_the_past_by_pattern(real: CommandLine, daemon: Daemon) -> None:
    real("run", "--", "sh", "-c", "exit 3")
    with daemon.client() as client:
        stream = client.subscribe(["process.exited"], since=0)
        next(stream)
    done = real("events", "process.exited")
    assert "home/sh" in done.out
    assert "exited 3 after" in done.out
    assert len(done.out.splitlines()) == 1
    first = json.loads(real("events", "--json", "-n", "1", "process.added").out)
    assert first["data"]["process_id"] == "home/sh"
    assert real("events", "--since", str(first["seq"]), "process.added").out == ""
    assert real("events", "--since", "never").code == 2


def test_the_last_events_of_a_long_past_are_the_last_ones(real: CommandLine, daemon: Daemon) -> None:
    """The hub tells a long past in parts, between which it answers others, and the same client, too."""
    real("run", "--", "sleep", "1000")
    with daemon.client() as client:
        for number in range(700):
            before = f"w{number - 1}" if number else "home"
            client.call("WorkspaceRename", {"name": before, "to": f"w{number}"})
    renamed = daemon.call("Status")["seq"]
    assert json.loads(real("events", "--json", "-n", "1").out)["seq"] == renamed
    assert "w699" in real("events", "-n", "2", "workspace.renamed").out
    assert "home/sleep" in real("events", "process.added").out


def test_events_follow(real: CommandLine, daemon: Daemon) -> None:
    with real.terminal("events", "-f", "process.*") as terminal:
        real("run", "--", "sleep", "1000")
        terminal.wait_for("process.running")
        terminal.type("\x03")
        assert terminal.wait() == 130
        assert "Traceback" not in terminal.text


def test_call_passes_a_request_on(real: CommandLine, daemon: Daemon) -> None:
    assert "Pong" in json.loads(real("call", '{"Ping":{}}').out)
    assert "Pong" in json.loads(real("call", stdin='{"Ping":{}}\n').out)


def test_doctor_checks_everything_and_starts_nothing(wezparallel: CommandLine, runtime: str) -> None:
    Path(runtime).chmod(0o700)
    done = wezparallel("doctor")
    assert done.code == 0, done.out
    subjects = {line.split()[1] for line in done.out.splitlines() if "→" not in line}
    wezterm = {"wezterm", "plugin", "snapshot"}
    assert subjects == wezterm | {"python", "config", "daemon", "sockets", "state", "claude", "terminal"}
    assert not list(Path(runtime).iterdir())


def test_doctor_says_the_fix(wezparallel: CommandLine, runtime: str) -> None:
    Path(runtime).chmod(0o755)
    done = wezparallel("doctor")
    assert done.code == 1
    assert f"→ run: chmod 700 {runtime}" in done.out


@pytest.mark.parametrize("words", [["ps"], ["logs", "-f", "x"], ["status"], ["type", "x", "y"]])
def test_another_socket_without_a_daemon_is_told_and_starts_none(words: list[str], wezparallel: CommandLine) -> None:
    done = wezparallel(*words, "--socket", "/nowhere.sock")
    assert done.code == 5
    assert "/nowhere.sock" in done.err


def test_a_verb_survives_the_death_of_the_hub(real: CommandLine, daemon: Daemon) -> None:
    real("run", "--", "sh", "-c", "trap '' TERM; while :; do sleep 1; done")
    with real.terminal("stop", "sh", "--grace", "3") as terminal:
        with daemon.client() as client:
            stream = client.subscribe(["process.stopping"], since=0)
            next(stream)
        daemon.kill_hub()
        terminal.wait_for("home/sh stopped")
        assert terminal.wait() == 0
    with daemon.client() as client:
        stopped = client.subscribe(["process.stopped"], since=0)
        next(stopped)
        assert stopped.next(0.1) is None


def test_a_start_right_behind_a_stop_starts_a_daemon(wezparallel: CommandLine, runtime: str) -> None:
    Path(runtime).chmod(0o700)
    try:
        for _ in range(3):
            assert wezparallel("daemon", "start").code == 0
            assert wezparallel("daemon", "stop").code == 0
    finally:
        wezparallel("daemon", "stop", "--all", "--yes")
