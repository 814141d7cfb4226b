"""What a pane shows and offers while its program does not run, with a hub that is played, or away."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.viewing import HeldKeeper, Pane, cat, shell
from wezparallel.client import ended
from wezparallel.client.between import _seconds_until
from wezparallel.hub.state.model import rfc3339


class PublicSocket:
    """The hub's socket: answers `ProcessGet` with one record, and keeps what else it is asked."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.record: dict[str, Any] = {"process_id": "w/sh", "state": "exited", "cwd": "/", "reason": None}
        self.asked: queue.Queue[dict[str, Any]] = queue.Queue()
        self.told = threading.Event()
        """Somebody got the record."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                data = connection.recv(65536)
                if data == b"end":
                    return
                request = json.loads(data)
                if "ProcessGet" not in request:
                    self.asked.put(request)
                if "ProcessStop" in request:
                    self.record = {**self.record, "state": "stopped"}
                connection.sendall(json.dumps({"Process": {"process": self.record}}).encode() + b"\n")
                self.told.set()

    def ended_as(self, started: dict[str, object], **fields: object) -> None:
        """Know how a run ended."""
        self.record = {**self.record, "run_id": started["run_id"], **fields}

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(self.path)
            last.sendall(b"end")
        self._thread.join()
        self._listener.close()


@pytest.fixture
def public(keeper: HeldKeeper) -> Iterator[PublicSocket]:
    played = PublicSocket(f"{keeper.runtime}/public.sock")
    yield played
    played.close()


def ended_pane(keeper: HeldKeeper, pane: Pane, public: PublicSocket | None, *options: str, **known: object) -> None:
    """Attach to a program and let it exit with 3."""
    started = shell(keeper, "printf ready; read x; exit 3")
    if public is not None:
        public.ended_as(started, **known)
    where = public.path if public is not None else f"{keeper.runtime}/nobody.sock"
    pane.resize(24, 120)
    pane.attach(keeper, "w/sh", *options, WEZPARALLEL_SOCKET=where)
    pane.expect(b"ready")
    keeper.hub.write("w/sh", b"\n")
    pane.expect("── sh exited 3".encode())


def due(in_s: float) -> str:
    return str(rfc3339(int((time.time() + in_s) * 1000)))


def test_a_start_that_is_due_is_counted_down_and_can_be_cancelled(
    keeper: HeldKeeper, pane: Pane, public: PublicSocket
) -> None:
    waits = {"state": "backoff", "next_start_at": due(30), "tries": 3, "max_tries": 10}
    ended_pane(keeper, pane, public, **waits)
    first = pane.expect(b"(3 of 10) ")
    assert re.search(rb"again in (29|30) s", first)
    pane.expect(b"c cancel")
    pane.expect(b"again in 2")  # the figure of the next second
    pane.type(b"c")
    asked = public.asked.get(timeout=10)
    assert asked["ProcessStop"]["process"] == "w/sh"
    pane.expect(b"sh exited 3 after")
    pane.expect(b"r restart")
    pane.type(b"q")
    assert pane.wait() == 3
    assert pane.attributes == pane.before


def test_what_was_given_up_says_why(keeper: HeldKeeper, pane: Pane, public: PublicSocket) -> None:
    ended_pane(keeper, pane, public, state="failed", reason="exited 3; given up after 10 restarts in 10 min")
    pane.expect(b"given up after 10 restarts")


def test_a_hub_that_is_away_is_said_and_takes_no_key_away(keeper: HeldKeeper, pane: Pane) -> None:
    ended_pane(keeper, pane, None)
    pane.expect(b"daemon away")
    pane.expect("Enter close ──".encode())
    pane.type(b"\r")
    assert pane.wait() == 3


def test_a_read_only_terminal_is_offered_no_restart(keeper: HeldKeeper, pane: Pane, public: PublicSocket) -> None:
    waits = {"state": "backoff", "next_start_at": due(30), "tries": 1, "max_tries": 10}
    ended_pane(keeper, pane, public, "--read-only", **waits)
    shown = pane.expect(b"again in") + pane.expect("Enter close ──".encode())
    assert b"restart" not in shown
    assert b"cancel" not in shown
    pane.type(b"c")
    pane.type(b"r")
    pane.type(b"\r")
    assert pane.wait() == 3
    assert public.asked.empty()


def test_a_shell_opens_where_the_process_was_and_gives_the_line_back(
    keeper: HeldKeeper, pane: Pane, public: PublicSocket, tmp_path: Path
) -> None:
    ended_pane(keeper, pane, public, cwd=str(tmp_path))
    pane.expect("Enter close ──".encode())
    assert public.told.wait(10)
    pane.read_until(lambda: pane.attributes != pane.before, "keys one at a time")
    pane.type(b"s")
    pane.read_until(lambda: pane.attributes == pane.before, "a terminal with line editing")
    pane.type(b"pwd; exit\n")
    pane.expect(str(tmp_path).encode() + b"\r\n")
    pane.expect("Enter close ──".encode())
    pane.type(b"\r")
    assert pane.wait() == 3
    assert pane.attributes == pane.before


def test_the_restarted_program_takes_the_terminal_by_itself(
    keeper: HeldKeeper, pane: Pane, public: PublicSocket
) -> None:
    ended_pane(keeper, pane, public, state="backoff", next_start_at=due(30), tries=1, max_tries=10)
    pane.expect(b"again in")
    cat(keeper)
    left = pane.expect(b"ready")
    assert b"sh exited 3 after" in left  # the line stays as a record, without keys
    pane.type(b"xyz")
    pane.expect(b"xyz")


def test_a_client_killed_while_it_offers_keys_leaves_the_terminal_with_line_editing(
    keeper: HeldKeeper, pane: Pane
) -> None:
    ended_pane(keeper, pane, None)
    pane.expect("Enter close ──".encode())
    pane.read_until(lambda: pane.is_raw, "keys one at a time")
    assert pane.client is not None
    pane.client.kill()
    pane.read_until(lambda: pane.attributes == pane.before, "the terminal as it was")


def test_a_stopped_client_offers_its_keys_again(keeper: HeldKeeper, pane: Pane) -> None:
    shell(keeper, "printf ready; read x; exit 3")
    pane.attach(keeper, "w/sh", in_session=True, WEZPARALLEL_SOCKET=f"{keeper.runtime}/nobody.sock")
    pane.expect(b"ready")
    pane.type(b"\n")
    pane.expect("Enter close ──".encode())
    pane.read_until(lambda: pane.is_raw, "keys one at a time")
    assert pane.client is not None
    pane.client.send_signal(signal.SIGTSTP)
    os.waitid(os.P_PID, pane.client.pid, os.WSTOPPED)
    assert pane.attributes == pane.before
    pane.client.send_signal(signal.SIGCONT)
    pane.expect("Enter close ──".encode())
    pane.type(b"\r")
    assert pane.wait() == 3


@pytest.mark.parametrize("columns", [1, 2, 10, 28, 40, 60, 80, 200, 10_000])
def test_the_line_is_never_wider_than_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    keys = ["r restart", "l logs", "s shell here", "Enter close"]
    drawn = ended.line("tests exited 1 after 12 s", keys, columns)
    assert len(drawn) == min(columns, ended.MOST_COLUMNS)
    if columns >= 40:
        assert drawn.startswith("── tests exited 1 after 12 s ")
        assert "r restart" in drawn
    if columns >= 80:
        assert drawn.endswith(" r restart · l logs · s shell here · Enter close ──")


def test_colours_are_only_around_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    drawn = ended.line("tests exited 1", ["q quit"], 40, failed=True)
    assert "\x1b[31m" in drawn
    assert len(re.sub(r"\x1b\[\d*m", "", drawn)) == 40


def test_how_it_ended_is_said_in_words() -> None:
    assert ended.how({"exit_code": 1, "ran_s": 12.0}) == "exited 1 after 12 s"
    assert ended.how({"signal": 9, "ran_s": 0.52}) == "killed by SIGKILL after 0.5 s"
    assert ended.how({"signal": 15, "asked": True}) == "stopped (killed by SIGTERM)"
    assert ended.how({}) == "ended, nobody knows how"


@pytest.mark.parametrize("at_ms", [0, 951_782_400_123, 951_868_799_000, 1_795_538_345_678, 4_102_444_800_000])
def test_a_moment_is_understood_as_the_hub_writes_it(at_ms: int) -> None:
    assert _seconds_until(rfc3339(at_ms), 0) == pytest.approx(at_ms / 1000)
