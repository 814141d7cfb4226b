"""The hub dies at each failpoint and at none: processes, exits, output and effects stay exact."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.hub.handlers.test_process import add, get, text_of
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel import paths
from wezparallel.client.control import Control
from wezparallel.errors import RequestError


def test_a_killed_hub_costs_no_process(daemon: Daemon) -> None:
    pids = {name: add(daemon, name, "exec sleep 100")["process"]["pid"] for name in ("a", "b", "c")}
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    assert {name: get(daemon, name)["pid"] for name in pids} == pids
    assert all(get(daemon, name)["state"] == "running" for name in pids)


@pytest.mark.parametrize("failpoint", ["stored", "sent", "answered"])
def test_a_start_has_exactly_one_effect_wherever_the_hub_dies(daemon: Daemon, failpoint: str) -> None:
    daemon.arm(failpoint)
    fields: dict[str, Any] = {"id": "one", "command": "sh", "args": ["-c", "echo run; exec sleep 100"], "key": "k-1"}
    added = daemon.call("ProcessAdd", **fields)
    assert not (daemon.failpoints / failpoint).exists()
    until(lambda: "run" in text_of(daemon, "one"), 10, "output")
    assert text_of(daemon, "one") == "run\n"
    assert daemon.call("ProcessAdd", **fields) == added
    assert get(daemon, "one")["run"] == 1


def test_an_exit_during_the_hubs_death_is_exact(daemon: Daemon) -> None:
    add(daemon, "late", "read line; exit 41", restart="never")
    before = daemon.hub_pid()
    daemon.arm("exited")
    daemon.call("ProcessType", process="late", text="go\n")
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    until(lambda: get(daemon, "late")["state"] == "exited", 10, "the exit")
    assert get(daemon, "late")["exit_code"] == 41
    assert get(daemon, "late")["run"] == 1


def test_a_hub_that_dies_while_adopting_is_followed_by_one_that_does_not(daemon: Daemon) -> None:
    pid = add(daemon, "a", "exec sleep 100")["process"]["pid"]
    daemon.arm("adopting")
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    assert not (daemon.failpoints / "adopting").exists()
    assert get(daemon, "a")["pid"] == pid


def test_events_committed_before_a_death_are_told_after_it(daemon: Daemon) -> None:
    start = daemon.call("Status")
    daemon.arm("committed")
    add(daemon, "a", "exec sleep 100")
    with daemon.client() as client:
        names = []
        for event in client.subscribe(["process.*"], since=start["seq"], epoch=start["epoch"]):
            names.append(event["Event"]["name"])
            if names[-1] == "process.running":
                break
    assert names == ["process.added", "process.starting", "process.running"]


def test_no_connect_fails_while_hubs_die(daemon: Daemon) -> None:
    failures: list[str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                daemon.call("Ping")
            except Exception as error:  # noqa: BLE001  each one counts
                failures.append(repr(error))

    asker = threading.Thread(target=ask)
    asker.start()
    for _ in range(5):
        before = daemon.kill_hub()
        until(lambda before=before: daemon.hub_pid() != before, 10, "the next hub")  # type: ignore[misc]
    done.set()
    asker.join(30)
    assert failures == []


def test_a_process_that_was_removed_and_added_again_is_adopted(daemon: Daemon) -> None:
    pid = add(daemon, "again", "exec sleep 100")["process"]["pid"]
    daemon.call("Shutdown")
    with Control(f"{daemon.runtime}/keeper.sock") as control:
        until(lambda: control.status()["hub"]["pid"] is None, 10, "the hub's end")
    # As a hub leaves it that dies between the keeper's answer to the spawn and the commit that tells of it.
    database = sqlite3.connect(daemon.home / "state" / paths.NAME / "state.db")
    with database:
        database.execute("INSERT INTO tombstones VALUES ('again', 0)")
        database.execute("UPDATE runs SET status = 'planned', pid = NULL, start = NULL, started_at = NULL")
        database.execute("UPDATE definitions SET planned_run_id = run_id, run_id = NULL, state = 'starting'")
    database.close()
    assert [get(daemon, "again")[name] for name in ("pid", "state", "run")] == [pid, "running", 1]
    daemon.kill_hub()
    assert get(daemon, "again")["pid"] == pid


def test_a_request_that_another_version_accepted_keeps_no_hub_from_starting(daemon: Daemon) -> None:
    pid = add(daemon, "a", "exec sleep 100")["process"]["pid"]
    now = int(time.time() * 1000)
    shutdown = {"command": {"children": True}, "accepted": {"children": True, "keeper": 1}}
    with closing(sqlite3.connect(daemon.home / "state" / "wezterm-parallel" / "state.db", timeout=10)) as database:
        for key, command, accepted in (
            ("k-1", "ProcessVanish", {"command": {}, "accepted": {}}),
            ("k-2", "ProcessStart", {"command": {"process": "a", "gone": 1}, "accepted": {}}),
            ("k-3", "Shutdown", shutdown),  # of a keeper that has ended: it must not end this one
        ):
            row = (key, command, "hash", json.dumps(accepted), None, now)
            database.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?)", row)
        database.commit()
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    assert get(daemon, "a")["pid"] == pid
    with daemon.client() as client, pytest.raises(RequestError):  # a day's key: told, not run
        client.call("ProcessStart", {"process": "a", "key": "k-2"})


def test_environments_of_what_was_removed_are_forgotten(daemon: Daemon) -> None:
    keeper = daemon.call("Status")["keeper_pid"]

    def memory() -> int:
        return int(Path(f"/proc/{keeper}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def run(times: int) -> None:
        environment = {f"V{number}": "x" * 1000 for number in range(200)}
        with daemon.client() as client:
            for _ in range(times):
                fields = {"id": "e", "command": "true", "auto_start": False, "environment": environment}
                client.call("ProcessAdd", fields)
                client.call("ProcessRemove", {"process": "e"})

    run(5)
    before = memory()
    run(100)  # 20 MB of environments
    assert memory() - before < 8 << 20


def test_a_stop_that_outlives_its_hub_signals_once_and_keeps_its_grace_period(daemon: Daemon) -> None:
    add(daemon, "deaf", "trap 'echo term' TERM; echo up; while :; do sleep 0.05; done", stop={"grace_s": 3})
    until(lambda: "up" in text_of(daemon, "deaf"), 10, "the trap")
    stopping = threading.Thread(target=lambda: daemon.call("ProcessStop", process="deaf"))
    stopping.start()
    until(lambda: "term" in text_of(daemon, "deaf"), 10, "the signal")
    daemon.kill_hub()
    stopping.join(30)
    assert (get(daemon, "deaf")["state"], get(daemon, "deaf")["signal"]) == ("stopped", 9)
    assert text_of(daemon, "deaf").count("term\n") == 1
