"""Processes that need others, with real programs: order, failures, restarts, a hub that dies in the middle."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.hub.handlers.test_process import get
from tests.support.configured import configured_daemon
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel import paths
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon

SLEEP = "exec sleep 1000"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def add(daemon: Daemon, root: Path, name: str, script: str = SLEEP, **fields: Any) -> dict[str, Any]:
    """Add a process that runs a shell script in the workspace `shop`."""
    return daemon.call(
        "ProcessAdd", id=f"shop/{name}", command="sh", args=["-c", script], root=str(root), cwd=str(root), **fields
    )


def shop(daemon: Daemon, name: str) -> dict[str, Any]:
    return get(daemon, f"shop/{name}")


def comes(daemon: Daemon, name: str, state: str) -> dict[str, Any]:
    until(lambda: shop(daemon, name)["state"] == state, 10, f"{name} to be {state}")
    return shop(daemon, name)


def told(daemon: Daemon, since: int, last: str) -> Iterator[tuple[str, str, str | None]]:
    """Give what happened: event, process, reason; up to the first event `last`."""
    with daemon.client() as client:
        epoch = daemon.call("Status")["epoch"]
        for message in client.subscribe(["process.*"], since=since, epoch=epoch):
            event = message["Event"]
            name = event["name"].removeprefix("process.")
            yield name, event["data"]["process_id"].removeprefix("shop/"), event["data"].get("reason")
            if f"{name} {event['data']['process_id']}" == last:
                return


def test_a_chain_comes_up_in_its_order_whatever_order_it_was_added_in(daemon: Daemon, root: Path) -> None:
    since = daemon.call("Status")["seq"]
    go = {"exec": ["test", "-e", "go"], "interval_s": 0.05}
    add(daemon, root, "a", ready=go)
    for name, needed in (("b", "a"), ("c", "b"), ("d", "c")):
        added = add(daemon, root, name, depends_on={needed: "ready"})
        assert (added["now"], added["process"]["state"]) == ("waits", "not_started")
        assert (added["process"]["waits_for"], added["process"]["pid"]) == ("process", None)
    until(lambda: shop(daemon, "d")["reason"] == "waits for c: ready", 10, "the reason")
    (root / "go").touch()
    assert daemon.call("ProcessWait", process="shop/d", **{"for": "ready"})["outcome"] == "met"
    events = [(event, name) for event, name, _ in told(daemon, since, "running shop/d")]
    up = [name for event, name in events if event == "running"]
    assert up == ["a", "b", "c", "d"]
    assert events.index(("ready", "a")) < events.index(("starting", "b"))
    assert shop(daemon, "d")["waits_for"] is None
    assert shop(daemon, "d")["reason"] is None


def test_a_failing_one_in_the_middle_stops_the_rest_with_reasons_until_it_is_mended(
    daemon: Daemon, root: Path
) -> None:
    add(daemon, root, "a")
    add(daemon, root, "b", "test -e mended && exec sleep 1000; exit 3", restart="never",
        depends_on={"a": "ready"}, ready={"exec": ["test", "-e", "mended"], "interval_s": 0.05})  # fmt: skip
    add(daemon, root, "c", depends_on={"b": "ready"}, auto_start=False)
    add(daemon, root, "d", depends_on={"c": "started"}, auto_start=False)
    with pytest.raises(RequestError) as refused:
        daemon.call("ProcessStart", process="shop/d", wait="ready")
    assert refused.value.code == "process.bad_state"
    assert "needs c: started, but c failed: needs b: ready, but b exited 3" in refused.value.message
    for name in "cd":
        record = shop(daemon, name)
        assert (record["state"], record["pid"], record["run_id"]) == ("failed", None, None)
    (root / "mended").touch()
    daemon.call("ProcessStart", process="shop/b")
    assert comes(daemon, "d", "running")["reason"] is None
    assert shop(daemon, "c")["state"] == "running"


def test_a_job_that_is_needed_has_to_end_well(daemon: Daemon, root: Path) -> None:
    add(daemon, root, "migrate", "test -e ok", restart="never", auto_start=False)
    add(daemon, root, "web", depends_on={"migrate": "exited_ok"}, auto_start=False)
    with pytest.raises(RequestError, match="needs migrate: exited_ok, but migrate exited 1"):
        daemon.call("ProcessStart", process="shop/web", wait="ready")
    (root / "ok").touch()
    daemon.call("ProcessStart", process="shop/web", wait="ready")
    assert (shop(daemon, "migrate")["state"], shop(daemon, "migrate")["run"]) == ("exited", 2)
    daemon.call("ProcessRestart", process="shop/web")
    assert shop(daemon, "migrate")["run"] == 2


def test_a_start_that_has_to_wait_for_another_process_answers_at_once_and_says_so(daemon: Daemon, root: Path) -> None:
    add(daemon, root, "job", "read -r go", restart="never", auto_start=False)
    add(daemon, root, "web", depends_on={"job": "exited_ok"}, auto_start=False)
    for command in ("ProcessStart", "ProcessRestart"):
        started = daemon.call(command, process="shop/web")["process"]
        assert (started["state"], started["waits_for"], started["pid"]) == ("not_started", "process", None)
    comes(daemon, "job", "running")
    daemon.call("ProcessType", process="shop/job", text="go\n")
    assert comes(daemon, "web", "running")["waits_for"] is None


def test_a_start_starts_what_is_needed_and_a_stop_leaves_alone_who_needs_it(daemon: Daemon, root: Path) -> None:
    for name, needed in (("db", {}), ("api", {"db": "started"}), ("web", {"api": "ready"})):
        add(daemon, root, name, depends_on=needed, auto_start=False)
    daemon.call("ProcessStart", process="shop/web", wait="ready")
    pids = {name: shop(daemon, name)["pid"] for name in ("db", "api", "web")}
    assert all(pids.values())
    daemon.call("ProcessStop", process="shop/db")
    assert [shop(daemon, name)["pid"] for name in ("api", "web")] == [pids["api"], pids["web"]]
    daemon.call("ProcessRestart", process="shop/web")
    assert shop(daemon, "db")["state"] == "stopped"  # what it needs itself is there
    daemon.call("ProcessRestart", process="shop/api", wait="ready")
    assert shop(daemon, "db")["state"] == "running"


def test_a_stop_of_what_is_awaited_and_of_who_waits_are_told(daemon: Daemon, root: Path) -> None:
    add(daemon, root, "db", ready={"tcp": "1", "start_s": 600})
    for name in ("one", "two"):
        add(daemon, root, name, depends_on={"db": "ready"})
    assert daemon.call("ProcessStop", process="shop/one")["process"]["state"] == "stopped"
    daemon.call("ProcessStop", process="shop/db")
    assert comes(daemon, "two", "failed")["reason"] == "needs db: ready, but db was stopped"
    assert (shop(daemon, "one")["state"], shop(daemon, "one")["desired"]) == ("stopped", "down")


def test_needs_that_cannot_be_are_refused_and_change_nothing(daemon: Daemon, root: Path) -> None:
    add(daemon, root, "a")
    add(daemon, root, "b", depends_on={"a": "started"})
    for name, needed, said in (
        ("c", "c", "c cannot depend on itself"), ("c", "x", "no process x beside it; known are a, b"),
    ):  # fmt: skip
        with pytest.raises(RequestError, match=said) as refused:
            add(daemon, root, name, depends_on={needed: "ready"})
        assert refused.value.code == "command.bad_value"
    daemon.call("ProcessRemove", process="shop/a")
    with pytest.raises(RequestError, match="a → b → a"):
        add(daemon, root, "a", depends_on={"b": "started"})
    assert [one["name"] for one in daemon.call("ProcessList", workspace="shop")["processes"]] == ["b"]
    assert shop(daemon, "b")["state"] == "running"


def test_a_chain_goes_on_after_the_hubs_death(daemon: Daemon, root: Path) -> None:
    add(daemon, root, "a", ready={"exec": ["test", "-e", "go"], "interval_s": 0.05})
    for name, needed in (("b", "a"), ("c", "b"), ("d", "c")):
        add(daemon, root, name, depends_on={needed: "ready"})
    pid = shop(daemon, "a")["pid"]
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    assert shop(daemon, "d")["waits_for"] == "process"
    (root / "go").touch()
    comes(daemon, "d", "running")
    assert shop(daemon, "a")["pid"] == pid
    assert [shop(daemon, name)["run"] for name in "abcd"] == [1, 1, 1, 1]


@pytest.mark.parametrize("failpoint", ["stored", "sent"])
def test_a_link_of_a_chain_starts_once_wherever_the_hub_dies(daemon: Daemon, root: Path, failpoint: str) -> None:
    add(daemon, root, "a", ready={"exec": ["test", "-e", "go"], "interval_s": 0.05})
    for name, needed in (("b", "a"), ("c", "b")):
        add(daemon, root, name, "echo x >> ran; exec sleep 1000", depends_on={needed: "ready"})
    daemon.arm(failpoint)
    (root / "go").touch()
    until(lambda: not (daemon.failpoints / failpoint).exists(), 10, "the hub's death")
    comes(daemon, "c", "running")
    until(lambda: (root / "ran").read_text() == "x\nx\n", 10, "one run each")
    assert [shop(daemon, name)["run"] for name in "abc"] == [1, 1, 1]


def test_two_hundred_in_a_diamond_come_up(tmp_path: Path) -> None:
    middle = [f"m{number}" for number in range(198)]
    wide = "workspaces: {max_processes: 200}"
    with configured_daemon(tmp_path, wide) as daemon, daemon.client() as client:

        def put(name: str, needs: dict[str, str]) -> None:
            client.call("ProcessAdd", {"id": name, "command": "sleep", "args": ["1000"], "auto_start": False,
                                       "depends_on": needs})  # fmt: skip

        put("top", {})
        for name in middle:
            put(name, {"top": "ready"})
        put("bottom", dict.fromkeys(middle, "ready"))
        client.call("ProcessStart", {"process": "bottom", "wait": "ready"})
        states = [one["state"] for one in client.call("ProcessList", {"limit": 500})["processes"]]
    assert states == ["running"] * 200


def test_a_job_that_a_reboot_took_is_lost_and_who_needed_it_says_so(daemon: Daemon, root: Path) -> None:
    add(daemon, root, "migrate")
    waiting = add(daemon, root, "web", depends_on={"migrate": "exited_ok"})
    assert waiting["now"] == "waits"
    daemon.stop()
    # As the machine leaves it that loses its power while the job runs.
    with closing(sqlite3.connect(daemon.home / "state" / paths.NAME / "state.db")) as database, database:
        of = "(SELECT run_id FROM definitions WHERE process_id = 'shop/migrate')"
        database.execute(f"UPDATE runs SET status = 'spawned', boot_id = 'before' WHERE run_id = {of}")
        database.execute(
            "INSERT OR REPLACE INTO runs (run_id, process_id, number, status, stored_at, asked, ready) "
            "VALUES (?, 'shop/web', 1, 'planned', 0, 0, 0)", ("a" * 32,),
        )  # fmt: skip
        database.execute("UPDATE definitions SET state = 'running', desired = 'up' WHERE process_id = 'shop/migrate'")
        database.execute(
            "UPDATE definitions SET state = 'not_started', desired = 'up', planned_run_id = ?, waits_for = 'process' "
            "WHERE process_id = 'shop/web'", ("a" * 32,),
        )  # fmt: skip
    daemon.start()
    reason = comes(daemon, "web", "failed")["reason"]
    lost = "the machine restarted while it ran; how it ended is not known"
    assert reason == f"needs migrate: exited_ok, but migrate was lost: {lost}"
    assert (shop(daemon, "migrate")["state"], shop(daemon, "migrate")["exit_code"]) == ("exited", None)
