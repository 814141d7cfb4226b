"""Events: in order, without gaps, after their commit, and never at anyone's cost."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until

pytestmark = pytest.mark.one_daemon


class Listener:
    """A raw subscriber."""

    def __init__(self, daemon: Daemon, **fields: Any) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(15)
        self.sock.connect(daemon.socket)
        self.file = self.sock.makefile("rb")
        self.sock.sendall(json.dumps({"Subscribe": fields, "id": 1}).encode() + b"\n")

    def next(self) -> dict[str, Any]:
        """Return the next message."""
        return dict(json.loads(self.file.readline()))

    def close(self) -> None:
        """End it."""
        self.file.close()
        self.sock.close()


def add(daemon: Daemon, name: str) -> None:
    """Cause three events: added, starting, running."""
    daemon.call("ProcessAdd", id=name, command="sleep", args=["100"])


def test_a_first_subscription_brings_a_snapshot_and_then_what_comes(daemon: Daemon) -> None:
    add(daemon, "before")
    listener = Listener(daemon, events=["process.*"])
    subscribed = listener.next()["Subscribed"]
    assert [record["process_id"] for record in subscribed["snapshot"]["processes"]] == ["before"]
    add(daemon, "after")
    events = [listener.next()["Event"] for _ in range(3)]
    listener.close()
    assert [event["name"] for event in events] == ["process.added", "process.starting", "process.running"]
    assert all(event["data"]["process_id"] == "after" for event in events)
    assert events[0]["by"]["via"] == "socket"


def test_since_tells_what_was_missed_without_a_gap(daemon: Daemon) -> None:
    status = daemon.call("Status")
    add(daemon, "a")
    add(daemon, "b")
    listener = Listener(daemon, events=["*"], since=status["seq"], epoch=status["epoch"])
    assert listener.next()["Subscribed"]["snapshot"] is None
    seqs = [listener.next()["Event"]["seq"] for _ in range(6)]
    listener.close()
    assert seqs == list(range(status["seq"] + 1, status["seq"] + 7))


def test_a_foreign_epoch_or_a_future_gets_a_snapshot(daemon: Daemon) -> None:
    status = daemon.call("Status")
    for fields in ({"since": status["seq"], "epoch": "e-other"}, {"since": status["seq"] + 1000}):
        listener = Listener(daemon, events=["*"], **fields)
        assert listener.next()["Subscribed"]["snapshot"] is not None
        listener.close()


def test_a_large_snapshot_comes_in_parts_that_fit_a_line(daemon: Daemon, tmp_path: Any) -> None:
    panes = ", ".join("'sleep 100'" for _ in range(3))
    for number in range(2):
        daemon.call("WorkspaceCreate", name=f"w{number}", source=f"panes: [{panes}]", root=str(tmp_path))
    listener = Listener(daemon, events=["*"])
    snapshot = listener.next()["Subscribed"]["snapshot"]
    listener.close()
    assert len(snapshot["processes"]) == 6
    assert len(snapshot["workspaces"]) == 2


def test_a_subscriber_that_does_not_read_slows_nobody_and_is_told(daemon: Daemon) -> None:
    daemon.call("ProcessAdd", id="p", command="sleep", args=["100"], auto_start=False)
    listener = Listener(daemon, events=["*"])
    first = listener.next()["Subscribed"]["seq"]
    padding = "x" * 3000
    sent = 0
    with daemon.client() as client:
        # More than a socket's and the hub's buffers hold: then the listener counts as one that does not read.
        while sent < 700:
            client.call("ProcessAdd", {"id": f"q{sent}", "command": padding, "auto_start": False})
            client.call("ProcessRemove", {"process": f"q{sent}"})
            sent += 1
    seen, missed = [], 0
    last = daemon.call("Status")["seq"]
    daemon.call("ProcessRemove", process="p")
    while True:
        message = listener.next()
        if "Lagged" in message:
            missed += message["Lagged"]["missed"]
        else:
            seen.append(message["Event"]["seq"])
            if seen[-1] > last:
                break
    listener.close()
    assert len(seen) + missed == seen[-1] - first
    assert seen == sorted(set(seen))


def test_a_long_past_is_told_without_a_gap_also_to_a_slow_reader(daemon: Daemon, tmp_path: Path) -> None:
    root = tmp_path.joinpath(*["w" * 250] * 13)
    root.mkdir(parents=True)
    daemon.call("ProcessAdd", id="wide/a", command="true", auto_start=False, root=str(root))
    daemon.call("ProcessRemove", process="wide/a")  # the workspace stays, with nothing in it
    status = daemon.call("Status")
    with daemon.client() as client:
        for _ in range(500):  # about 1.7 MB of events: more than the buffers between hub and reader hold
            client.call("WorkspaceOpen", {"name": "wide"})
    listener = Listener(daemon, events=["*"], since=status["seq"], epoch=status["epoch"])
    daemon.call("WorkspaceOpen", name="wide")  # while the past is not read
    listener.next()
    seqs = [listener.next()["Event"]["seq"] for _ in range(501)]
    listener.close()
    assert seqs == list(range(status["seq"] + 1, status["seq"] + 502))


def test_unsubscribing_ends_it(daemon: Daemon) -> None:
    listener = Listener(daemon, events=["*"])
    listener.next()
    listener.sock.sendall(b'{"Unsubscribe":{},"id":2}\n')
    assert "Unsubscribed" in listener.next()
    add(daemon, "a")
    listener.sock.sendall(b'{"Ping":{},"id":3}\n')
    assert "Pong" in listener.next()
    listener.close()


def test_a_subscriber_that_vanishes_is_forgotten(daemon: Daemon) -> None:
    listener = Listener(daemon, events=["*"])
    listener.next()
    assert daemon.call("Status")["subscribers"] == 1
    listener.close()
    until(lambda: daemon.call("Status")["subscribers"] == 0, 5, "the subscriber to be forgotten")


def test_who_lagged_is_told_as_soon_as_it_reads(daemon: Daemon, tmp_path: Path) -> None:
    root = tmp_path.joinpath(*["w" * 250] * 13)
    root.mkdir(parents=True)
    daemon.call("ProcessAdd", id="wide/a", command="true", auto_start=False, root=str(root))
    daemon.call("ProcessRemove", process="wide/a")
    listener = Listener(daemon, events=["*"])
    seen = listener.next()["Subscribed"]["seq"]
    with daemon.client() as client:
        for _ in range(600):  # 2 MB of events: more than the buffers between hub and reader hold
            client.call("WorkspaceOpen", {"name": "wide"})
    last = daemon.call("Status")["seq"]
    while seen < last:  # nothing happens any more that could bring the news along
        message = listener.next()
        seen = message["Lagged"]["next"] - 1 if "Lagged" in message else message["Event"]["seq"]
    listener.close()
    assert seen == last


def test_a_second_subscription_on_a_connection_takes_the_place_of_the_first(daemon: Daemon) -> None:
    status = daemon.call("Status")
    for name in "abc":
        add(daemon, name)
    listener = Listener(daemon, events=["*"], since=status["seq"], epoch=status["epoch"])
    second = {"events": ["process.removed"], "since": status["seq"], "epoch": status["epoch"]}
    listener.sock.sendall(json.dumps({"Subscribe": second, "id": 2}).encode() + b"\n")
    while listener.next().get("id") != 2:
        pass
    daemon.call("ProcessRemove", process="a")
    assert listener.next()["Event"]["name"] == "process.removed"
    daemon.call("ProcessRemove", process="b")
    assert listener.next()["Event"]["name"] == "process.removed"
    listener.close()
