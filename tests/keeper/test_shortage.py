"""A machine that has too little: descriptors, disk. Nobody is blocked, nothing is guessed, and it is said."""

from __future__ import annotations

import collections
import socket
import sys
from collections.abc import Callable

import pytest

from tests.keeper.conftest import Daemon, wait_until
from tests.support.fake_hub import FakeHub, RefusedError
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
