"""The hub as the keeper's child: started, restarted, never given up, and stopped until somebody comes."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.keeper.conftest import Daemon, wait_until
from tests.support.fake_hub import RefusedError

ROOT = str(Path(__file__).parents[2])
# A hub of a few lines: it adopts, then answers every connection on the public socket with its pid.
SERVE = """
import json, os, socket, sys
sys.path.insert(0, {root!r})
from tests.support.fake_hub import FakeHub
hub = FakeHub(os.environ['WEZPARALLEL_RUNTIME_DIR'] + '/keeper.sock')
public = socket.socket(fileno=hub.listeners['public'][1])
public.setblocking(True)
while True:
    client, _ = public.accept()
    client.recv(100)
    client.sendall(json.dumps({{'Pong': {{'pid': os.getpid()}}}}).encode() + b'\\n')
    client.close()
"""
# The same, but it starts a process if there is none, and answers with that one's pid.
SPAWN = SERVE.replace("public =", "run = list(hub.runs.values()) or [hub.spawn(['sleep', '600'])]\npublic =").replace(
    "os.getpid()", "run[0]['pid']"
)
SPAWNING = [sys.executable, "-c", SPAWN.format(root=ROOT)]
SERVING = [sys.executable, "-c", SERVE.format(root=ROOT)]


def ask(daemon: Daemon, line: bytes = b'{"Ping":{}}\n') -> dict[str, object]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20)
        sock.connect(daemon.public)
        sock.sendall(line)
        data = b""
        while b"\n" not in data:
            part = sock.recv(4096)
            if not part:
                break
            data += part
    return dict(json.loads(data)) if data else {}


def test_a_killed_hub_is_back_and_no_connect_fails(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(SERVING).start()
    pids = set()
    for _ in range(4):
        answer = ask(daemon)
        pid = answer["Pong"]["pid"]  # type: ignore[index]
        assert pid not in pids
        pids.add(pid)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: daemon.control("status")["hub"]["deaths"] == len(pids))
    assert daemon.control("status")["hub"]["deaths"] == 4


def test_what_a_dead_hub_left_in_its_group_is_ended(make_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    mark = tmp_path / "left"
    code = f"test -e {mark} && exec sleep 600; sleep 600 & echo $! > {mark}; exit 1"
    daemon = make_daemon(["sh", "-c", code]).start()
    wait_until(lambda: mark.exists() and mark.read_text())
    left = int(mark.read_text())
    wait_until(lambda: not os.path.exists(f"/proc/{left}"))
    daemon.control("status")


@pytest.mark.parametrize("argv", [["false"], ["/no/such/hub"]])
def test_a_hub_in_backoff_is_answered_for(make_daemon: Callable[..., Daemon], argv: list[str]) -> None:
    daemon = make_daemon(argv).start()
    wait_until(lambda: daemon.control("status")["hub"]["state"] == "backoff" and _slow(daemon))
    answer = ask(daemon, b'{"Ping":{},"id":7}\n')
    assert answer["id"] == 7
    assert answer["Error"]["code"] == "hub.restarting"  # type: ignore[index]
    assert ask(daemon, b"no json at all\n")["Error"]["code"] == "hub.restarting"  # type: ignore[index]


def _slow(daemon: Daemon) -> bool:
    return bool(daemon.control("status")["hub"]["deaths"] >= 9) or "/no/such/hub" in daemon.said()


def test_several_requests_in_one_packet_get_one_answer_each(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(["false"]).start()
    wait_until(lambda: daemon.control("status")["hub"]["deaths"] >= 9)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20)
        sock.connect(daemon.public)
        sock.sendall(b'{"Ping":{},"id":1}\n{"Ping":{},"id":2}\n"Ping"')
        sock.shutdown(socket.SHUT_WR)
        data = b""
        while part := sock.recv(4096):
            data += part
    answers = [json.loads(line) for line in data.splitlines()]
    assert [answer.get("id") for answer in answers] == [1, 2, None]


def test_only_the_keepers_own_child_is_its_hub(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(["sleep", "600"]).start()
    wait_until(lambda: daemon.control("status")["hub"]["pid"])
    with pytest.raises(RefusedError):
        daemon.hub()


def test_a_stopped_hub_starts_when_somebody_connects(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(SERVING).start()
    first = ask(daemon)["Pong"]["pid"]  # type: ignore[index]
    # A process keeps the keeper alive over the stop of its hub; here the stop mark alone is looked at.
    daemon.control("exit", children=False)
    assert daemon.process is not None
    assert daemon.process.wait(20) == 0
    assert os.path.exists(daemon.runtime + "/stopped")
    daemon.start()
    assert not os.path.exists(daemon.runtime + "/stopped")
    assert ask(daemon)["Pong"]["pid"] != first  # type: ignore[index]


def test_a_stopped_hub_is_started_by_a_connect_and_its_processes_live_on(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(SPAWNING).start()
    child = ask(daemon)["Pong"]["pid"]  # type: ignore[index]
    daemon.control("exit", children=False)
    wait_until(lambda: daemon.control("status")["hub"]["pid"] is None)
    assert os.path.exists(daemon.runtime + "/stopped")
    assert daemon.control("status")["runs"] == 1
    assert ask(daemon)["Pong"]["pid"] == child  # type: ignore[index]
    assert not os.path.exists(daemon.runtime + "/stopped")


# A hub that starts a flood and an echo, and whose successor never gets ready.
FLOODING = """
import os, sys, time
sys.path.insert(0, {root!r})
if os.path.exists({mark!r}):
    time.sleep(600)
open({mark!r}, 'w').close()
from tests.support.fake_hub import FakeHub
hub = FakeHub(os.environ['WEZPARALLEL_RUNTIME_DIR'] + '/keeper.sock')
hub.spawn(['yes'], process_id='t/flood', log_cap=1 << 34)
hub.spawn(['cat'], process_id='t/echo')
time.sleep(600)
"""


def test_a_flood_waits_for_a_while_when_a_hub_starts(make_daemon: Callable[..., Daemon], tmp_path: Path) -> None:
    daemon = make_daemon([sys.executable, "-c", FLOODING.format(root=ROOT, mark=str(tmp_path / "mark"))]).start()
    wait_until(lambda: daemon.log_bytes("t/flood") > 1 << 20 and daemon.control("status")["runs"] == 2)
    os.kill(daemon.control("status")["hub"]["pid"], signal.SIGKILL)
    wait_until(lambda: daemon.control("status")["hub"]["deaths"] == 1)
    sizes: list[int] = []

    def stands_still() -> bool:
        sizes.append(daemon.log_bytes("t/flood"))
        return sizes[-1:] * 4 == sizes[-4:]

    wait_until(stands_still)
    wait_until(lambda: daemon.log_bytes("t/flood") > sizes[-1])


def test_the_hubs_output_goes_to_its_log(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon(["sh", "-c", "echo said; echo more >&2; exec sleep 600"]).start()
    log = daemon.state / "wezterm-parallel" / "hub.log"
    wait_until(lambda: log.exists() and log.read_text() == "said\nmore\n")
