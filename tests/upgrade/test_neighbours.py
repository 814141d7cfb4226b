"""Protocol versions one apart: whichever side is newer, both go on with what they share."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commandline import Terminal
from tests.support.programs import Program, arguments, to_neighbour
from tests.support.waiting import until
from tests.upgrade.conftest import Installed

Start = Callable[..., Installed]
FLOOD = """import itertools, os, select
for i in itertools.count():
    os.write(1, b'%09d\\n' % i)
    select.select([], [], [], 0.0002)
"""


@pytest.fixture
def newer(second: Program) -> Program:
    """The next protocol version."""
    to_neighbour(second)
    return second


def test_there_and_back_with_a_flood_and_an_attached_terminal(start: Start, first: Program, newer: Program) -> None:
    daemon = start(first)
    record = daemon.add("echo", ["cat"], tty=True)
    daemon.add("flood", [newer.python, "-IS", "-c", FLOOD])
    gone = daemon.add("brief", ["sh", "-c", "read x; exit 7"], restart="never")
    with Terminal([first.command, "attach", "echo"], daemon.env, daemon.home, 80) as attached:
        for at, (old, new) in enumerate([(first, newer), (newer, first), (first, newer)]):
            done = daemon.run(new, "daemon", "upgrade", "--json")
            assert done.returncode == 0, done.stderr
            answer = json.loads(done.stdout)
            assert (answer["previous"], answer["version"]) == (old.version, new.version)
            assert arguments(daemon.keeper_pid)[0] == new.python
            daemon.add(f"fds{at}", ["sh", "-c", "ls /proc/self/fd | wc -l"], restart="never")
            until(lambda at=at: daemon.log(f"fds{at}") == b"4\n", 10, "a child without descriptors of ours")  # type: ignore[misc]
            attached.type(f"line {at}\r")
            attached.wait_for(f"line {at}\nline {at}")
            keeper = json.loads(daemon.run(new, "daemon", "status", "--json").stdout)["keeper"]
            assert (keeper["version"], keeper["viewers"]) == (2 if new is newer else 1, 1)
    daemon.call("ProcessType", process="home/brief", text="x\n")
    until(lambda: daemon.call("ProcessGet", process="home/brief")["process"]["exit_code"] == 7, 10, "its exit")
    assert gone["pid"]
    assert daemon.call("ProcessGet", process="home/echo")["process"]["pid"] == record["pid"]
    daemon.call("ProcessKill", process="home/flood")
    seen = [int(line) for line in daemon.log("flood").split(b"\n")[:-1]]
    assert seen == list(range(seen[0], seen[0] + len(seen)))


@pytest.mark.parametrize("keeper_is_newer", [True, False])
def test_a_hub_serves_beside_a_keeper_of_the_other_version(
    start: Start, first: Program, newer: Program, *, keeper_is_newer: bool
) -> None:
    keeper, hub = (newer, first) if keeper_is_newer else (first, newer)
    daemon = start(keeper, WEZPARALLEL_HUB_ARGV=json.dumps([hub.python, "-m", "wezparallel.hub"]))
    record = daemon.add("echo", ["cat"], tty=True)
    daemon.add("brief", ["sh", "-c", "read x; exit 7"], restart="never")
    with Terminal([hub.command, "attach", "echo"], daemon.env, daemon.home, 80) as attached:
        attached.type("hello\r")
        attached.wait_for("hello\nhello")
        os.kill(daemon.hub_pid(), signal.SIGKILL)
        daemon.call("ProcessType", process="home/echo", text="typed\n")
        attached.wait_for("typed\ntyped")
    daemon.call("ProcessType", process="home/brief", text="x\n")
    until(lambda: daemon.call("ProcessGet", process="home/brief")["process"]["exit_code"] == 7, 10, "its exit")
    assert daemon.call("ProcessGet", process="home/echo")["process"]["pid"] == record["pid"]
    assert daemon.call("Ping")["version"] == hub.version
    assert arguments(daemon.keeper_pid)[0] == keeper.python


def test_a_hub_that_the_next_keeper_cannot_speak_with_is_replaced(
    start: Start, first: Program, second: Program
) -> None:
    second.speak(2, 2)
    daemon = start(first)
    record = daemon.add("echo", ["cat"])
    done = daemon.run(second, "daemon", "upgrade")
    assert done.returncode == 0, done.stderr
    assert daemon.call("Ping")["version"] == "2.0.0"
    assert "the hub speaks protocol 1, I 2 to 2: it is replaced" in daemon.said()
    assert daemon.call("ProcessGet", process="home/echo")["process"]["pid"] == record["pid"]


def test_a_hub_that_is_too_old_is_refused_and_started_again(start: Start, second: Program) -> None:
    second.speak(2, 2)
    daemon = start(second)
    record = daemon.add("echo", ["cat"])
    # Installed over it comes an older version, whose hubs have nothing in common with the keeper that runs.
    second.speak(1, 1)
    os.kill(daemon.hub_pid(), signal.SIGKILL)
    until(lambda: daemon.said().count("is refused: no common version") >= 3, 30, "some tries")
    second.speak(2, 2)
    assert daemon.call("ProcessGet", process="home/echo")["process"]["pid"] == record["pid"]
    assert arguments(daemon.keeper_pid)[0] == second.python


def test_a_stopped_keeper_is_upgraded_by_a_command_that_it_cannot_speak_with(
    start: Start, first: Program, second: Program
) -> None:
    second.speak(2, 2)
    daemon = start(first)
    record = daemon.add("echo", ["cat"])
    assert daemon.run(first, "daemon", "stop").returncode == 0
    done = daemon.run(second, "daemon", "upgrade")
    assert done.returncode == 0, done.stderr
    assert daemon.call("Ping")["version"] == "2.0.0"
    assert daemon.call("ProcessGet", process="home/echo")["process"]["pid"] == record["pid"]


def test_a_hub_that_comes_up_newer_in_place_serves(start: Start, first: Program) -> None:
    daemon = start(first)
    record = daemon.add("echo", ["cat"], tty=True)
    with Terminal([first.command, "attach", "echo"], daemon.env, daemon.home, 80) as attached:
        attached.type("hello\r")
        attached.wait_for("hello\nhello")
        _replace(first)
        first.say_version("1.1.0")
        to_neighbour(first)
        os.kill(daemon.hub_pid(), signal.SIGKILL)
        assert daemon.call("Ping")["version"] == "1.1.0"
        attached.type("again\r")
        attached.wait_for("again\nagain")
        done = daemon.run(first, "daemon", "upgrade")
        assert done.returncode == 0, done.stderr
        attached.type("over\r")
        attached.wait_for("over\nover")
    assert daemon.call("ProcessGet", process="home/echo")["process"]["pid"] == record["pid"]


def test_a_hub_that_is_too_new_in_place_upgrades_the_keeper_first(start: Start, first: Program) -> None:
    daemon = start(first)
    record = daemon.add("echo", ["cat"], tty=True)
    keeper = daemon.keeper_pid
    with Terminal([first.command, "attach", "echo"], daemon.env, daemon.home, 80) as attached:
        attached.type("hello\r")
        attached.wait_for("hello\nhello")
        _replace(first)
        to_neighbour(first)
        first.say_version("2.0.0")
        first.speak(2, 2)
        os.kill(daemon.hub_pid(), signal.SIGKILL)
        assert daemon.call("Ping")["version"] == "2.0.0"
        attached.type("again\r")
        attached.wait_for("again\nagain")
    assert daemon.keeper_pid == keeper
    assert daemon.call("ProcessGet", process="home/echo")["process"]["pid"] == record["pid"]
    status = json.loads(daemon.run(first, "daemon", "status", "--json").stdout)["keeper"]
    assert (status["version"], status["hub"]["deaths"]) == (2, 1)


def _replace(program: Program) -> None:
    """Leave nothing of the files that a running program was started from, as `pip install -U` does."""
    for path in list(Path(program.package).rglob("*")):
        if path.is_file():
            data, times = path.read_bytes(), path.stat()
            path.unlink()
            path.write_bytes(data)
            os.utime(path, (times.st_atime, times.st_mtime))
