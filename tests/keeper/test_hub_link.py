"""The hub's link: adoption after the hub's death, exits kept until acknowledged, environments, listeners, junk."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from tests.keeper.conftest import Daemon, wait_until
from tests.support.fake_hub import FakeHub, RefusedError
from wezparallel.keeper import messages as m
from wezparallel.wire import frames, hello


def test_a_new_hub_finds_the_same_processes_with_their_descriptors(daemon: Daemon, hub: FakeHub) -> None:
    on_tty = hub.spawn(["cat"], tty=True, process_id="t/tty", definition={"v": [1, "ü"]})
    on_pipes = hub.spawn(["cat"], process_id="t/pipes")
    hub.close()
    with daemon.hub() as second:
        assert {run_id: run["pid"] for run_id, run in second.runs.items()} == {
            on_tty["run_id"]: on_tty["pid"],
            on_pipes["run_id"]: on_pipes["pid"],
        }
        adopted = second.runs[on_tty["run_id"]]
        assert adopted["definition"] == {"v": [1, "ü"]}
        assert (adopted["start"], adopted["tty"], adopted["exit"]) == (on_tty["start"], True, None)
        assert [len(second.fds[run["run_id"]]) for run in (on_tty, on_pipes)] == [1, 3]
        os.write(second.fds[on_pipes["run_id"]][0], b"still there\n")
        wait_until(lambda: daemon.log("t/pipes") == b"still there\n")
        second.write("t/tty", b"x\n")
        wait_until(lambda: daemon.log("t/tty") == b"x\r\nx\r\n")


def test_an_exit_is_told_at_each_adoption_until_it_is_acknowledged(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "read x; exit 42"], process_id="t/kept")
    hub.write("t/kept", b"\n")
    first = hub.exited(run["run_id"], ack=False)
    hub.close()
    for acknowledge in (False, True):
        with daemon.hub() as other:
            told = [event for event in other.events if event["m"] == m.EXITED]
            assert told == [first]
            kept = other.runs[run["run_id"]]
            assert {name: kept["exit"][name] for name in kept["exit"]} == {name: first[name] for name in kept["exit"]}
            if acknowledge:
                other.call(m.ACK, run_id=run["run_id"])
    with daemon.hub() as last:
        assert not last.runs
        assert not [event for event in last.events if event["m"] == m.EXITED]


def test_what_ends_while_there_is_no_hub_is_told_exactly(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "sleep 0.1; kill -8 $$"], process_id="t/alone")
    hub.close()
    wait_until(lambda: daemon.control("status")["unacknowledged"] == 1)
    with daemon.hub() as other:
        assert other.exited(run["run_id"])["signal"] == 8


def test_120_runs_on_pipes_are_adopted_with_360_descriptors(daemon: Daemon, hub: FakeHub) -> None:
    runs = [hub.spawn(["sleep", "600"], stop={"signal": "SIGKILL"}) for _ in range(120)]
    hub.close()
    with daemon.hub() as other:
        assert len(other.runs) == 120
        assert all(len(other.fds[run["run_id"]]) == 3 for run in runs)
        inodes = {os.fstat(fd).st_ino for fds in other.fds.values() for fd in fds}
        assert len(inodes) == 360


def test_answers_come_in_the_order_of_requests_spawns_between_others(hub: FakeHub) -> None:
    numbers = []
    for at in range(20):
        wish = {"run_id": os.urandom(16).hex(), "process_id": f"t/{at}", "argv": ["true"], "cwd": "/"}
        numbers.append(hub.post(m.SPAWN, **wish))
        numbers.append(hub.post(m.ENV_GET, env_id="none"))
    seen: list[int] = []
    while len(seen) < len(numbers):
        message = hub.wait_for(lambda e: e["m"] in {m.OK, m.REFUSED})
        seen.append(message["re"])
    assert seen == numbers


def test_environments_are_held_until_nobody_names_them(daemon: Daemon, hub: FakeHub) -> None:
    hub.call(m.ENV_PUT, env_id="e1", env={"A": "1"})
    hub.call(m.ENV_PUT, env_id="e2", env={"B": "2"})
    hub.close()
    with daemon.hub() as other:
        held = next(event for event in other.events if event["m"] == m.ENV)
        assert sorted(held["env_ids"]) == ["e1", "e2"]
        other.call(m.ENV_KEEP, env_ids=["e2"])
        assert other.call(m.ENV_GET, env_id="e2")["env"] == {"B": "2"}
        with pytest.raises(RefusedError):
            other.call(m.ENV_GET, env_id="e1")


def test_what_a_dying_hub_asked_for_last_is_done(daemon: Daemon, hub: FakeHub) -> None:
    # Its last commit may name the environment; and answers to the spawns find nobody.
    for at in range(3):
        hub.post(m.SPAWN, run_id=os.urandom(16).hex(), process_id=f"t/{at}", argv=["sleep", "600"], cwd="/")
    hub.post(m.ENV_PUT, env_id="last", env={"A": "1"})
    hub.close()
    with daemon.hub() as other:
        assert other.call(m.ENV_GET, env_id="last")["env"] == {"A": "1"}
        assert {run["process_id"] for run in other.runs.values()} == {"t/0", "t/1", "t/2"}


def test_a_listener_keeps_its_port_over_the_hubs_death(daemon: Daemon, hub: FakeHub) -> None:
    made = hub.call(m.LISTEN, name="metrics", address="tcp:127.0.0.1:0")
    port = int(made["address"].rpartition(":")[2])
    assert len(made["descriptors"]) == 1
    hub.close()
    with socket.create_connection(("127.0.0.1", port)), daemon.hub() as other:
        address, fd = other.listeners["metrics"]
        assert address == made["address"]
        listening = socket.socket(fileno=os.dup(fd))
        listening.accept()[0].close()
        listening.close()
        assert other.call(m.LISTEN, name="metrics", address="tcp:127.0.0.1:0")["address"] == address
        with pytest.raises(RefusedError):
            other.call(m.LISTEN, name="more", address=f"tcp:127.0.0.1:{port}")


def test_the_hub_gets_the_public_socket(daemon: Daemon, hub: FakeHub) -> None:
    address, fd = hub.listeners["public"]
    assert address == "unix:" + daemon.public
    listening = socket.socket(fileno=os.dup(fd))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(daemon.public)
        listening.settimeout(5)
        listening.accept()[0].close()
    listening.close()


def test_unknown_messages_and_bad_fields_are_refused_and_harmless(hub: FakeHub) -> None:
    for name, fields in [("of_the_future", {}), (m.SPAWN, {}), (m.WRITE, {"process_id": 3}), (m.ACK, {})]:
        with pytest.raises(RefusedError):
            hub.call(name, **fields)
    hub.send("of_the_future")
    assert hub.run(["true"])["exit_code"] == 0


def test_a_known_process_is_listed_without_a_run(daemon: Daemon, hub: FakeHub) -> None:
    hub.call(m.RESERVE, process_id="t/later")
    hub.close()
    with daemon.hub() as other:
        assert {"m": m.PROCESS, "process_id": "t/later"} in other.events


def test_a_child_cannot_be_the_hub(daemon: Daemon, hub: FakeHub) -> None:
    payload = frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_HUB, hello.pack_strings(["h-evil"])))
    code = (
        "import socket,sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
        f"s.sendall({payload!r}); sys.stdout.buffer.write(s.recv(5)[4:])"
    )
    hub.run(["python3", "-c", code, daemon.private], process_id="t/evil")
    assert daemon.log("t/evil") == bytes([frames.REFUSED])
    assert hub.run(["true"])["exit_code"] == 0


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\0",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff" * 100,
        struct.pack("!IB", 6, frames.HELLO) + b"WZPK\x09",
        frames.pack(frames.HELLO, b"nothing"),
        frames.pack(frames.HELLO, struct.pack("!4sBHH", b"WZPK", hello.ROLE_HUB, 900, 999)),
        frames.pack(frames.HELLO, struct.pack("!4sBHH", b"WZPK", 77, 1, 1)),
        frames.pack(frames.MESSAGE, b'{"m":"exit"}'),
        frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_CONTROL)) + b"\0\0\0\0\0",
        frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_CONTROL)) + frames.pack(frames.MESSAGE, b"{"),
        frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_TERMINAL)),
    ],
)
def test_junk_on_the_private_socket_harms_nobody(daemon: Daemon, hub: FakeHub, junk: bytes) -> None:
    run = hub.spawn(["sleep", "600"])
    for _ in range(20):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(daemon.private)
            sock.sendall(junk)
    assert daemon.control("status")["runs"] == 1
    hub.call(m.KILL, run_id=run["run_id"])
    assert hub.exited(run["run_id"])["signal"] == 9


def test_a_thousand_connects_without_a_hello_harm_nobody(daemon: Daemon, hub: FakeHub) -> None:
    before = daemon.open_fds()
    held = []
    for number in range(1000):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(daemon.private)
        if number % 20 == 0:
            held.append(sock)
        else:
            sock.close()
    assert daemon.control("status")["m"] == m.OK
    assert hub.run(["true"])["exit_code"] == 0
    for sock in held:
        sock.close()
    wait_until(lambda: daemon.open_fds() <= before)
