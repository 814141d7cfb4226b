"""Stopping: the signal, the grace period, then everybody who belongs to the run, and only then the exit."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.keeper.conftest import Daemon, wait_until
from tests.support.fake_hub import FakeHub, RefusedError
from wezparallel.keeper import messages as m
from wezparallel.keeper.tree import read_entry


def is_gone(pid: int) -> bool:
    entry = read_entry(pid)
    return entry is None or entry.state == "Z"


def pids_in(path: Path, count: int) -> list[int]:
    numbers: list[int] = wait_until(lambda: _numbers(path, count))
    return numbers


def _numbers(path: Path, count: int) -> list[int]:
    lines = path.read_text().split() if path.exists() else []
    return [int(line) for line in lines] if len(lines) == count else []


def test_a_stop_ends_a_polite_child_by_its_signal(hub: FakeHub) -> None:
    run = hub.spawn(["sleep", "60"])
    hub.call(m.STOP, run_id=run["run_id"])
    ended = hub.exited(run["run_id"])
    assert (ended["signal"], ended["asked"]) == (signal.SIGTERM, True)


def test_the_signal_is_the_runs_own(hub: FakeHub) -> None:
    rules = {"signal": "SIGINT", "grace_s": 5, "kill": "tree"}
    run = hub.spawn(["sh", "-c", "trap 'exit 9' INT; echo; while :; do sleep 0.01; done"], stop=rules)
    hub.wait_for(lambda e: e["m"] == m.OUTPUT)
    hub.call(m.STOP, run_id=run["run_id"])
    assert hub.exited(run["run_id"])["exit_code"] == 9


def test_who_ignores_the_signal_is_killed_after_the_grace_period(hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "trap '' TERM; echo; while :; do sleep 0.01; done"])
    hub.wait_for(lambda e: e["m"] == m.OUTPUT)
    hub.call(m.STOP, run_id=run["run_id"], grace_s=0.2)
    ended = hub.exited(run["run_id"])
    assert (ended["signal"], ended["asked"]) == (signal.SIGKILL, True)
    assert ended["ran_s"] >= 0.2


@pytest.mark.parametrize("tty", [False, True])
def test_a_grandchild_that_forked_away_by_two_setsids_is_killed_too(hub: FakeHub, tmp_path: Path, tty: bool) -> None:
    pids = tmp_path / "pids"
    away = f"setsid setsid sh -c 'trap \"\" TERM HUP; echo $$ >> {pids}; while :; do sleep 0.05; done' &"
    run = hub.spawn(["sh", "-c", f"({away})\n echo $$ >> {pids}; exec sleep 60"], tty=tty)
    both = pids_in(pids, 2)
    hub.call(m.STOP, run_id=run["run_id"], grace_s=0.1)
    hub.exited(run["run_id"])
    assert all(is_gone(pid) for pid in both)


def test_the_exit_is_told_only_when_the_tree_is_empty(hub: FakeHub, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = (
        f"(trap '' TERM; echo $BASHPID >> {pids}; sleep 0.01; while :; do sleep 0.05; done) & echo $$ >> {pids}; wait"
    )
    run = hub.spawn(["bash", "-c", code])
    both = pids_in(pids, 2)
    hub.call(m.STOP, run_id=run["run_id"], grace_s=0.4)
    ended = hub.exited(run["run_id"])
    assert ended["signal"] == signal.SIGTERM
    assert all(is_gone(pid) for pid in both)


def test_a_stopped_job_gets_the_signal_as_well(hub: FakeHub, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    run = hub.spawn(["sh", "-c", f"sleep 600 & kill -STOP $!; echo $! > {pids}; wait"])
    (job,) = pids_in(pids, 1)
    wait_until(lambda: (entry := read_entry(job)) is not None and entry.state == "T")
    hub.call(m.STOP, run_id=run["run_id"], grace_s=15)
    assert hub.exited(run["run_id"])["signal"] == signal.SIGTERM


def test_a_group_kill_spares_what_has_a_session_of_its_own(hub: FakeHub, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = f"setsid sh -c 'echo $$ >> {pids}; exec sleep 60' & echo $$ >> {pids}; wait"
    rules = {"signal": "SIGTERM", "grace_s": 0.3, "kill": "group"}
    run = hub.spawn(["sh", "-c", code], stop=rules)
    spared = next(pid for pid in pids_in(pids, 2) if pid != run["pid"])
    hub.call(m.STOP, run_id=run["run_id"])
    hub.exited(run["run_id"], ack=False)
    assert not is_gone(spared)
    os.kill(spared, signal.SIGKILL)


def test_an_orphan_of_a_tree_becomes_the_keepers_child(daemon: Daemon, hub: FakeHub, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    run = hub.spawn(["sh", "-c", f"(sleep 600 & echo $! >> {pids}); exec sleep 600"])
    orphan = pids_in(pids, 1)[0]
    wait_until(lambda: (entry := read_entry(orphan)) is not None and entry.parent == daemon.pid)
    hub.call(m.KILL, run_id=run["run_id"])
    hub.exited(run["run_id"])
    assert read_entry(orphan) is None


def test_a_kill_does_not_wait(hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "trap '' TERM; echo; while :; do sleep 1; done"])
    hub.wait_for(lambda e: e["m"] == m.OUTPUT)
    hub.call(m.KILL, run_id=run["run_id"])
    assert hub.exited(run["run_id"])["signal"] == signal.SIGKILL


def test_a_kill_overtakes_a_stop_that_waits(hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "trap '' TERM; echo; while :; do sleep 1; done"])
    hub.wait_for(lambda e: e["m"] == m.OUTPUT)
    hub.call(m.STOP, run_id=run["run_id"], grace_s=600)
    hub.call(m.KILL, run_id=run["run_id"])
    assert hub.exited(run["run_id"])["signal"] == signal.SIGKILL


def test_a_signal_alone_is_no_stop(hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "trap 'exit 3' USR1; echo; while :; do sleep 0.01; done"])
    hub.wait_for(lambda e: e["m"] == m.OUTPUT)
    with pytest.raises(RefusedError) as refused:
        hub.call(m.SIGNAL, run_id=run["run_id"], signal="SIGNOTHING")
    assert refused.value.code == "command.bad_value"
    hub.call(m.SIGNAL, run_id=run["run_id"], signal="SIGUSR1")
    ended = hub.exited(run["run_id"])
    assert (ended["exit_code"], ended["asked"]) == (3, False)


def test_stopping_what_has_gone_is_refused(hub: FakeHub) -> None:
    ended = hub.run(["true"])
    hub.sync()
    with pytest.raises(RefusedError) as refused:
        hub.call(m.STOP, run_id=ended["run_id"])
    assert refused.value.code == "process.not_running"


def test_thirty_deaf_children_are_stopped_together(hub: FakeHub) -> None:
    runs = [hub.spawn(["sh", "-c", "trap '' TERM; sleep 600"]) for _ in range(30)]
    for run in runs:
        hub.call(m.STOP, run_id=run["run_id"], grace_s=0.5)
    for run in runs:
        assert hub.exited(run["run_id"])["asked"] is True


def test_a_removed_process_loses_its_log_and_a_running_one_is_not_removed(hub: FakeHub) -> None:
    run = hub.spawn(["sleep", "60"], process_id="t/rm")
    with pytest.raises(RefusedError):
        hub.call(m.FORGET, process_id="t/rm")
    hub.call(m.KILL, run_id=run["run_id"])
    hub.exited(run["run_id"])
    hub.call(m.FORGET, process_id="t/rm")
    hub.call(m.FORGET, process_id="t/rm")
