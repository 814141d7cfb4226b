"""ProcessSuspend and ProcessResume through the public socket, with real trees."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.hub.handlers.test_process import add, get, text_of
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

TICKS = "setsid sh -c 'while :; do echo tick; sleep 0.02; done' & while :; do echo tock; sleep 0.02; done"


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_suspended_process_stands_still_says_so_and_goes_on(daemon: Daemon) -> None:
    start = daemon.call("Status")
    pid = add(daemon, "a", TICKS)["process"]["pid"]
    until(lambda: "tick" in text_of(daemon, "a"), 10, "output")
    suspended = daemon.call("ProcessSuspend", process="a")["process"]
    assert (suspended["state"], suspended["desired"], suspended["pid"]) == ("suspended", "up", pid)
    written = text_of(daemon, "a")
    again = daemon.call("ProcessSuspend", process="a")["process"]
    assert (again["state"], text_of(daemon, "a")) == ("suspended", written)
    for _ in range(2):
        assert daemon.call("ProcessResume", process="a")["process"]["state"] == "running"
    for word in ("tick", "tock"):
        until(lambda word=word: word in text_of(daemon, "a")[len(written) :], 10, word)  # type: ignore[misc]
    with daemon.client() as client:
        names = []
        wanted = ["process.suspended", "process.resumed"]
        for event in client.subscribe(wanted, since=start["seq"], epoch=start["epoch"]):
            names.append((event["Event"]["name"], event["Event"]["data"]["state"]))
            if len(names) == 2:
                break
    assert names == [("process.suspended", "suspended"), ("process.resumed", "running")]


def test_a_start_of_what_is_suspended_says_what_to_do(daemon: Daemon) -> None:
    add(daemon, "a", "exec sleep 100")
    daemon.call("ProcessSuspend", process="a")
    with pytest.raises(RequestError, match="ProcessResume") as refused:
        daemon.call("ProcessStart", process="a")
    assert refused.value.code == "process.bad_state"
    assert get(daemon, "a")["state"] == "suspended"


def test_what_is_suspended_can_be_stopped_killed_restarted_and_removed(daemon: Daemon) -> None:
    for name, command, state in (
        ("a", "ProcessStop", "stopped"), ("b", "ProcessKill", "stopped"), ("c", "ProcessRestart", "running"),
        ("d", "ProcessRemove", ""),
    ):  # fmt: skip
        add(daemon, name, TICKS)
        run_id = daemon.call("ProcessSuspend", process=name)["process"]["run_id"]
        reply = daemon.call(command, process=name)
        if state:
            assert reply["process"]["state"] == state
        left = [pid for pid in os.listdir("/proc") if pid.isdigit() and run_id in _environment(pid)]
        assert left == []


def test_a_suspended_process_that_is_killed_from_outside_has_exited(daemon: Daemon) -> None:
    pid = add(daemon, "a", "exec sleep 100", restart="never")["process"]["pid"]
    daemon.call("ProcessSuspend", process="a")
    os.kill(pid, signal.SIGKILL)
    until(lambda: get(daemon, "a")["state"] == "exited", 10, "the exit")
    assert get(daemon, "a")["signal"] == 9


def test_what_does_not_run_is_not_suspended(daemon: Daemon) -> None:
    add(daemon, "a", "exec sleep 100", auto_start=False)
    for command in ("ProcessSuspend", "ProcessResume"):
        with pytest.raises(RequestError) as refused:
            daemon.call(command, process="a")
        assert refused.value.code == "process.not_running"


def test_a_suspension_outlives_three_hubs(daemon: Daemon) -> None:
    pid = add(daemon, "a", TICKS)["process"]["pid"]
    daemon.call("ProcessSuspend", process="a")
    for _ in range(3):
        before = daemon.kill_hub()
        until(lambda before=before: daemon.hub_pid() != before, 10, "the next hub")  # type: ignore[misc]
        assert (get(daemon, "a")["state"], get(daemon, "a")["pid"]) == ("suspended", pid)
        assert state_of(pid) == "T"
    written = text_of(daemon, "a")
    daemon.call("ProcessResume", process="a")
    until(lambda: len(text_of(daemon, "a")) > len(written), 10, "more output")


@pytest.mark.parametrize("command", ["ProcessSuspend", "ProcessResume"])
def test_each_has_one_effect_wherever_the_hub_dies(daemon: Daemon, command: str) -> None:
    pid = add(daemon, "a", "exec sleep 100")["process"]["pid"]
    other = "ProcessResume" if command == "ProcessSuspend" else "ProcessSuspend"
    daemon.call(other, process="a")
    daemon.arm("answered")
    first = daemon.call(command, process="a", key="k-1")
    assert not (daemon.failpoints / "answered").exists()
    assert first["process"]["state"] == ("suspended" if command == "ProcessSuspend" else "running")
    daemon.call(other, process="a", key="k-2")
    assert daemon.call(command, process="a", key="k-1") == first
    assert (state_of(pid) == "T") == (other == "ProcessSuspend")


def test_what_happens_while_the_hub_is_away_is_known_to_the_next(daemon: Daemon) -> None:
    pid = add(daemon, "a", "exec sleep 100", restart="never")["process"]["pid"]
    daemon.call("ProcessSuspend", process="a")
    before = daemon.kill_hub()
    os.kill(pid, signal.SIGKILL)
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    until(lambda: get(daemon, "a")["state"] == "exited", 10, "the exit")


def _environment(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except OSError:
        return ""
