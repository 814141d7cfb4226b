"""The keeper's upgrade: the same pid, children, logs, exits and links under a new program."""

from __future__ import annotations

import base64
import os
import sys

import pytest

from tests.keeper.conftest import Daemon, wait_until
from tests.support.fake_hub import FakeHub
from wezparallel.keeper import messages as m


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
