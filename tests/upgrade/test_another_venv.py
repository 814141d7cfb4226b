"""`daemon upgrade` to another installation: keeper and hub run from it, nothing else notices."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from tests.support.commandline import Terminal
from tests.support.programs import Program, arguments, times_executed
from tests.support.waiting import until
from tests.upgrade.conftest import Installed
from wezparallel.errors import LinkError, RequestError

Start = Callable[..., Installed]
FLOOD = """import itertools, os, select
for i in itertools.count():
    os.write(1, b'%09d\\n' % i)
    select.select([], [], [], 0.0002)
"""


def runs_from(daemon: Installed, program: Program) -> bool:
    pids = (daemon.keeper_pid, daemon.hub_pid())
    return all(arguments(pid)[0] == program.python for pid in pids)


def test_keeper_and_hub_go_over_and_the_old_venv_can_go(start: Start, first: Program, second: Program) -> None:
    daemon = start(first)
    record = daemon.add("echo", ["cat"], tty=True)
    daemon.add("flood", [second.python, "-IS", "-c", FLOOD])
    keeper = daemon.keeper_pid
    with Terminal([first.command, "attach", "echo"], daemon.env, daemon.home, 80) as attached:
        attached.type("before\r")
        attached.wait_for("before\nbefore")
        done = daemon.run(second, "daemon", "upgrade")
        assert done.returncode == 0, done.stderr
        assert done.stdout == "The daemon runs version 2.0.0 now, before 1.0.0; 2 processes went on.\n"
        assert runs_from(daemon, second)
        first.remove()
        attached.type("after\r")
        attached.wait_for("after\nafter")
        attached.type("\x1c\x1c")
        assert attached.wait() == 0
    os.kill(daemon.hub_pid(), signal.SIGKILL)
    assert daemon.call("ProcessGet", process="home/echo")["process"]["pid"] == record["pid"]
    assert daemon.keeper_pid == keeper
    assert runs_from(daemon, second)
    daemon.add("later", ["cat"])
    third = second.copy(second.root.parent / "third", "3.0.0")
    done = daemon.run(second, "daemon", "upgrade", "--to", third.python, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["previous"], answer["version"], answer["processes"]) == ("2.0.0", "3.0.0", 3)
    second.remove()
    assert runs_from(daemon, third)
    daemon.call("ProcessKill", process="home/flood")
    numbers = daemon.log("flood").split(b"\n")[:-1]
    assert numbers == [b"%09d" % at for at in range(int(numbers[0]), int(numbers[0]) + len(numbers))]


def test_a_daemon_whose_files_are_gone_works_on_and_can_be_upgraded(
    start: Start, first: Program, second: Program
) -> None:
    daemon = start(first)
    record = daemon.add("echo", ["cat"], tty=True)
    with Terminal([first.command, "attach", "echo"], daemon.env, daemon.home, 80) as attached:
        attached.type("before\r")
        attached.wait_for("before\nbefore")
        first.remove()
        daemon.add("more", ["sh", "-c", "trap 'exit 3' TERM; echo up; while :; do sleep 0.1; done"])
        until(lambda: b"up" in daemon.log("more"), 20, "its output")
        assert daemon.call("ProcessStop", process="home/more")["process"]["exit_code"] == 3
        assert daemon.run(second, "suspend", "echo").returncode == 0
        assert daemon.run(second, "resume", "echo").returncode == 0
        attached.type("after\r")
        attached.wait_for("after\nafter")
        done = daemon.run(second, "daemon", "upgrade")
        assert done.returncode == 0, done.stderr
        assert runs_from(daemon, second)
        daemon.call("ProcessStop", process="home/echo")
        attached.wait_for("echo stopped")
    assert daemon.call("ProcessGet", process="home/echo")["process"]["run_id"] == record["run_id"]


def test_no_connect_fails_and_every_request_is_answered_once(start: Start, first: Program, second: Program) -> None:
    daemon = start(first)
    daemon.add("log", ["cat"])
    over = threading.Event()
    typed: list[int] = []
    refused: list[BaseException] = []

    def type_on() -> None:
        try:
            with daemon.client() as client:
                while not over.is_set():
                    client.call("ProcessType", {"process": "home/log", "text": f"{len(typed)}\n"})
                    typed.append(len(typed))
                    assert daemon.raw(b'{"Ping":{}}\n').startswith(b'{"Pong"')
        except (AssertionError, OSError, RequestError, LinkError) as error:  # told by the test's own thread
            refused.append(error)

    typist = threading.Thread(target=type_on)
    typist.start()
    try:
        until(lambda: bool(typed or refused), 20, "the first line")
        done = daemon.run(second, "daemon", "upgrade")
        seen = len(typed)
        until(lambda: len(typed) > seen + 3 or bool(refused), 20, "lines after the upgrade")
    finally:
        over.set()
        typist.join()
    assert not refused
    assert done.returncode == 0, done.stderr
    until(lambda: daemon.log("log").count(b"\n") == len(typed), 10, "everything that was typed")
    assert [int(line) for line in daemon.log("log").split()] == typed


def test_a_path_to_the_old_code_does_not_follow(start: Start, first: Program, second: Program) -> None:
    daemon = start(first, PYTHONPATH=str(first.package.parent))
    daemon.env.pop("PYTHONPATH")
    done = daemon.run(second, "daemon", "upgrade")
    assert done.returncode == 0, done.stderr
    for pid in (daemon.keeper_pid, daemon.hub_pid()):
        assert b"PYTHONPATH=" not in Path(f"/proc/{pid}/environ").read_bytes()
    first.remove()
    os.kill(daemon.hub_pid(), signal.SIGKILL)
    assert daemon.call("Ping")["version"] == "2.0.0"
    assert runs_from(daemon, second)


def test_a_stopped_daemon_is_upgraded_too(start: Start, first: Program, second: Program) -> None:
    daemon = start(first)
    pid = daemon.add("echo", ["cat"])["pid"]
    assert daemon.run(first, "daemon", "stop").returncode == 0
    before = times_executed(daemon.keeper_pid)
    done = daemon.run(second, "daemon", "upgrade")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "The daemon runs version 2.0.0 now; 1 process went on.\n"
    assert times_executed(daemon.keeper_pid) != before
    assert runs_from(daemon, second)
    assert daemon.call("ProcessGet", process="home/echo")["process"]["pid"] == pid


def test_from_inside_a_held_process_a_person_may_ask_while_the_hub_is_there(
    start: Start, first: Program, second: Program
) -> None:
    daemon = start(first)
    daemon.add("shell", ["sh", "-c", f"{second.command} daemon upgrade; exec cat"], tty=True)
    until(lambda: daemon.call("Ping")["version"] == "2.0.0", 20, "the other version")
    assert runs_from(daemon, second)
    daemon.add("robot", ["sh", "-c", f"{first.command} daemon upgrade; exec cat"], agent="claude_code")
    until(lambda: b"not allowed" in daemon.log("robot"), 20, "a refusal")
    assert daemon.call("Ping")["version"] == "2.0.0"
