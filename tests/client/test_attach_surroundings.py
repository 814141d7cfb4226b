"""The attach client and who stands around it: hub, keeper, pipes, other programs, a daemon that is missing."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from tests.support.daemon import Daemon
from tests.support.fake_hub import FakeHub
from tests.support.viewing import ATTACH, HeldKeeper, Pane, cat, held_keeper, shell
from tests.support.waiting import until

DETACHED = b"comes back]"
NOW = {"signal": "SIGKILL", "grace_s": 0.1, "kill": "tree"}


def served(public: socket.socket, command: str, reply: dict[str, object]) -> dict[str, object]:
    """Play a hub: leave everything but this command without an answer; return what the command said."""
    while True:
        connection, _ = public.accept()
        with connection:
            body: dict[str, dict[str, object]] = json.loads(connection.recv(65536))
            if command in body:
                connection.sendall(json.dumps(reply).encode() + b"\n")
                return body[command]


def test_the_restart_key_asks_the_hub_and_says_what_is_in_the_way(keeper: HeldKeeper, pane: Pane) -> None:
    with socket.socket(socket.AF_UNIX) as public:
        public.settimeout(10)
        public.bind(f"{keeper.runtime}/public.sock")
        public.listen()
        shell(keeper, "printf ready; read x; exit 3")
        pane.attach(keeper, "w/sh", WEZPARALLEL_SOCKET=f"{keeper.runtime}/public.sock")
        pane.expect(b"ready")
        pane.type(b"\r")
        pane.expect("Enter close ──".encode())
        pane.type(b"r")
        body = served(public, "ProcessRestart", {"Error": {"code": "hub.busy", "message": "not now; try again"}})
        assert body["process"] == "w/sh"
        assert body["key"]
        pane.expect(b"not now; try again")


def test_an_unknown_process_is_refused_with_what_to_do(keeper: HeldKeeper, pane: Pane) -> None:
    pane.attach(keeper, "w/nobody")
    pane.expect(b"there is no process 'w/nobody'")
    assert pane.wait() == 1
    assert pane.attributes == pane.before


def test_a_removed_process_gives_the_terminal_back(keeper: HeldKeeper, pane: Pane) -> None:
    started = shell(keeper, "printf ready; read x")
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    pane.type(b"\r")
    pane.expect("Enter close ──".encode())
    keeper.hub.exited(str(started["run_id"]))
    keeper.hub.call("forget", process_id="w/sh")
    pane.expect(b"[w/sh was removed]")
    assert pane.wait() == 0
    assert pane.attributes == pane.before


def test_without_a_terminal_the_output_is_streamed_and_the_code_is_the_programs(keeper: HeldKeeper) -> None:
    keeper.hub.spawn(["/bin/sh", "-c", "read x; seq 200000; exit 5"], process_id="w/seq")
    command = [sys.executable, "-I", "-S", ATTACH, "w/seq"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=keeper.env) as client:
        keeper.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "attached")
        keeper.hub.write("w/seq", b"\n")
        assert client.stdout is not None
        assert client.stdout.read() == b"".join(b"%d\n" % number for number in range(1, 200001))
    assert client.returncode == 5


def test_before_its_hello_nothing_heavy_is_imported() -> None:
    root = str(Path(ATTACH).parents[2])
    code = f"import sys; sys.path.insert(0, {root!r}); import wezparallel.client.attach; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, check=True, text=True
    ).stdout
    heavy = {"os", "re", "json", "socket", "signal", "enum", "typing", "collections", "contextlib"}
    assert not heavy & set(loaded.split())


def test_no_keeper_is_said_so(tmp_path: Path) -> None:
    pane = Pane()
    try:
        pane.client = subprocess.Popen(
            [sys.executable, "-I", "-S", ATTACH, "w/x", "--socket", str(tmp_path / "no.sock")],
            stdin=pane.slave,
            stdout=pane.slave,
            stderr=pane.slave,
        )
        pane.expect(b"no keeper answers")
        assert pane.wait() == 69
        assert termios.tcgetattr(pane.slave) == pane.before
    finally:
        pane.close()


def test_a_terminal_is_back_after_the_keeper_has_re_executed_itself(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    keeper.upgrade()
    pane.read_until(lambda: pane.is_raw, "the terminal in the next keeper's hands")
    pane.type(b"still here")
    pane.expect(b"still here")
    pane.type(b"\x1c\x1c")
    assert pane.wait() == 0
    assert pane.attributes == pane.before
    assert keeper.log("w/sh") == b"readystill here"


def test_a_stream_misses_nothing_while_the_keeper_re_executes_itself(keeper: HeldKeeper) -> None:
    script = "read x; seq 100000; read x; seq 100000; read x; exit 5"
    keeper.hub.spawn(["/bin/sh", "-c", script], process_id="w/seq", tty=True)
    command = [sys.executable, "-I", "-S", ATTACH, "w/seq", "--offset", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=keeper.env) as client:
        keeper.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "attached")
        keeper.hub.write("w/seq", b"\n")
        assert client.stdout is not None
        shown = client.stdout.read(1000)
        keeper.upgrade()
        for _ in range(2):
            with FakeHub(keeper.socket) as hub:
                hub.write("w/seq", b"\n")
        shown += client.stdout.read()
    assert client.returncode == 5
    assert shown == keeper.log("w/seq")
    assert shown.count(b"\n99999\r\n") == 2


def test_a_program_on_pipes_is_seen_with_whole_lines_and_gets_newlines(keeper: HeldKeeper, pane: Pane) -> None:
    keeper.hub.spawn(["/bin/sh", "-c", "echo one; echo two >&2; read x; echo got $x; read y"], process_id="w/p")
    until(lambda: b"two\n" in keeper.log("w/p"), 10, "the past")
    pane.attach(keeper, "w/p")
    pane.expect(b"one\r\ntwo\r\n")
    pane.type(b"three\r")
    pane.expect(b"three\r\ngot three\r\n")


def test_no_child_inherits_a_terminal_that_was_handed_over(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    keeper.hub.run(["/bin/ls", "-l", "/proc/self/fd"], process_id="w/ls")
    assert b"/proc" in keeper.log("w/ls")
    assert os.ttyname(pane.slave).encode() not in keeper.log("w/ls")


def test_a_daemon_that_was_stopped_is_not_started_by_a_pane(tmp_path: Path, pane: Pane) -> None:
    with held_keeper(tmp_path) as keeper:
        keeper.hub.close()
        keeper.tell_to_exit()
        keeper.process.wait(20)
        pane.attach(keeper, "w/sh")
        pane.expect(b"the daemon was stopped; `wezparallel daemon start`")
        assert pane.wait() == 69


def test_a_daemon_that_is_missing_is_started(tmp_path: Path, pane: Pane) -> None:
    runtime = tempfile.mkdtemp(prefix="wzp-", dir="/tmp")
    daemon = Daemon(runtime, tmp_path)
    try:
        pane.attach(daemon, "w/sh")
        pane.expect(b"there is no process 'w/sh'")
        assert pane.wait() == 1
        daemon.call("Shutdown", children=True)
        until(lambda: not keeper_lives(f"{runtime}/keeper.lock"), 20, "the keeper's end")
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


def keeper_lives(lock: str) -> bool:
    """Tell whether somebody holds a keeper's lock."""
    with open(lock, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def test_a_client_whose_terminal_nobody_reads_ends_when_it_is_told_to(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "while :; do echo it floods without an end; done")
    pane.attach(keeper, "w/sh")
    until(lambda: len(keeper.log("w/sh")) > 1 << 20, 10, "more output than any terminal takes")
    assert pane.client is not None
    until(lambda: pane.is_raw, 10, "the hand-over")
    pane.client.terminate()
    assert pane.client.wait(30) == 0
    assert pane.attributes == pane.before
