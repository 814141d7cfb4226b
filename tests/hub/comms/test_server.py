"""What any client of the public socket can rely on, whatever it sends."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import threading
from contextlib import closing
from shutil import which

import pytest

from tests.support.daemon import Daemon, parse
from tests.support.waiting import until

pytestmark = pytest.mark.one_daemon


def test_a_ping_is_answered_in_each_of_its_spellings(daemon: Daemon) -> None:
    for spelling in ('"Ping"', '{"Ping":null}', '{"Ping":{}}'):
        (reply,) = parse(daemon.raw(spelling.encode()))
        assert reply["Pong"]["protocol"] == {"min": 1, "max": 1}


def test_a_lone_request_ends_the_connection_by_itself(daemon: Daemon) -> None:
    (reply,) = parse(daemon.raw(b'{"Ping":{}}\n', half_close=False))
    assert "Pong" in reply


@pytest.mark.parametrize("command", [["nc", "-U"], ["ncat", "-U"], ["socat", "-t", "1", "-", "UNIX-CONNECT:"]])
def test_each_netcat_returns_by_itself(daemon: Daemon, command: list[str]) -> None:
    if which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    last = command[-1] + daemon.socket if command[-1].endswith(":") else daemon.socket
    argv = [*command[:-1], last] if command[-1].endswith(":") else [*command, last]
    done = subprocess.run(argv, input=b'{"Ping":{}}\n', capture_output=True, timeout=10, check=True)
    assert b"Pong" in done.stdout


def test_an_id_keeps_the_connection_open_and_comes_back(daemon: Daemon) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(daemon.socket)
        for number in (7, "x", None):
            sock.sendall(json.dumps({"Ping": {}, "id": number}).encode() + b"\n")
            reply = json.loads(sock.makefile("rb").readline())
            assert reply["id"] == number


def test_replies_without_ids_keep_their_order(daemon: Daemon) -> None:
    lines = b'{"Status":{}}\n{"Ping":{}}\n{"WorkspaceList":{}}\n{"Ping":{}}\n'
    assert [next(iter(reply)) for reply in parse(daemon.raw(lines))] == ["Status", "Pong", "Workspaces", "Pong"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "wire.not_json"),
        (b"}{\n", "wire.not_json"),
        (b'{"Ping":{}', "wire.not_json"),
        (b"\xff\xfe\n", "wire.not_utf8"),
        (b"[" * 5000 + b"]" * 5000, "wire.not_json"),
        (b"42\n", "command.bad_value"),
        (b"{}\n", "command.bad_value"),
        (b'{"Ping":{},"Status":{}}\n', "command.bad_value"),
        (b'{"Ping":7}\n', "command.bad_value"),
        (b'{"Pnig":{}}\n', "command.unknown"),
        (b'{"Ping":{"loud":true}}\n', "command.unknown_field"),
        (b'{"ProcessStart":{}}\n', "command.bad_value"),
        (b'{"ProcessStart":{"process":["x"]}}\n', "command.bad_value"),
        (b'{"ProcessStart":{"process":"nobody/here"}}\n', "process.not_found"),
        (b'{"WorkspaceOpen":{"name":"nowhere"}}\n', "workspace.not_found"),
        (b'{"Ping":NaN}\n', "wire.not_json"),
    ],
)
def test_bad_input_gets_an_error_with_a_code(daemon: Daemon, line: bytes, code: str) -> None:
    (reply,) = parse(daemon.raw(line))
    assert reply["Error"]["code"] == code
    assert reply["Error"]["message"]


def test_the_nearest_command_is_named(daemon: Daemon) -> None:
    (reply,) = parse(daemon.raw(b'{"ProcesStart":{}}\n'))
    assert "ProcessStart" in reply["Error"]["message"]


def test_a_line_over_the_limit_is_refused_and_the_connection_closed(daemon: Daemon) -> None:
    received = daemon.raw(b'{"Ping":"' + b"x" * (1 << 20) + b'"}\n{"Ping":{}}\n', half_close=False)
    (reply,) = parse(received)
    assert reply["Error"]["code"] == "wire.too_long"
    assert daemon.call("Ping")


def test_junk_of_one_client_does_not_harm_another(daemon: Daemon) -> None:
    for _ in range(50):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(daemon.socket)
            sock.sendall(b"\x00\x01junk\n{{{{")
    assert daemon.call("Ping")["version"]


def test_a_split_request_is_put_together(daemon: Daemon) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(daemon.socket)
        for byte in b'{"Ping":{}}\n':
            sock.sendall(bytes([byte]))
        assert b"Pong" in sock.makefile("rb").readline()


def test_a_client_that_asks_and_does_not_read_costs_no_memory(daemon: Daemon) -> None:
    daemon.call("Describe")
    before = daemon.call("Status")["hub_memory_bytes"]
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(daemon.socket)
        count = 3000  # 230 MB of replies
        sock.sendall(b'{"Describe":{}}\n' * count)
        for _ in range(3):
            assert daemon.call("Ping")
        assert daemon.call("Status")["hub_memory_bytes"] - before < 32 << 20
        sock.shutdown(socket.SHUT_WR)
        with sock.makefile("rb") as replies:
            assert sum(1 for line in replies if line.startswith(b'{"Description"')) == count


def test_while_nothing_can_be_committed_a_read_says_so_and_tells_what_was(daemon: Daemon) -> None:
    def told() -> bool:
        status = daemon.call("Status")  # one that waits for the commit is answered once that has failed
        assert status["processes"] == 0
        return status["store_error"] is not None

    with closing(sqlite3.connect(daemon.home / "state" / "wezterm-parallel" / "state.db")) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        fields = {"id": "a", "command": "true", "auto_start": False}
        adding = threading.Thread(target=lambda: daemon.call("ProcessAdd", **fields))
        adding.start()
        until(lambda: adding.is_alive() and told(), 20, "an error")
        assert daemon.call("Ping")
        other.execute("ROLLBACK")
    adding.join(20)
    assert daemon.call("Status")["processes"] == 1
