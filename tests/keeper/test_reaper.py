"""What the kernel tells of children: leaders that stop themselves, orphans, tracing, and many ends at once."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.keeper.conftest import Daemon, wait_until
from tests.keeper.test_handover import upgrade
from tests.keeper.test_stops import pids_in
from tests.keeper.test_suspend import resume, state_of, suspend
from tests.support.fake_hub import FakeHub
from wezparallel.client.frames import FramesViewer
from wezparallel.keeper import messages as m
from wezparallel.keeper.tree import read_entry
from wezparallel.wire import frames

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
PTRACE_DETACH = 17


@pytest.mark.parametrize("tty", [False, True])
def test_a_program_that_stops_itself_goes_on_at_once(hub: FakeHub, tty: bool) -> None:
    code = "echo before; kill -STOP $$; echo after; kill -TSTP $$; exit 5"
    run = hub.spawn(["sh", "-c", code], tty=tty)
    assert hub.exited(run["run_id"])["exit_code"] == 5


def test_what_stopped_together_with_it_goes_on_too(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "(sleep 0.1; echo child) & kill -STOP 0; wait; echo both"])
    assert hub.exited(run["run_id"])["exit_code"] == 0
    assert daemon.log(run["process_id"]) == b"child\nboth\n"


def test_a_ctrl_z_typed_at_an_agent_is_undone_and_its_viewer_told(daemon: Daemon, hub: FakeHub) -> None:
    code = (
        "import os, signal, sys, tty\n"
        "tty.setraw(0)\n"
        "print('ready', end='', flush=True)\n"
        "while (key := os.read(0, 1)) != b'q':\n"
        "    if key == b'\\x1a':\n"
        "        os.kill(0, signal.SIGSTOP)\n"
        "        print('went on', end='', flush=True)\n"
    )
    run = hub.spawn([sys.executable, "-IS", "-c", code], tty=True)
    wait_until(lambda: b"ready" in daemon.log(run["process_id"]))
    with closing(FramesViewer.connect(run["process_id"], path=daemon.private)) as viewer:
        hub.write(run["process_id"], b"\x1a")
        note = next(item[3] for item in viewer if item[0] == frames.NOTE)
    assert f"{run['process_id']} stopped itself and was continued".encode() in note
    wait_until(lambda: b"went on" in daemon.log(run["process_id"]))
    hub.write(run["process_id"], b"q")
    assert hub.exited(run["run_id"])["exit_code"] == 0


def test_who_stops_itself_all_the_time_costs_the_keeper_nothing(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "while :; do kill -STOP $$; echo; done"])
    wait_until(lambda: daemon.log(run["process_id"]).count(b"\n") >= 5)
    before = _cpu_ticks(daemon.pid)
    hub.run(["sleep", "1"])
    assert _cpu_ticks(daemon.pid) - before < 20  # of 100
    assert daemon.log(run["process_id"]).count(b"\n") < 30
    hub.call(m.STOP, run_id=run["run_id"])
    assert hub.exited(run["run_id"])["asked"] is True


def test_a_stopped_job_under_a_shell_is_the_shells_business(hub: FakeHub, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    run = hub.spawn(
        ["bash", "-mc", f"sleep 600 & kill -STOP $!; echo $! > {pids}; while :; do sleep 0.05; done"], tty=True
    )
    (job,) = pids_in(pids, 1)
    wait_until(lambda: state_of(job) == "T")
    hub.run(["sleep", "0.1"])
    assert state_of(job) == "T"
    hub.call(m.KILL, run_id=run["run_id"])
    hub.exited(run["run_id"])


def test_who_stopped_itself_during_an_upgrade_goes_on_after_it(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "while :; do kill -STOP $$; sleep 0.001; echo; done"])
    wait_until(lambda: daemon.log(run["process_id"]))
    for _ in range(3):
        upgrade(daemon)
        size = len(daemon.log(run["process_id"]))
        wait_until(lambda size=size: len(daemon.log(run["process_id"])) > size)  # type: ignore[misc]


def test_a_suspended_program_that_had_stopped_itself_goes_on_with_the_resume(hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "while :; do kill -STOP $$; done"])
    wait_until(lambda: state_of(run["pid"]) == "T")
    suspend(hub, run)
    hub.run(["sleep", "0.1"])
    assert state_of(run["pid"]) == "T"
    resume(hub, run)
    hub.call(m.STOP, run_id=run["run_id"])
    hub.exited(run["run_id"])


def test_a_child_that_asks_to_be_traced_by_its_parent_goes_on_untraced(daemon: Daemon, hub: FakeHub) -> None:
    code = (
        "import ctypes, os, signal\n"
        "assert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0\n"
        "os.kill(os.getpid(), signal.SIGSTOP)\n"
        "os.execvp('sh', ['sh', '-c', 'echo here; exit 4'])\n"
    )
    run = hub.spawn([sys.executable, "-IS", "-c", code])
    assert hub.exited(run["run_id"])["exit_code"] == 4
    assert daemon.log(run["process_id"]) == b"here\n"


def test_a_program_that_a_debugger_holds_is_left_to_it(hub: FakeHub) -> None:
    run = hub.spawn(["sleep", "600"])
    pid = run["pid"]
    if LIBC.ptrace(PTRACE_SEIZE, pid, 0, 0) != 0:
        pytest.skip("nobody may trace here")
    try:
        assert LIBC.ptrace(PTRACE_INTERRUPT, pid, 0, 0) == 0
        wait_until(lambda: state_of(pid) == "t")
        suspend(hub, run)
        resume(hub, run)
        hub.sync()
        assert state_of(pid) == "t"
    finally:
        os.waitpid(pid, 0x40000000)  # __WALL
        LIBC.ptrace(PTRACE_DETACH, pid, 0, 0)
    hub.call(m.STOP, run_id=run["run_id"])
    assert hub.exited(run["run_id"])["signal"] == signal.SIGTERM


def test_orphans_that_stop_and_end_in_masses_leave_no_zombie_and_no_run_without_its_exit(
    daemon: Daemon, hub: FakeHub
) -> None:
    code = "for i in $(seq 40); do (sh -c 'kill -STOP $$; exit 1' & sh -c 'kill -CONT $!' & :); done; exit 7"
    runs = [hub.spawn(["bash", "-c", code]) for _ in range(5)]
    for run in runs:
        assert hub.exited(run["run_id"])["exit_code"] == 7
    hub.sync()
    wait_until(lambda: not _children(daemon.pid, "Z"))
    for pid in _children(daemon.pid, "T"):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not _children(daemon.pid, "TZ"))


def test_a_hundred_processes_killed_and_started_again_leave_nothing_behind(daemon: Daemon, hub: FakeHub) -> None:
    def round_of_a_hundred() -> None:
        runs = [hub.spawn(["sleep", "600"], process_id=f"t/p{number}", tty=number % 2 == 0) for number in range(100)]
        for run in runs:
            hub.post(m.KILL, run_id=run["run_id"])
        for run in runs:
            hub.exited(run["run_id"])
            for fd in hub.fds.pop(run["run_id"]):
                os.close(fd)
                hub._owned.remove(fd)
        hub.sync()

    round_of_a_hundred()
    before = daemon.open_fds()
    round_of_a_hundred()
    assert daemon.open_fds() == before
    assert _children(daemon.pid, "ZTS") == []


def test_sigchld_comes_for_stops_too(hub: FakeHub, tmp_path: Path) -> None:
    # SA_NOCLDSTOP would leave a stopped leader until another child ends; here none does.
    run = hub.spawn(["sh", "-c", "kill -STOP $$; echo; exec sleep 600"])
    hub.wait_for(lambda e: e["m"] == m.OUTPUT and e["process_id"] == run["process_id"])


def test_a_pid_that_was_given_to_another_is_not_continued(hub: FakeHub, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    run = hub.spawn(["sh", "-c", f"(setsid sleep 600 & echo $! > {pids}); exec sleep 600"])
    (away,) = pids_in(pids, 1)
    suspend(hub, run)
    os.kill(away, signal.SIGKILL)
    wait_until(lambda: read_entry(away) is None)  # an orphan, so the keeper has reaped it
    stranger = _with_pid(away)
    if stranger is None:
        pytest.skip("pids cannot be chosen here")
    try:
        stranger.send_signal(signal.SIGSTOP)
        wait_until(lambda: state_of(stranger.pid) == "T")
        resume(hub, run)
        hub.call(m.KILL, run_id=run["run_id"])
        hub.exited(run["run_id"])
        assert state_of(stranger.pid) == "T"
    finally:
        stranger.kill()
        stranger.wait()


def _with_pid(pid: int) -> subprocess.Popen[bytes] | None:
    """Start a program under a pid, if the kernel lets us and nobody else is faster."""
    for _ in range(50):
        try:
            Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
        except OSError:
            return None
        program = subprocess.Popen(["sleep", "600"], env={})
        if program.pid == pid:
            return program
        program.kill()
        program.wait()
    return None


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _children(pid: int, wanted: str) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        entry = read_entry(int(name)) if name.isdigit() else None
        if entry is not None and entry.parent == pid and entry.state in wanted:
            found.append(entry.pid)
    return found
