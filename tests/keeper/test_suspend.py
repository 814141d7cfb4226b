"""Suspending: everybody who belongs to the run stands still, and goes on as if nothing had been."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.keeper.conftest import Daemon, wait_until
from tests.keeper.test_handover import upgrade
from tests.keeper.test_stops import is_gone, pids_in
from tests.support.fake_hub import FakeHub, RefusedError
from wezparallel.keeper import messages as m
from wezparallel.keeper.suspend import from_leader
from wezparallel.keeper.tree import Entry, read_entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    Message = dict[str, Any]

DEAF_TO_TERM = {"signal": "SIGHUP", "grace_s": 5, "kill": "tree"}
BEGINS = b"\x1b[?2004l"  # what bash says before it runs a command
STILL = {"T", "D"}  # the parent of a vfork waits in the kernel (D) until its stopped child goes on
TICK = "i=0; while :; do i=$((i+1)); echo $i > {}; sleep 0.01; done"


def state_of(pid: int) -> str:
    entry = read_entry(pid)
    return entry.state if entry is not None else ""


def suspend(hub: FakeHub, run: Message, key: str = "") -> Message:
    """Suspend a run and wait until it is."""
    if hub.call(m.SUSPEND, run_id=run["run_id"], key=key)["done"]:
        return {}
    return hub.wait_for(lambda e: e["m"] == m.SUSPENDED and e["run_id"] == run["run_id"] and e["suspended"])


def resume(hub: FakeHub, run: Message) -> None:
    hub.call(m.RESUME, run_id=run["run_id"])


def carriers(run: Message) -> list[int]:
    """Return everybody alive who carries the run's id."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and state_of(int(name)) not in {"", "Z", "X"}:
            try:
                environment = Path(f"/proc/{name}/environ").read_bytes()
            except OSError:
                continue
            if run["run_id"].encode() in environment:
                found.append(int(name))
    return found


def states(pids: Iterable[int]) -> set[str]:
    return {state_of(pid) for pid in pids} - {""}


def test_jobs_a_pipeline_and_a_grandchild_in_a_session_of_its_own_stand_still_and_go_on(
    hub: FakeHub, tmp_path: Path
) -> None:
    files = [tmp_path / f"tick{number}" for number in range(3)]
    jobs = " ".join(f"sh -c '{TICK.format(file)}' &" for file in files[:2])
    code = f"{jobs} setsid sh -c '{TICK.format(files[2])}' & yes | cat | cat > /dev/null & echo up; wait"
    run = hub.spawn(["bash", "-c", code], tty=True)
    wait_until(lambda: all(file.exists() for file in files))
    told = suspend(hub, run)
    assert (told["suspended"], told["left"]) == (True, 0)
    members = carriers(run)
    assert len(members) >= 7
    assert states(members) <= STILL
    resume(hub, run)
    assert "T" not in states(members)
    before = [file.read_text() for file in files]
    wait_until(lambda: all(file.read_text() not in {"", old} for file, old in zip(files, before, strict=True)))


def test_an_interactive_shell_takes_no_suspension_for_a_stopped_job(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["bash", "--norc", "-i"], tty=True, env={"PS1": "ready> "}, stop=DEAF_TO_TERM)
    wait_until(lambda: b"ready> " in daemon.log(run["process_id"]))
    for number in range(15):
        hub.write(run["process_id"], f"sleep 0.1; echo went on {number}\n".encode())
        wait_until(lambda number=number: daemon.log(run["process_id"]).count(BEGINS) > number)  # type: ignore[misc]
        suspend(hub, run)
        assert states(carriers(run)) <= STILL
        resume(hub, run)
        wait_until(lambda number=number: f"\rwent on {number}\r\n".encode() in daemon.log(run["process_id"]))  # type: ignore[misc]
    assert b"Stopped" not in daemon.log(run["process_id"])


def test_a_job_that_a_user_stopped_before_stays_stopped_afterwards(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["bash", "--norc", "-i"], tty=True, env={"PS1": "ready> "}, stop=DEAF_TO_TERM)
    hub.write(run["process_id"], b"sleep 600\n")
    (job,) = wait_until(lambda: [pid for pid in carriers(run) if pid != run["pid"] and state_of(pid) == "S"])
    hub.write(run["process_id"], b"\x1a")
    wait_until(lambda: state_of(job) == "T" and b"Stopped" in daemon.log(run["process_id"]))
    wait_until(lambda: state_of(run["pid"]) == "S")
    suspend(hub, run)
    resume(hub, run)
    wait_until(lambda: state_of(run["pid"]) == "S")
    assert state_of(job) == "T"


def test_who_forks_all_the_time_is_caught(hub: FakeHub, tmp_path: Path) -> None:
    count = tmp_path / "count"
    code = (
        "import os, time\n"
        "for branch in range(3): os.fork()\n"
        "while True:\n"
        f"    with open({str(count)!r}, 'ab') as file: file.write(b'.')\n"
        "    if os.fork() == 0: time.sleep(0.02); os._exit(0)\n"
        "    try:\n"
        "        while os.waitpid(-1, os.WNOHANG)[0]: pass\n"
        "    except ChildProcessError: pass\n"
        "    time.sleep(0.002)\n"
    )
    run = hub.spawn([sys.executable, "-IS", "-c", code])
    wait_until(lambda: count.exists() and count.stat().st_size > 100)
    assert suspend(hub, run)["left"] == 0
    assert states(carriers(run)) <= STILL
    size = count.stat().st_size
    hub.sync()
    assert states(carriers(run)) <= STILL
    assert count.stat().st_size == size
    hub.call(m.KILL, run_id=run["run_id"])
    hub.exited(run["run_id"])
    assert carriers(run) == []


def test_even_with_a_group_kill_the_whole_tree_is_suspended(hub: FakeHub, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    rules = {"signal": "SIGTERM", "grace_s": 5, "kill": "group"}
    run = hub.spawn(["sh", "-c", f"setsid sh -c 'echo $$ > {pids}; exec sleep 600' & exec sleep 600"], stop=rules)
    (away,) = pids_in(pids, 1)
    suspend(hub, run)
    assert state_of(away) == "T"
    hub.call(m.STOP, run_id=run["run_id"])
    hub.exited(run["run_id"])
    assert state_of(away) != "T"
    os.kill(away, signal.SIGKILL)


@pytest.mark.parametrize("name", [m.STOP, m.KILL])
def test_a_suspended_tree_can_be_stopped_and_killed(hub: FakeHub, tmp_path: Path, name: str) -> None:
    pids = tmp_path / "pids"
    run = hub.spawn(["sh", "-c", f"trap 'exit 3' TERM; setsid sleep 600 & echo $! > {pids}; wait"])
    (away,) = pids_in(pids, 1)
    suspend(hub, run)
    hub.call(name, run_id=run["run_id"])
    ended = hub.exited(run["run_id"])
    assert (ended["exit_code"], ended["signal"]) == ((3, None) if name == m.STOP else (None, 9))
    assert is_gone(away)


def test_what_a_killed_leader_left_suspended_goes_on(hub: FakeHub, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    run = hub.spawn(["sh", "-c", f"setsid sleep 600 & echo $! > {pids}; wait"])
    (away,) = pids_in(pids, 1)
    suspend(hub, run)
    os.kill(run["pid"], signal.SIGKILL)
    assert hub.exited(run["run_id"])["signal"] == 9
    assert state_of(away) != "T"
    os.kill(away, signal.SIGKILL)


def test_suspending_and_resuming_twice_is_once(hub: FakeHub) -> None:
    run = hub.spawn(["sleep", "600"])
    resume(hub, run)
    suspend(hub, run, "k-1")
    assert hub.call(m.SUSPEND, run_id=run["run_id"])["done"] is True
    resume(hub, run)
    resume(hub, run)
    # The same request once more, after its answer was lost: its turn is over.
    assert hub.call(m.SUSPEND, run_id=run["run_id"], key="k-1")["already"] is True
    assert state_of(run["pid"]) != "T"


def test_what_has_ended_or_is_being_stopped_is_not_suspended(hub: FakeHub) -> None:
    ended = hub.run(["true"])
    with pytest.raises(RefusedError) as refused:
        hub.call(m.SUSPEND, run_id=ended["run_id"])
    assert refused.value.code == "process.not_running"
    run = hub.spawn(["sh", "-c", "trap '' TERM; echo; while :; do sleep 0.05; done"])
    hub.wait_for(lambda e: e["m"] == m.OUTPUT)
    hub.call(m.STOP, run_id=run["run_id"], grace_s=600)
    with pytest.raises(RefusedError) as refused:
        hub.call(m.SUSPEND, run_id=run["run_id"])
    assert refused.value.code == "process.bad_state"
    hub.call(m.KILL, run_id=run["run_id"])


def test_a_suspension_outlives_the_hub_and_two_upgrades(daemon: Daemon, hub: FakeHub, tmp_path: Path) -> None:
    tick = tmp_path / "tick"
    run = hub.spawn(["sh", "-c", f"setsid sh -c '{TICK.format(tick)}' & wait"])
    wait_until(tick.exists)
    suspend(hub, run)
    members = carriers(run)
    hub.close()
    with daemon.hub() as other:
        assert other.runs[run["run_id"]]["suspended"] is True
        for _ in range(2):
            upgrade(daemon)
        other.sync()
        assert states(members) <= STILL
        before = tick.read_text()
        resume(other, run)
        wait_until(lambda: tick.read_text() not in {"", before})


def test_who_is_continued_from_outside_is_suspended_again(hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "while :; do sleep 0.01; done"])
    suspend(hub, run)
    for pid in carriers(run):
        os.kill(pid, signal.SIGCONT)
    hub.wait_for(lambda e: e["m"] == m.SUSPENDED and e["suspended"])
    assert states(carriers(run)) <= STILL


def test_the_keeper_answers_while_an_attach_client_of_its_own_is_suspended(daemon: Daemon, hub: FakeHub) -> None:
    other = hub.spawn(["cat"], tty=True, process_id="t/inner")
    attach = f"{sys.executable} -m wezparallel attach t/inner"
    run = hub.spawn(
        ["sh", "-c", f"{attach}; echo came back; exec sleep 600"], tty=True, process_id="t/outer",
        env={**daemon.env, "PATH": os.environ["PATH"], "TERM": "xterm"},
    )  # fmt: skip
    hub.wait_for(lambda e: e["m"] == m.VIEWER and e["process_id"] == "t/inner" and e["state"] == "attached")
    hub.write("t/outer", b"one\r")
    wait_until(lambda: b"one\r\none" in daemon.log("t/outer"))
    suspend(hub, run)
    hub.write("t/inner", b"while suspended\n")
    hub.sync()
    wait_until(lambda: b"while suspended\r\nwhile suspended" in daemon.log("t/inner"))
    resume(hub, run)
    hub.write("t/outer", b"two\r")
    wait_until(lambda: b"two\r\ntwo" in daemon.log("t/outer"))
    hub.call(m.KILL, run_id=other["run_id"])


@pytest.mark.skipif(not shutil.which("vim"), reason="there is no vim")
def test_a_vim_that_was_suspended_goes_on_where_it_was(daemon: Daemon, hub: FakeHub, tmp_path: Path) -> None:
    file = tmp_path / "text"
    run = hub.spawn(["vim", "-u", "NONE", str(file)], tty=True, env={"TERM": "xterm"})
    wait_until(lambda: b"[New" in daemon.log(run["process_id"]))
    hub.write(run["process_id"], b"iwords")
    wait_until(lambda: b"words" in daemon.log(run["process_id"]))
    suspend(hub, run)
    hub.write(run["process_id"], b" and more\x1b:wq\r")
    resume(hub, run)
    assert hub.exited(run["run_id"])["exit_code"] == 0
    assert file.read_text() == "words and more\n"


@given(st.lists(st.integers(0, 30), max_size=30), st.integers(0, 30))
def test_the_leader_comes_first_and_no_child_before_its_parent(parents: list[int], leader: int) -> None:
    entries = {pid: _entry(pid, parent) for pid, parent in enumerate(parents, 1)}
    members = set(entries)
    order = from_leader(leader, members, entries)
    assert sorted(order) == sorted(members)
    assert leader not in members or order[0] == leader
    for pid in order:
        parent = entries[pid].parent
        ring = _reaches(pid, entries, pid)
        if parent in members and pid != leader and not ring:
            assert order.index(parent) < order.index(pid)


def _reaches(start: int, entries: dict[int, Entry], goal: int) -> bool:
    """Tell whether the chain of parents comes back; a table that is read over some time may say so."""
    seen = set()
    pid = entries[start].parent
    while pid in entries and pid not in seen:
        if pid == goal:
            return True
        seen.add(pid)
        pid = entries[pid].parent
    return pid in seen


def _entry(pid: int, parent: int) -> Entry:
    fields = [b"S", str(parent).encode(), *[b"1"] * 20]
    return Entry(pid, fields)
