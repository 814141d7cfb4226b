"""A machine that has too little: descriptors, disk. Nobody is blocked, nothing is guessed, and it is said."""

from __future__ import annotations

import collections
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from tests.keeper.conftest import Daemon, wait_until
from tests.support.fake_hub import FakeHub, RefusedError
from tests.support.handing import HandedTerminal
from tests.support.viewing import Pane, cat, held_keeper
from wezparallel.keeper import messages as m


def fill(hub: FakeHub) -> list[str]:
    """Start processes until the keeper refuses; return their runs."""
    runs: list[str] = []

    def start() -> None:
        runs.append(hub.spawn(["sh", "-c", "echo; exec sleep 600"], tty=len(runs) % 2 == 0)["run_id"])

    with pytest.raises(RefusedError, match=r"process\.limit"):
        collections.deque(iter(start, runs), maxlen=0)
    return runs


def test_when_descriptors_run_out_a_start_is_refused_and_the_rest_goes_on(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon().start("--nofile=120:120")
    hub = daemon.hub()
    runs = fill(hub)
    assert len(runs) > 5
    guests = []
    for _ in range(100):
        guests.append(socket.socket(socket.AF_UNIX))
        guests[-1].connect(daemon.private)
    for run_id in runs:
        hub.call(m.KILL, run_id=run_id)
    for run_id in runs:
        assert hub.exited(run_id)["signal"] == 9
    for guest in guests:
        guest.close()
    wait_until(daemon.answers)
    hub.sync()
    assert len(fill(hub)) == len(runs)


@pytest.mark.parametrize("left", [0, 1, 2, 4])
def test_terminals_come_and_go_where_descriptors_are_short(tmp_path: Path, left: int) -> None:
    with held_keeper(tmp_path, "--nofile=80:80") as held, ExitStack() as stack:
        hub = held.hub
        cat(held)
        other = stack.enter_context(closing(HandedTerminal(held, "w/sh", offset=0)))
        other.expect(b"ready")
        panes = [stack.enter_context(closing(Pane())) for _ in range(4)]
        for pane in panes[:2]:
            pane.attach(held, "w/sh")
        runs = fill(hub)
        for run_id in runs[:left]:
            hub.call(m.KILL, run_id=run_id)
            hub.exited(run_id)
        guests = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(100)]
        for guest in guests:
            guest.connect(held.socket)
        for number, pane in enumerate(panes[2:]):
            pane.attach(held, "w/sh")
            with suppress(RefusedError):
                runs.append(hub.spawn(["sleep", "600"], process_id=f"t/{number}")["run_id"])
            other.type(b"key %d." % number)
            other.expect(b"key %d." % number)
        for pane in panes:  # looking, refused, or waiting at the door
            assert pane.client is not None
            pane.client.terminate()
            pane.wait()
            assert pane.attributes == pane.before
        other.type(b"all the while.")
        other.expect(b"all the while.")
        for guest in guests:
            guest.close()
        for run_id in runs[left:]:
            hub.call(m.KILL, run_id=run_id)
            hub.exited(run_id)
        for _ in range(2):
            pane = stack.enter_context(closing(Pane()))
            pane.attach(held, "w/sh")
            pane.expect(b"all the while.")
            pane.read_until(lambda pane=pane: pane.is_raw, "raw mode")  # type: ignore[misc]
            pane.type(b"and I.")
            other.expect(b"and I.")
            pane.type(b"\x1c\x1c")
            assert pane.wait() == 0
            assert pane.attributes == pane.before
        assert hub.spawn(["true"], process_id="t/after")["pid"]
        other.ask_back()
        assert other.attributes == other.before


def test_a_full_disk_blocks_nobody_and_the_loss_is_counted(make_daemon: Callable[..., Daemon]) -> None:
    daemon = make_daemon().start(f"--fsize={1 << 20}")
    hub = daemon.hub()
    code = "import os\nfor i in range(48): os.write(1, b'z' * 65536) == 65536 or exit(1)"
    ended = hub.run([sys.executable, "-IS", "-c", code], process_id="t/full")
    assert ended["exit_code"] == 0
    lost = sum(event["bytes"] for event in hub.events if event["m"] == m.LOST)
    assert lost + daemon.log_bytes("t/full") == 48 * 65536
    assert ended["offset"] == 48 * 65536
    assert lost > 0
    hub.call(m.FORGET, process_id="t/full")
    assert hub.run(["echo", "again"], process_id="t/full")["offset"] == 6


@pytest.mark.parametrize("tty", [False, True])
def test_a_child_that_closes_its_output_lives_on(hub: FakeHub, tty: bool) -> None:
    run = hub.spawn(["sh", "-c", "exec >&- 2>&- <&-; sleep 0.2; exit 12"], tty=tty)
    assert hub.exited(run["run_id"])["exit_code"] == 12
