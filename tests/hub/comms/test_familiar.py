"""Reads that are asked again are answered from what is known of them, and never with what is past."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.daemon import Daemon
from wezparallel.hub.comms.dispatch import Read
from wezparallel.hub.comms.familiar import MAX_HEAD, MAX_KEPT, MAX_KNOWN, Familiar, split
from wezparallel.hub.metrics.counts import Latency
from wezparallel.protocol.hub import Ping

pytestmark = pytest.mark.one_daemon


@pytest.mark.parametrize(
    ("line", "head", "digits"),
    [
        (b'{"Ping":{},"id":7}', b'{"Ping":{},"id":', b"7"),
        (b'{"Ping":{}, "id": 70 }', b'{"Ping":{}, "id":', b"70"),
        (b'{"id":7,"Ping":{}}', b'{"id":7,"Ping":{}}', b""),
        (b'{"Ping":{},"id":"7"}', b'{"Ping":{},"id":"7"}', b""),
        (b'{"Ping":{},"id":07}', b'{"Ping":{},"id":07}', b""),
        (b'{"Ping":{},"id":-7}', b'{"Ping":{},"id":-7}', b""),
        (b'{"Ping":{"id":7}}', b'{"Ping":{"id":7}}', b""),
        (b'{"Ping":{},"id":1234567890123456789}', b'{"Ping":{},"id":1234567890123456789}', b""),
        (b'"Ping"', b'"Ping"', b""),
        (b"", b"", b""),
    ],
)
def test_only_a_whole_number_at_the_end_is_taken_for_the_id(line: bytes, head: bytes, digits: bytes) -> None:
    assert split(line) == (head, digits)


def _familiar() -> tuple[Familiar, list[Callable[[], None]]]:
    calls: list[Callable[[], None]] = []
    return Familiar(calls.append), calls


def _read(*_: object) -> Any:
    raise AssertionError


def test_a_reply_lives_for_one_turn_unless_its_handler_says_what_it_depends_on() -> None:
    familiar, next_turn = _familiar()
    for head in (b"a", b"b"):
        familiar.learn(head, Read(_read), Ping(), Latency())
    once, longer = familiar.find(b"a"), familiar.find(b"b")
    assert once is not None
    assert longer is not None
    familiar.keep(once, b"body", None)
    familiar.keep(longer, b"body", 1)
    next_turn.pop()()
    assert (once.body, longer.body) == (None, b"body")


def test_neither_many_nor_long_requests_are_remembered_without_bound() -> None:
    familiar, _ = _familiar()
    familiar.learn(b"x" * (MAX_HEAD + 1), Read(_read), Ping(), Latency())
    assert familiar.find(b"x" * (MAX_HEAD + 1)) is None
    heads = [str(number).encode() for number in range(3 * MAX_KNOWN)]
    for head in heads:
        familiar.learn(head, Read(_read), Ping(), Latency())
    assert 0 < sum(familiar.find(head) is not None for head in heads) <= MAX_KNOWN
    known = familiar.find(heads[-1])
    assert known is not None
    familiar.keep(known, b"x" * (MAX_KEPT + 1), None)
    assert known.body is None


class Asking:
    """A client that sends several requests in one packet, so that they come in one turn."""

    def __init__(self, daemon: Daemon) -> None:
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.settimeout(10)
        self._sock.connect(daemon.socket)
        self._file = self._sock.makefile("rb")

    def ask(self, *requests: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the replies in the order of the ids 0, 1, 2 …"""
        lines = [json.dumps({**request, "id": number}) for number, request in enumerate(requests)]
        self._sock.sendall("\n".join([*lines, ""]).encode())
        replies = [json.loads(self._file.readline()) for _ in requests]
        return sorted(replies, key=lambda reply: reply["id"])

    def close(self) -> None:
        """End."""
        self._file.close()
        self._sock.close()


def test_a_change_between_two_equal_reads_of_one_packet_shows_in_the_second(daemon: Daemon) -> None:
    asking = Asking(daemon)
    reads: tuple[dict[str, Any], ...] = ({"ProcessList": {}}, {"Status": {}})
    asking.ask(*reads)
    add = {"ProcessAdd": {"id": "a", "command": "/bin/sleep", "args": ["1000"], "auto_start": False}}
    before, counted, _, after, counted_after = asking.ask(*reads, add, *reads)
    asking.close()
    assert before["Processes"]["processes"] == []
    assert [record["process_id"] for record in after["Processes"]["processes"]] == ["a"]
    assert counted["Status"]["processes"] + 1 == counted_after["Status"]["processes"] == 1


def test_each_of_many_equal_reads_gets_its_own_id(daemon: Daemon) -> None:
    asking = Asking(daemon)
    for _ in range(3):
        replies = asking.ask(*[{"Ping": {}}] * 20)
        assert [reply["id"] for reply in replies] == list(range(20))
    asking.close()


def test_a_read_that_was_answered_says_why_once_its_process_is_gone(daemon: Daemon) -> None:
    asking = Asking(daemon)
    asking.ask({"ProcessAdd": {"id": "a", "command": "/bin/sleep", "args": ["1000"], "auto_start": False}})
    get: dict[str, Any] = {"ProcessGet": {"process": "a"}}
    assert [next(iter(reply)) for reply in asking.ask(get, get)] == ["Process", "Process"]
    asking.ask({"ProcessRemove": {"process": "a"}})
    error, again = asking.ask(get, get)
    asking.close()
    assert error["Error"]["code"] == again["Error"]["code"] == "process.not_found"
    assert error["Error"]["message"] == again["Error"]["message"]


def test_a_lone_request_that_is_known_still_ends_its_connection(daemon: Daemon) -> None:
    for _ in range(3):
        assert daemon.raw(b'{"Status":{}}\n', half_close=False).startswith(b'{"Status":')


def test_known_and_unknown_requests_without_ids_keep_their_order(daemon: Daemon) -> None:
    lines = b'{"Ping":{}}\n{"WorkspaceList":{}}\n{"ProcessStop":{"process":"x"}}\n{"Ping":{}}\n' * 2
    tags = [next(iter(json.loads(line))) for line in daemon.raw(lines).splitlines()]
    assert tags == ["Pong", "Workspaces", "Error", "Pong"] * 2
