"""A real daemon that writes snapshots and workspaces.json by itself, takes files in, and goes back."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hub.state.test_snapshot import SEED
from tests.support.configured import configured_daemon, write_config
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.client.sync import Client
from wezparallel.errors import RequestError

TEMPLATE = """\
env: { API_KEY: hush-hush, PORT: "5173" }
panes:
  web: { command: [sleep, "1000"], restart: always }
processes:
  db: { command: [sleep, "2000"], restart: always }
"""
EVERY_SECOND = "workspaces: { auto_save_interval: 1, snapshots_kept: 3 }\n"


@pytest.fixture
def saving(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that looks every second whether there is something to save."""
    with configured_daemon(tmp_path, EVERY_SECOND) as daemon:
        yield daemon


def files(daemon: Daemon) -> list[Path]:
    return sorted((daemon.home / "state" / "wezterm-parallel" / "snapshots").glob("*.yaml"))


def shop(daemon: Daemon) -> None:
    root = daemon.home / "shop"
    root.mkdir()
    daemon.call("WorkspaceCreate", name="shop", root=str(root), source=TEMPLATE)


def pids(daemon: Daemon) -> dict[str, int | None]:
    return {one["process_id"]: one["pid"] for one in daemon.call("ProcessList")["processes"]}


def changes(reply: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(one["kind"], one["name"], one["skipped"]) for one in reply["changes"]]


def shown_file(daemon: Daemon) -> Path:
    return daemon.home / "config" / "wezterm-parallel" / "workspaces.json"


def shows(daemon: Daemon, words: str) -> bool:
    path = shown_file(daemon)
    return path.exists() and words in path.read_text()


# By itself


def test_a_change_is_saved_after_the_interval_and_only_a_change(saving: Daemon) -> None:
    assert files(saving) == []
    left = saving.home / "state" / "wezterm-parallel" / "snapshots" / "20200101T000000.000Z.yaml.new"
    left.parent.mkdir(0o700, exist_ok=True)
    left.write_text("of a hub that was killed")
    with saving.client() as client:
        stream = client.subscribe(["snapshot.written", "process.exited"])
        shop(saving)
        written = next(one["Event"] for one in stream if one["Event"]["name"] == "snapshot.written")
        assert written["data"]["because"] == "change"
        (path,) = files(saving)
        assert written["data"]["path"] == str(path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        told = yaml.safe_load(path.read_text())
        assert list(told["processes"]) == ["shop/db", "shop/web"]
        assert told["workspaces"]["shop"]["root"] == str(saving.home / "shop")
        assert "hush-hush" not in path.read_text()
        saving.call("ProcessAdd", id="shop/crash", command="false", restart="never")
        saving.call("ProcessAdd", id="shop/crash-2", command="false", restart="never", auto_start=False)
        until(lambda: len(files(saving)) == 2, 10, "the next one")
        before = [one.name for one in files(saving)]
        os.kill(pids(saving)["shop/web"] or 0, signal.SIGKILL)  # it comes back; nobody has changed anything
        until(lambda: saving.call("ProcessGet", process="shop/web")["process"]["run"] == 2, 10, "its next run")
        saving.call("ProcessAdd", id="shop/last", command="sleep", args=["9"])
        until(lambda: len(files(saving)) == 3, 10, "the one of a change")
        assert [one.name for one in files(saving)][:2] == before
    assert not left.exists()


def test_the_newest_are_kept_also_when_fewer_are_to_be(saving: Daemon) -> None:
    (saving.home / "state" / "wezterm-parallel" / "snapshots").mkdir(exist_ok=True)
    mine = saving.home / "state" / "wezterm-parallel" / "snapshots" / "mine.yaml"
    mine.write_text("")
    ids = [saving.call("SnapshotExport")["snapshot"]["snapshot"] for _ in range(4)]
    assert [one["snapshot"] for one in saving.call("SnapshotList")["snapshots"]] == ids[:0:-1]
    write_config(saving.home, "workspaces: { snapshots_kept: 1, auto_save_interval: 86400 }\n")
    saving.call("ConfigReload")
    until(lambda: len(files(saving)) == 2, 10, "the older ones to go")
    assert files(saving) == [mine.with_name(f"{ids[-1]}.yaml"), mine]


def test_a_changed_interval_holds_at_once(tmp_path: Path) -> None:
    with configured_daemon(tmp_path, "workspaces: { auto_save_interval: 86400 }\n") as daemon:
        shop(daemon)
        write_config(daemon.home, EVERY_SECOND)
        daemon.call("ConfigReload")
        until(lambda: len(files(daemon)) == 1, 10, "a snapshot")


def test_what_has_changed_is_saved_when_the_daemon_ends_and_not_twice(daemon: Daemon) -> None:
    shop(daemon)
    daemon.stop()
    (path,) = files(daemon)
    assert "shop/web" in path.read_text()
    daemon.start()
    daemon.stop()
    assert files(daemon) == [path]


def test_a_full_disk_is_said_and_hurts_nothing_else(saving: Daemon) -> None:
    folder = saving.home / "state" / "wezterm-parallel" / "snapshots"
    folder.rmdir() if folder.exists() else None
    folder.write_text("no folder")
    with pytest.raises(RequestError) as refused:
        saving.call("SnapshotExport")
    assert refused.value.code == "disk.full"
    assert str(folder) in refused.value.message
    shop(saving)
    hub_log = saving.home / "state" / "wezterm-parallel" / "hub.log"
    until(lambda: "snapshot.failed" in hub_log.read_text(), 10, "the log to say it")
    taken = saving.call("SnapshotImport", source="processes: { one: { command: sleep, args: [9] } }")
    assert (changes(taken), taken["before"]) == ([("added", "one", None)], None)
    assert "could not be saved" in taken["notes"][0]
    folder.unlink()
    until(lambda: len(files(saving)) == 1, 10, "the next try")


# workspaces.json


def test_workspaces_json_shows_each_change_and_takes_no_edit_away(daemon: Daemon) -> None:
    shop(daemon)
    until(lambda: shows(daemon, "shop/db"), 10, "the workspace in it")
    path = shown_file(daemon)
    assert path.stat().st_mode & 0o777 == 0o600
    told = json.loads(path.read_text())
    assert told["workspaces"]["shop"]["root"] == str(daemon.home / "shop")
    assert "hush-hush" not in path.read_text()
    path.write_text(path.read_text().replace("2000", "2222"))
    daemon.call("WorkspaceRename", name="shop", to="store")
    until(lambda: shows(daemon, '"store"'), 10, "the new name")
    (aside,) = path.parent.glob("workspaces.json.edited-*")
    assert "2222" in aside.read_text()
    assert "2000" in path.read_text()


def test_an_edited_workspaces_json_can_be_taken_in_and_what_runs_goes_on(daemon: Daemon) -> None:
    shop(daemon)
    until(lambda: shows(daemon, "shop/db"), 10, "the workspace in it")
    before, path = pids(daemon), shown_file(daemon)
    written_at = json.loads(path.read_text())["written_at"]
    path.write_text(path.read_text().replace("2000", "2222"))
    reply = daemon.call("SnapshotImport", path=str(path))
    assert changes(reply) == [("changed", "shop/db", None)]
    assert reply["changes"][0]["needs_restart"]
    assert pids(daemon) == before
    until(lambda: json.loads(path.read_text())["written_at"] != written_at, 10, "the file anew")
    assert list(path.parent.glob("workspaces.json.edited-*")) == []  # it says what there is
    daemon.call("ProcessRestart", process="shop/db")
    assert daemon.call("ProcessGet", process="shop/db")["process"]["argv"] == ["sleep", "2222"]
    settings = daemon.call("WorkspaceGet", name="shop", settings=True)["settings"]
    assert {one["env"]["API_KEY"] for one in settings} == {"hush-hush"}


# Import


def test_seed_001s_snapshot_is_taken_in_and_its_start_fails_with_a_reason(daemon: Daemon) -> None:
    planned = daemon.call("SnapshotImport", source=SEED, dry_run=True)
    assert changes(planned) == [("added", "example-process", None)]
    assert planned["changes"][0]["starts"]
    assert daemon.call("ProcessList")["processes"] == []
    reply = daemon.call("SnapshotImport", source=SEED)
    assert reply["processes"][0]["now"] == "refused"
    assert reply["processes"][0]["error"]["code"] == "process.no_directory"
    record = daemon.call("ProcessGet", process="example-process")["process"]
    assert record["state"] in ("backoff", "failed")
    assert "/path/to/dir does not exist" in record["reason"]
    again = daemon.call("SnapshotImport", source=SEED)
    assert (again["changes"], again["before"]) == ([], None)


def test_an_import_forgets_only_what_it_is_told_to_and_nothing_that_runs(daemon: Daemon) -> None:
    shop(daemon)
    daemon.call("ProcessAdd", id="ended", command="true", restart="never")
    until(lambda: daemon.call("ProcessGet", process="ended")["process"]["state"] == "exited", 10, "its end")
    source = "processes: { fresh: { command: sleep, args: [100], cwd: /, auto_start_on_restore: false } }\n"
    before = pids(daemon)
    assert changes(daemon.call("SnapshotImport", source=source)) == [("added", "fresh", None)]
    assert pids(daemon) == before | {"fresh": None}
    reply = daemon.call("SnapshotImport", source=source, prune=True)
    runs = "it runs; stop it to have it forgotten"
    assert changes(reply) == [
        ("removed", "ended", None), ("removed", "shop/db", runs), ("removed", "shop/web", runs),
        ("removed", "shop", "shop/web, shop/db run in it"),
    ]  # fmt: skip
    until(lambda: "ended" not in pids(daemon), 10, "it to be forgotten")
    assert pids(daemon) == {one: pid for one, pid in before.items() if one != "ended"} | {"fresh": None}


def test_what_cannot_be_is_refused_whole(daemon: Daemon) -> None:
    nine = ", ".join(f"{name}: {{}}" for name in "abcdefghi")
    cannot_be = {
        "processes: { a: { command: x, cwd: /a/../b } }": "process.bad_directory",
        "processes: { a: { command: x, settings: { depends_on: { b: ready } } } }": "command.bad_value",
        f"workspaces: {{ {nine} }}\nprocesses: {{ x: {{ command: x }} }}": "workspace.limit",
    }
    for source, code in cannot_be.items():
        with pytest.raises(RequestError) as refused:
            daemon.call("SnapshotImport", source=source)
        assert refused.value.code == code
    assert daemon.call("WorkspaceList")["workspaces"] == daemon.call("ProcessList")["processes"] == []
    with pytest.raises(RequestError, match="there is no snapshot yet"):
        daemon.call("SnapshotRollback")
    known = daemon.call("SnapshotExport")["snapshot"]["snapshot"]
    with pytest.raises(RequestError) as refused:
        daemon.call("SnapshotRollback", snapshot="1999")
    assert refused.value.data["known"] == [known]


# Rollback


def test_a_rollback_brings_back_what_was_and_stops_nothing(daemon: Daemon) -> None:
    shop(daemon)
    good = daemon.call("SnapshotExport")["snapshot"]["snapshot"]
    with daemon.client() as client:
        stream = client.subscribe(["snapshot.restored"])
        daemon.call("ProcessRemove", process="shop/db")
        daemon.call("ProcessAdd", id="shop/extra", command="sleep", args=["77"])
        daemon.call("ProcessAdd", id="shop/idle", command="sleep", args=["77"], auto_start=False)
        before, epoch = pids(daemon), daemon.call("Status")["epoch"]
        difference = daemon.call("SnapshotDiff", snapshot=good)["changes"]
        assert [(one["kind"], one["name"]) for one in difference] == [
            ("added", "shop/extra"), ("added", "shop/idle"), ("removed", "shop/db"),
        ]  # fmt: skip
        planned = daemon.call("SnapshotRollback", snapshot=good, dry_run=True)
        assert daemon.call("Status")["epoch"] == epoch == planned["epoch"]
        reply = daemon.call("SnapshotRollback", snapshot=good)
        assert changes(reply) == changes(planned) == [
            ("added", "shop/db", None), ("removed", "shop/extra", "it runs; stop it to have it forgotten"),
            ("removed", "shop/idle", None),
        ]  # fmt: skip
        restored = next(one["Event"] for one in stream)["data"]
    assert daemon.call("Status")["epoch"] == reply["epoch"] == restored["epoch"] != epoch
    assert [one["now"] for one in reply["processes"]] == ["spawned"]
    until(lambda: "shop/idle" not in pids(daemon), 10, "it to be forgotten")
    after = pids(daemon)
    assert {one: after[one] for one in ("shop/web", "shop/extra")} == {
        one: before[one] for one in ("shop/web", "shop/extra")
    }
    assert after["shop/db"] is not None
    assert daemon.call("SnapshotDiff", snapshot=reply["before"], to=good)["changes"] == difference_back(difference)
    undone = daemon.call("SnapshotRollback", snapshot=reply["before"])
    assert changes(undone)[0] == ("added", "shop/idle", None)


def difference_back(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the same changes in the other direction, in the order in which they are told."""
    other = {"added": "removed", "removed": "added"}
    turned = [{**one, "kind": other[one["kind"]]} for one in changes]
    return sorted(turned, key=lambda one: (one["kind"], one["name"]))


def test_a_rollback_has_one_effect_when_the_hub_dies_in_the_middle(daemon: Daemon) -> None:
    shop(daemon)
    good = daemon.call("SnapshotExport")["snapshot"]["snapshot"]
    daemon.call("ProcessRemove", process="shop/db")
    daemon.arm("answered")
    with Client(daemon.socket, patience_s=20) as client:
        reply = client.call("SnapshotRollback", {"snapshot": good})
    assert changes(reply) == [("added", "shop/db", None)]
    record = daemon.call("ProcessGet", process="shop/db")["process"]
    assert (record["run"], record["state"]) == (2, "running")
    undo = yaml.safe_load(Path(file_of(daemon, reply["before"])).read_text())
    assert list(undo["processes"]) == ["shop/web"]


def file_of(daemon: Daemon, snapshot: str) -> str:
    return next(one["path"] for one in daemon.call("SnapshotList")["snapshots"] if one["snapshot"] == snapshot)


def test_a_renamed_workspace_gets_its_name_back_and_keeps_running(daemon: Daemon) -> None:
    shop(daemon)
    good = daemon.call("SnapshotExport")["snapshot"]["snapshot"]
    daemon.call("WorkspaceRename", name="shop", to="store")
    before = pids(daemon)
    daemon.call("SnapshotRollback", snapshot=good)
    assert [one["name"] for one in daemon.call("WorkspaceList")["workspaces"]] == ["shop"]
    assert pids(daemon) == before
    assert {one["workspace"] for one in daemon.call("ProcessList")["processes"]} == {"shop"}


def test_an_agent_may_look_and_not_go_back(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out"
    call = f"{sys.executable} -m wezparallel call"
    asks = f"{call} '{{\"SnapshotRollback\":{{}}}}'; {call} '{{\"SnapshotList\":{{}}}}'"
    script = f"({asks}) > {out} 2>&1; echo end >> {out}"
    daemon.call(
        "ProcessAdd", id="agent", command="sh", args=["-c", script], agent="x", restart="never",
        environment=daemon.env,
    )  # fmt: skip
    until(lambda: out.exists() and out.read_text().endswith("end\n"), 20, "its end")
    assert "caller.agent_not_allowed" in out.read_text()
    assert '"Snapshots"' in out.read_text()


# A damaged database


def damage(daemon: Daemon) -> Path:
    path = daemon.home / "state" / "wezterm-parallel" / "state.db"
    path.write_bytes(b"not a database at all" * 100)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return path


def test_a_damaged_database_is_restored_while_everything_runs_on(daemon: Daemon) -> None:
    shop(daemon)
    daemon.call("SnapshotExport")
    daemon.call("ProcessAdd", id="late/one", command="sleep", args=["66"], root=str(daemon.home))
    before, status = pids(daemon), daemon.call("Status")
    os.kill(status["hub_pid"], signal.SIGSTOP)
    damage(daemon)
    os.kill(status["hub_pid"], signal.SIGKILL)
    with Client(daemon.socket, patience_s=20) as client:
        after = client.call("Status", {})
        assert after["epoch"] != status["epoch"]
        told = next(one["Event"] for one in client.subscribe(["snapshot.restored"], since=0))["data"]
    assert told["because"] == "damage"
    assert Path(told["moved_to"]).read_bytes().startswith(b"not a database")
    assert pids(daemon) == before
    assert [one["name"] for one in daemon.call("WorkspaceList")["workspaces"]] == ["late", "shop"]
    reply = daemon.call("WorkspaceGet", name="shop", settings=True)
    assert {one["env"]["API_KEY"] for one in reply["settings"]} == {"hush-hush"}  # the keeper knows it
    assert [pane["pane"] for pane in reply["plan"]["tabs"][0]["panes"]] == ["web"]
    assert "database.restored" in (daemon.home / "state" / "wezterm-parallel" / "hub.log").read_text()


def test_after_damage_and_a_restart_what_ran_comes_back_and_what_was_stopped_does_not(daemon: Daemon) -> None:
    shop(daemon)
    daemon.call("ProcessStop", process="shop/db")
    daemon.stop()
    (path,) = files(daemon)
    path.with_name("29991231T000000.000Z.yaml").write_text("processes: [")  # the newest, and unreadable
    damage(daemon)
    told = yaml.safe_load(path.read_text())
    told["processes"]["shop/web"] |= {"state": "Running", "desired": "up"}  # as if the machine had gone down
    path.write_text(yaml.safe_dump(told))
    daemon.start()
    until(lambda: daemon.call("ProcessGet", process="shop/web")["process"]["state"] == "running", 10, "its return")
    assert pids(daemon)["shop/db"] is None
    log = (daemon.home / "state" / "wezterm-parallel" / "hub.log").read_text()
    assert "snapshot.unreadable" in log
