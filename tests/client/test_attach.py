"""The attach client against a real keeper: what a person sees and types, and the terminal that comes back."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.fake_hub import FakeHub
from tests.support.viewing import ATTACH, HeldKeeper, Pane, held_keeper
from tests.support.waiting import until
from wezparallel.wire import frames, hello

DETACHED = b"comes back]"
NOW = {"signal": "SIGKILL", "grace_s": 0.1, "kill": "tree"}


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[HeldKeeper]:
    with held_keeper(tmp_path) as held:
        yield held


@pytest.fixture
def pane() -> Iterator[Pane]:
    one = Pane()
    yield one
    one.close()


@pytest.fixture
def second() -> Iterator[Pane]:
    one = Pane()
    yield one
    one.close()


def shell(keeper: HeldKeeper, script: str, **fields: object) -> dict[str, object]:
    """Start a script on a terminal."""
    return keeper.hub.spawn(["/bin/sh", "-c", script], tty=True, process_id="w/sh", **fields)


def cat(keeper: HeldKeeper, **fields: object) -> dict[str, object]:
    """Start a program that prints `ready` and then what is typed."""
    return shell(keeper, "stty raw -echo; printf ready; exec cat", **fields)


def test_the_past_is_painted_and_what_is_typed_reaches_the_program(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty -echo; echo one; echo two; read line; echo got $line; exec sleep 1000")
    until(lambda: b"two\r\n" in keeper.log("w/sh"), 10, "the past")
    pane.attach(keeper, "w/sh")
    pane.expect(b"one\r\ntwo\r\n")
    pane.type(b"three\r")
    pane.expect(b"got three\r\n")


def test_live_output_arrives_byte_for_byte(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    data = b"".join(b"%06d\x1b[3%dm\xff\x00\x9b" % (number, number % 8) for number in range(3000))
    at = 0
    echoed = b""
    while len(echoed) < len(data):
        at += os.write(pane.master, data[at : at + 1000]) if at < len(data) else 0
        echoed += pane.read(0.1)
    assert echoed == data


def test_the_detach_key_gives_the_terminal_back_as_it_was(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    assert pane.is_raw
    pane.type(b"a\x1c")
    pane.expect(b"a")
    pane.type(b"\x1c")
    pane.expect(DETACHED)
    assert pane.wait() == 0
    assert pane.attributes == pane.before
    assert keeper.log("w/sh") == b"readya"


@pytest.mark.parametrize("typed", [b"\x1b[92;5u\x1b[92;5:3u\x1b[92;5u", b"\x1b[27;5;92~\x1b[27;5;92~", b"\x1c\x1c"])
def test_the_detach_key_is_known_in_every_encoding(keeper: HeldKeeper, pane: Pane, typed: bytes) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    pane.type(typed)
    assert pane.wait() == 0
    assert keeper.log("w/sh") == b"ready"


def test_inside_wezterm_there_is_no_detach_key_and_no_hint(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh", WEZTERM_PANE="3")
    assert b"detaches" not in pane.expect(b"ready")
    pane.type(b"\x1c\x1c.")
    assert pane.expect(b".") == b"\x1c\x1c."


def test_outside_wezterm_the_detach_key_is_told_before_anything_is_painted(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    assert b"ctrl+\\ twice detaches" in pane.expect(b"ready")


def test_an_exit_gives_the_terminal_back_and_its_code(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty raw -echo; printf 'ready\\033[?1000h\\033[?2004h'; read x; printf last; exit 7")
    pane.attach(keeper, "w/sh", "--exit")
    pane.expect(b"ready")
    pane.type(b"\n")
    assert pane.wait() == 7
    shown = pane.shown
    assert shown.index(b"last") < shown.index(b"\x1b[?1000l") < len(shown)
    assert b"\x1b[?2004l" in shown
    assert pane.attributes == pane.before


def test_after_an_exit_a_line_says_how_and_enter_closes_with_the_code(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "printf ready; read x; exit 3")
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    pane.type(b"\r")
    pane.expect("── sh exited 3 after ".encode())
    pane.expect("Enter close ──".encode())
    pane.type(b"\r")
    assert pane.wait() == 3
    assert pane.attributes == pane.before


def test_a_new_run_takes_the_terminal_again(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "printf first; read x; exit 3")
    pane.attach(keeper, "w/sh")
    pane.expect(b"first")
    pane.type(b"\r")
    pane.expect("Enter close ──".encode())
    cat(keeper)
    pane.expect(b"ready")
    pane.type(b"xyz\r")
    assert pane.expect(b"xyz\r") == b"xyz\r"
    pane.type(b"\x1c\x1c")
    assert pane.wait() == 0
    assert pane.attributes == pane.before


def test_a_process_that_has_not_started_takes_the_terminal_when_it_does(keeper: HeldKeeper, pane: Pane) -> None:
    keeper.hub.call("reserve", process_id="w/sh")
    pane.resize(31, 97)
    pane.attach(keeper, "w/sh")
    pane.expect(b"waiting for it")
    shell(keeper, "stty raw -echo; stty size; exec cat")
    pane.expect(b"31 97\n")
    pane.type(b"once\r")
    assert pane.expect(b"once\r") == b"once\r"
    assert not pane.read(0.2)


@pytest.mark.parametrize("point", ["attach.hello", "attach.descriptor", "attach.raw", "attach.go"])
def test_an_attach_killed_at_any_step_leaves_the_terminal_as_it_was(
    keeper: HeldKeeper, pane: Pane, point: str
) -> None:
    cat(keeper)
    (keeper.failpoints / point).touch()
    pane.attach(keeper, "w/sh")
    assert pane.wait() == -signal.SIGKILL
    pane.read_until(lambda: pane.attributes == pane.before, "the terminal as it was")
    keeper.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "gone")
    # Nothing of ours reads that terminal any more.
    pane.type(b"for the shell\n")
    assert os.read(pane.slave, 100) == b"for the shell\n"
    assert keeper.log("w/sh") == b"ready"


def test_an_attach_killed_while_live_leaves_modes_and_terminal_as_they_were(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty raw -echo; printf '\\033[?1049h\\033[?1006h\\033[?25lready'; exec cat")
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the modes")
    pane.attach(keeper, "w/sh")
    pane.expect(b"\x1b[?25l")
    keeper.hub.write("w/sh", b"live")
    pane.expect(b"live")
    assert pane.client is not None
    pane.client.kill()
    pane.expect(b"\x1b[?1049l")
    pane.read_until(lambda: pane.attributes == pane.before, "the terminal as it was")


@pytest.mark.parametrize("leads", [True, False], ids=["session leader", "below a shell"])
def test_a_terminal_that_types_newline_and_eof_while_it_closes_leaves_the_program_alive(
    keeper: HeldKeeper, pane: Pane, leads: bool
) -> None:
    keeper.hub.spawn(["/bin/bash", "--norc", "-i"], tty=True, process_id="w/bash", env={"PS1": "$ "}, stop=NOW)
    pane.attach(keeper, "w/bash", leads=leads, WEZTERM_PANE="1")
    pane.expect(b"$ ")
    pane.type(b"echo live-$((1+1))\r")
    pane.expect(b"live-2\r\n")
    pane.close_like_wezterm()
    keeper.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "gone")
    keeper.hub.write("w/bash", b"echo still-$((40+2))\n")
    until(lambda: b"still-42" in keeper.log("w/bash"), 10, "the shell's answer")


def test_a_hang_up_restores_nothing(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    assert pane.client is not None
    pane.client.send_signal(signal.SIGHUP)
    assert pane.wait() == 128 + signal.SIGHUP
    keeper.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "gone")
    assert pane.is_raw


def test_sigterm_detaches(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    assert pane.client is not None
    pane.client.terminate()
    pane.expect(DETACHED)
    assert pane.wait() == 0
    assert pane.attributes == pane.before


def test_a_stopped_client_gives_its_terminal_back_and_goes_on_where_it_was(keeper: HeldKeeper, pane: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh", in_session=True)
    pane.expect(b"ready")
    assert pane.client is not None
    pane.client.send_signal(signal.SIGTSTP)
    os.waitid(os.P_PID, pane.client.pid, os.WSTOPPED)
    assert pane.attributes == pane.before
    keeper.hub.write("w/sh", b"meanwhile")
    until(lambda: b"meanwhile" in keeper.log("w/sh"), 10, "its output")
    pane.client.send_signal(signal.SIGCONT)
    pane.expect(b"meanwhile")
    pane.type(b"again")
    pane.expect(b"again")


def test_a_replay_types_nothing_into_the_program(keeper: HeldKeeper, pane: Pane) -> None:
    queries = r"\033[c\033[>c\033[6n\033[5n\033]11;?\033\\\033P+q544e\033\\\033[?u"
    shell(keeper, f"stty raw -echo; printf '{queries}\\033]52;c;?\\007\\007ready'; exec cat")
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the queries")
    pane.attach(keeper, "w/sh")
    painted = pane.expect(b"ready")
    for query in (
        b"\x1b[c",
        b"\x1b[>c",
        b"\x1b[6n",
        b"\x1b[5n",
        b"\x1b]11",
        b"\x1bP",
        b"\x1b[?u",
        b"\x1b]52",
        b"\x07",
    ):
        assert query not in painted


def test_a_newer_terminal_takes_over(keeper: HeldKeeper, pane: Pane, second: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    second.attach(keeper, "w/sh")
    second.expect(b"ready")
    pane.expect(b"another terminal has taken over w/sh")
    assert pane.wait() == 0
    assert pane.attributes == pane.before
    second.type(b"mine")
    second.expect(b"mine")


def test_a_read_only_terminal_sees_everything_and_types_nothing(keeper: HeldKeeper, pane: Pane, second: Pane) -> None:
    cat(keeper)
    pane.attach(keeper, "w/sh")
    pane.expect(b"ready")
    second.attach(keeper, "w/sh", "--read-only")
    second.expect(b"ready")
    second.type(b"not this")
    pane.type(b"but this")
    pane.expect(b"but this")
    second.expect(b"but this")
    second.type(b"\x1c\x1c")
    assert second.wait() == 0
    assert keeper.log("w/sh") == b"readybut this"


def test_the_program_gets_this_terminals_size_and_its_changes(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "stty -echo; trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the trap")
    pane.resize(40, 100)
    pane.attach(keeper, "w/sh")
    pane.expect(b"40 100")
    pane.resize(41, 101)
    assert pane.client is not None
    pane.client.send_signal(signal.SIGWINCH)
    pane.expect(b"41 101")


def test_on_the_alternate_screen_a_terminal_of_the_same_size_gets_a_redraw(keeper: HeldKeeper, pane: Pane) -> None:
    shell(
        keeper,
        "trap 'stty size' WINCH; printf 'main\\n\\033[?1049hdrawn once'; while :; do sleep 0.05; done",
        size=[24, 80],
    )
    until(lambda: b"once" in keeper.log("w/sh"), 10, "the drawing")
    pane.attach(keeper, "w/sh")
    painted = pane.expect(b"24 80")
    assert b"drawn once" not in painted
    assert painted.index(b"main\r\n") < painted.index(b"\x1b[?1049h")


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
        connection, _ = public.accept()
        with connection:
            body = json.loads(connection.recv(65536))["ProcessRestart"]
            assert body["process"] == "w/sh"
            assert body["key"]
            connection.sendall(b'{"Error":{"code":"hub.busy","message":"not now; try again"}}\n')
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


def test_a_start_that_comes_together_with_the_welcome_is_not_overlooked(keeper: HeldKeeper, pane: Pane) -> None:
    """The keeper is played here: it answers the hello and says `started` in one breath."""
    about = hello.Welcome(0, 0, 0, b"", [str(keeper.home / "no-log"), "", ""])
    with socket.socket(socket.AF_UNIX) as listener:
        listener.settimeout(10)
        listener.bind(f"{keeper.runtime}/played.sock")
        listener.listen()
        pane.attach(keeper, "w/sh", "--socket", f"{keeper.runtime}/played.sock")
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            connection.recv(65536)
            answer = frames.pack(frames.HELLO, hello.server_hello(1)) + frames.pack(frames.WELCOME, about.pack())
            connection.sendall(answer + frames.pack(frames.STARTED, b"{}"))
            data, fds, _, _ = socket.recv_fds(connection, 65536, 1)
            for fd in fds:
                os.close(fd)
            assert frames.FrameReader().feed(data)[0] == (frames.TERMINAL, b"")
            connection.sendall(frames.pack(frames.REMOVED) + frames.pack(frames.RETURNED, bytes(8)))
            pane.expect(b"was removed")
    assert pane.wait() == 0


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
