"""The keeper's upgrade: the same pid, children, logs, exits and links under a new program."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.keeper.conftest import Daemon, wait_until
from tests.support.fake_hub import FakeHub
from wezparallel.keeper import carried
from wezparallel.keeper import messages as m
from wezparallel.wire import frames, hello


def _program_start(pid: int) -> str:
    """Return something that changes with each execve."""
    with open(f"/proc/{pid}/auxv", "rb") as file:
        return base64.b64encode(file.read()).decode()


def upgrade(daemon: Daemon) -> None:
    before = _program_start(daemon.pid)
    assert daemon.upgrade() is None
    wait_until(daemon.answers)
    assert _program_start(daemon.pid) != before


def test_children_logs_and_the_hubs_link_go_on(daemon: Daemon, hub: FakeHub) -> None:
    on_tty = hub.spawn(["sh", "-c", "while read x; do echo got $x; done"], tty=True, process_id="t/tty")
    on_pipes = hub.spawn(["cat"], process_id="t/pipes")
    hub.write("t/pipes", b"before\n", "k1")
    hub.call(m.ENV_PUT, env_id="e", env={"A": "1"})
    for _ in range(2):
        upgrade(daemon)
    assert hub.write("t/pipes", b"before\n", "k1")["already"] is True
    hub.write("t/pipes", b"after\n")
    hub.write("t/tty", b"1\n")
    wait_until(lambda: daemon.log("t/pipes") == b"before\nafter\n")
    wait_until(lambda: daemon.log("t/tty") == b"1\r\ngot 1\r\n")
    assert hub.call(m.ENV_GET, env_id="e")["env"] == {"A": "1"}
    for run in (on_tty, on_pipes):
        hub.call(m.STOP, run_id=run["run_id"], signal="SIGKILL")
        assert hub.exited(run["run_id"])["signal"] == 9


def test_exits_before_during_and_after_are_exact(daemon: Daemon, hub: FakeHub) -> None:
    unacknowledged = hub.spawn(["sh", "-c", "exit 11"])
    hub.exited(unacknowledged["run_id"], ack=False)
    during = [hub.spawn(["sh", "-c", f"sleep 0.{at:02d}; exit {at}"]) for at in range(1, 60, 2)]
    upgrade(daemon)
    for at, run in zip(range(1, 60, 2), during, strict=True):
        assert hub.exited(run["run_id"])["exit_code"] == at
    hub.close()
    with daemon.hub() as other:
        assert other.exited(unacknowledged["run_id"])["exit_code"] == 11


def test_a_flood_goes_through_an_upgrade_without_a_gap(daemon: Daemon, hub: FakeHub) -> None:
    code = "import os\nfor i in range(400000): os.write(1, b'%07d\\n' % i)"
    run = hub.spawn([sys.executable, "-IS", "-c", code], process_id="t/lines", log_cap=1 << 30)
    hub.wait_for(lambda e: e["m"] == m.OUTPUT)
    upgrade(daemon)
    assert hub.exited(run["run_id"])["exit_code"] == 0
    assert daemon.log("t/lines") == b"".join(b"%07d\n" % at for at in range(400000))


def test_a_stop_goes_on_over_an_upgrade(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "trap '' TERM; echo; while :; do sleep 0.1; done"])
    hub.wait_for(lambda e: e["m"] == m.OUTPUT)
    hub.call(m.STOP, run_id=run["run_id"], grace_s=1.5)
    upgrade(daemon)
    ended = hub.exited(run["run_id"])
    assert (ended["signal"], ended["asked"]) == (9, True)


@pytest.mark.parametrize(
    "argv", [["/no/such/python"], ["false"], [sys.executable, "-c", "raise ImportError"], [], ["sleep", "x"]]
)
def test_a_program_that_cannot_go_on_changes_nothing(daemon: Daemon, hub: FakeHub, argv: list[str]) -> None:
    run = hub.spawn(["cat"])
    before = _program_start(daemon.pid)
    refusal = daemon.upgrade(argv) if argv else {"code": "command.bad_value"}
    assert refusal is not None
    assert refusal["code"] == "command.bad_value"
    assert _program_start(daemon.pid) == before
    hub.write(run["process_id"], b"x\n")
    wait_until(lambda: daemon.log(run["process_id"]) == b"x\n")
    assert daemon.open_fds() < 40
    upgrade(daemon)


def test_listeners_and_the_lock_are_carried(daemon: Daemon, hub: FakeHub) -> None:
    made = hub.call(m.LISTEN, name="metrics", address="tcp:127.0.0.1:0")
    inodes = [os.stat(path).st_ino for path in (daemon.public, daemon.private)]
    upgrade(daemon)
    assert [os.stat(path).st_ino for path in (daemon.public, daemon.private)] == inodes
    hub.close()
    with daemon.hub() as other:
        assert other.listeners["metrics"][0] == made["address"]
    assert daemon.launch().wait(20) == 75


def test_no_descriptor_reaches_a_child_after_an_upgrade(daemon: Daemon, hub: FakeHub) -> None:
    hub.spawn(["cat"], tty=True)
    upgrade(daemon)
    hub.run(["sh", "-c", "ls /proc/self/fd | wc -l"], process_id="t/fds")
    assert daemon.log("t/fds").split() == [b"4"]


def test_a_half_read_message_is_read_to_its_end(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["cat"])
    data = base64.b64encode(b"whole\n").decode()
    body = json.dumps({"m": m.WRITE, "n": 999, "process_id": run["process_id"], "key": "", "data": data}).encode()
    frame = frames.pack(frames.MESSAGE, body)
    hub.socket.sendall(frame[:20])
    upgrade(daemon)
    hub.socket.sendall(frame[20:])
    assert hub.answer(999)["already"] is False
    wait_until(lambda: daemon.log(run["process_id"]) == b"whole\n")


def test_what_a_hub_has_not_read_yet_waits_with_its_descriptors(daemon: Daemon, hub: FakeHub) -> None:
    hub.call(m.ENV_PUT, env_id="big", env={"A": "x" * 200_000})
    numbers = [hub.post(m.ENV_GET, env_id="big") for _ in range(4)]
    made = hub.post(m.LISTEN, name="metrics", address="tcp:127.0.0.1:0")
    wait_until(lambda: daemon.control("status"))  # the keeper has served what came before
    upgrade(daemon)
    for number in numbers:
        assert len(hub.answer(number)["env"]["A"]) == 200_000
    answer = hub.answer(made)
    with socket.socket(fileno=os.dup(answer["descriptors"][0])) as listener:
        assert answer["address"] == f"tcp:127.0.0.1:{listener.getsockname()[1]}"
    with daemon.hub() as other:
        assert set(other.listeners) == {"public", "metrics"}


def test_signals_that_come_in_between_end_nobody(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["cat"])
    before = _program_start(daemon.pid)
    upgrading = threading.Thread(target=daemon.upgrade)
    upgrading.start()
    while upgrading.is_alive() or not daemon.answers():
        os.kill(daemon.pid, signal.SIGTERM)
        os.kill(daemon.pid, signal.SIGINT)
    upgrading.join()
    assert _program_start(daemon.pid) != before
    hub.write(run["process_id"], b"x\n")
    wait_until(lambda: daemon.log(run["process_id"]) == b"x\n")


def test_a_big_state_goes_over(daemon: Daemon, hub: FakeHub) -> None:
    posted = []
    for at in range(200):
        wish = {"process_id": f"t/{at}", "argv": ["cat"], "cwd": "/", "env_id": "", "definition": {"x": "y" * 1000}}
        posted.append(hub.post(m.SPAWN, run_id=os.urandom(16).hex(), **wish))
    pids = [hub.answer(number)["pid"] for number in posted]
    code = "import os; [os.write(1, b'%099d\\n' % i) for i in range(12000)]; os.read(0, 1)"
    for at in range(8):
        hub.spawn([sys.executable, "-IS", "-c", code], process_id=f"t/ring{at}", log="memory", tty=True)
    wait_until(lambda: all(_ring(hub, f"t/ring{at}")[0] >= 1_212_000 for at in range(8)))
    before = [_ring(hub, f"t/ring{at}") for at in range(8)]
    upgrade(daemon)
    assert [_ring(hub, f"t/ring{at}") for at in range(8)] == before
    assert len(before[0][1]) > 500_000
    hub.close()
    with daemon.hub() as other:
        assert [run["pid"] for run in other.runs.values()][:200] == pids


def _ring(hub: FakeHub, process_id: str) -> tuple[int, bytes]:
    """Return where a log in memory ends, and what of it there is."""
    answer = hub.call(m.LOG_READ, process_id=process_id)
    (fd,) = answer["descriptors"]
    hub._owned.remove(fd)
    with open(fd, "rb") as memory:
        memory.seek(0)
        return int(answer["end"]), memory.read()


def test_no_descriptor_reaches_a_child_during_an_upgrade_or_after_one_that_failed(
    daemon: Daemon, hub: FakeHub, tmp_path: Path
) -> None:
    hub.spawn(["cat"], tty=True)
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\nread x < "{tmp_path}/go"; rm "$0"; exit 0\n')
    program.chmod(0o755)
    os.mkfifo(tmp_path / "go")
    refusals: list[object] = []
    upgrading = threading.Thread(target=lambda: refusals.append(daemon.upgrade([str(program)])))
    upgrading.start()
    with open(tmp_path / "go", "w") as go:
        hub.run(["sh", "-c", "ls /proc/self/fd | wc -l"], process_id="t/during")
        go.write("\n")
    upgrading.join()
    assert "nothing changed" in str(refusals)
    hub.run(["sh", "-c", "ls /proc/self/fd | wc -l"], process_id="t/after")
    assert [daemon.log(name).split() for name in ("t/during", "t/after")] == [[b"4"], [b"4"]]


UNTIL_TOLD = """
import os, select
at = 0
while not select.select([0], [], [], 0)[0]:
    os.write(1, b'%09d\\n' % at)
    at += 1
os.write(1, b'the end.\\n')
"""


def test_five_upgrades_in_a_row_lose_nothing_for_a_gapless_reader(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn([sys.executable, "-IS", "-c", UNTIL_TOLD], process_id="t/lines", log_cap=1 << 30)
    about = hello.Viewer(hello.GAPLESS, (24, 80, 0, 0), hello.FROM_START, (0, 0), None, ["t/lines"])
    seen = bytearray()
    with socket.socket(socket.AF_UNIX) as viewer:
        viewer.connect(daemon.private)
        viewer.settimeout(20)
        viewer.sendall(frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_FRAMES, about.pack())))
        reader = threading.Thread(target=_read_frames, args=(viewer, seen))
        reader.start()
        for _ in range(5):
            flooded = len(seen)
            wait_until(lambda flooded=flooded: len(seen) > flooded)  # type: ignore[misc]
            upgrade(daemon)
        hub.write("t/lines", b"\n")
        hub.exited(run["run_id"])
        reader.join()
    lines = bytes(seen).split(b"\n")
    assert lines == [b"%09d" % at for at in range(len(lines) - 2)] + [b"the end.", b""]


def _read_frames(viewer: socket.socket, seen: bytearray) -> None:
    reader = frames.FrameReader()
    while not seen.endswith(b"the end.\n") and (data := viewer.recv(1 << 20)):
        for kind, payload in reader.feed(data):
            if kind == frames.DATA:
                assert int.from_bytes(payload[:8], "big") == len(seen)
                seen += payload[9:]


def test_deaths_and_backoff_of_the_hub_are_carried(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(["false"]).start()
    wait_until(lambda: daemon.control("status")["hub"]["deaths"] >= 7)
    wait_until(lambda: daemon.control("status")["hub"]["state"] == "backoff")
    upgrade(daemon)
    hub = daemon.control("status")["hub"]
    assert hub["deaths"] >= 7
    assert hub["state"] in ("backoff", "starting")
    wait_until(lambda: daemon.control("status")["hub"]["deaths"] > hub["deaths"])


def test_a_hub_that_is_there_is_to_be_asked(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(["sleep", "600"]).start()
    wait_until(lambda: daemon.control("status")["hub"]["pid"])
    refusal = daemon.upgrade()
    assert refusal is not None
    assert refusal["code"] == "process.bad_state"


ASKING = """
import json, os, socket, sys
sys.path.insert(0, {root!r})
from wezparallel.wire import frames, hello
sock = socket.socket(socket.AF_UNIX)
sock.connect({path!r})
low = {low}
body = b'WZPK' + bytes([hello.ROLE_CONTROL]) + low.to_bytes(2, 'big') * 2
argv = [sys.executable, '-m', 'wezparallel.keeper', '--foreground']
sock.sendall(frames.pack(frames.HELLO, body) + frames.pack(frames.UPGRADE, json.dumps({{'argv': argv}}).encode()))
data = b''
while b'not taken' not in data and (part := sock.recv(65536)):
    data += part
print(data.decode('utf-8', 'replace'))
"""


@pytest.mark.parametrize("version", [1, 999])
def test_no_process_in_a_run_may_ask(daemon: Daemon, hub: FakeHub, version: int) -> None:
    before = _program_start(daemon.pid)
    code = ASKING.format(root=str(Path(__file__).parents[2]), path=daemon.private, low=version)
    hub.run([sys.executable, "-c", code], process_id="t/asking")
    assert b"caller.agent_not_allowed" in daemon.log("t/asking")
    assert _program_start(daemon.pid) == before


@pytest.mark.parametrize(
    "change",
    [
        {"format": 9, "readable_from": 9},
        {"runs": [{"run_id": "a", "process_id": "t/none", "pid": 1, "start": 1}]},
        {"sockets": {}},
        {"hub": None},
        {"processes": [{}]},
    ],
)
def test_a_state_that_lacks_what_nothing_can_stand_for_is_refused(change: dict[str, object]) -> None:
    state = {"format": 1, "lock": 3, "private": 4, "sockets": {"public": [5, "unix:/x"]}, "hub": {"state": "none"}}
    state |= {"processes": [], "runs": []}
    assert carried.fault_of(state) is None
    assert carried.fault_of({**state, "format": 9, "readable_from": 1, "more": [1]}) is None
    assert carried.fault_of(state | change) is not None
