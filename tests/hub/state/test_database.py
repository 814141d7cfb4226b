"""The database file: old ones load, newer ones are left alone, damaged ones are set aside."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from wezparallel.errors import RequestError
from wezparallel.hub.state import database
from wezparallel.hub.state.database import connect, explain, migrations
from wezparallel.hub.state.store import Store

FIXTURES = Path(__file__).parent / "fixtures"


def write(path: str, script: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


def test_a_database_of_schema_1_loads(path, reopened):
    write(path, (FIXTURES / "schema_1.sql").read_text(encoding="utf-8"))
    day = 1_795_000_000_000
    store = reopened(clock=lambda: day)
    state = store.load()
    assert (store.epoch, store.seq, store.set_aside) == ("e-0123456789ab", 2, None)
    assert [(w.name, w.open, w.focus) for w in state.workspaces.values()] == [
        ("api", False, None), ("shop", True, "shop/coder"),
    ]  # fmt: skip
    assert state.workspaces["shop"].plan["tabs"][0]["splits"][0]["share"] == 0.5
    coder, server, bare = state.processes["shop/coder"], state.processes["shop/server"], state.processes["bare"]
    assert (coder.state, coder.run.pid, coder.run.start, coder.run.ready) == ("ready", 4711, 81234, True)
    assert (coder.settings.agent, coder.settings.may, coder.settings.log_cap_bytes) == (
        "claude_code", ["type"], 64 << 20,
    )  # fmt: skip
    assert (server.run.signal, server.run.exit_code, server.run.asked, server.run.number) == (15, None, True, 2)
    assert (server.planned.run_id, server.planned.status, server.runs) == ("d" * 32, "planned", 2)
    assert (server.restarts, server.streak, server.backoff_until) == (
        [1795000010.25, 1795000012.5], 2, 1_795_000_016_000,
    )  # fmt: skip
    assert server.settings.env == {"PORT": "5173", "CI": None}
    assert (server.settings.stop.signal, server.settings.stop.kill) == ("SIGINT", "group")
    assert (bare.workspace, bare.desired, bare.removed, bare.auto_start_on_restore) == (None, "down", True, True)
    assert [event.name for event in store.events_since(0)] == ["workspace.created", "process.backoff"]
    assert store.find_key("k-1").reply == {"WorkspaceCreated": {}}
    assert [row.key for row in store.unanswered_keys()] == ["k-2"]
    assert store.tombstones() == ["old/log"]


def test_a_new_database_has_the_newest_schema(store, path):
    connection = connect(path, read_only=True)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == migrations()[-1][0]
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.close()


def test_the_steps_are_numbered_without_gaps():
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_newer_schema_is_left_alone(path, turns):
    write(path, "PRAGMA user_version=9999;")
    before = Path(path).read_bytes()
    with pytest.raises(RequestError, match="install the newer version") as caught:
        Store.open(path, turns.wake)
    assert (caught.value.code, caught.value.data["schema"]) == ("store.newer", 9999)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == 9999
    connection.close()
    assert len(Path(path).read_bytes()) == len(before)


def test_each_step_is_all_or_nothing(path, turns, tmp_path, monkeypatch):
    steps = shutil.copytree(Path(database._MIGRATIONS), tmp_path / "steps")
    (steps / "0101_view.sql").write_text("-- a comment; with a semicolon\nCREATE VIEW seen AS SELECT 1 AS one;\n")
    (steps / "0102_rows.py").write_text(
        "def migrate(connection):\n    connection.execute(\"INSERT INTO meta VALUES ('third', 'yes')\")\n"
    )
    (steps / "0103_broken.sql").write_text("CREATE TABLE half (x);\nCREATE nonsense;\n")
    monkeypatch.setattr(database, "_MIGRATIONS", str(steps))
    with pytest.raises(RequestError) as caught:
        Store.open(path, turns.wake)
    assert caught.value.code == "internal.bug"
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == 102
    assert connection.execute("SELECT one FROM seen").fetchone()[0] == 1
    assert connection.execute("SELECT value FROM meta WHERE name = 'third'").fetchone()[0] == "yes"
    assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchall()
    connection.close()


def damage_header(path: str) -> None:
    Path(path).write_bytes(b"not a database at all" * 100)


def damage_middle(path: str) -> None:
    content = bytearray(Path(path).read_bytes())
    content[4096:12288] = b"\xff" * 8192
    Path(path).write_bytes(content)


def damage_end(path: str) -> None:
    """Break pages of the journal, which the hub's start does not read."""
    content = bytearray(Path(path).read_bytes())
    content[-8192:] = b"\xff" * 8192
    Path(path).write_bytes(content)


@pytest.mark.parametrize("damage", [damage_header, damage_middle, damage_end])
def test_a_damaged_database_is_set_aside_and_said(store, path, reopened, turns, make_process, event_after, damage):
    process = make_process()
    store.put_process(process)
    for _ in range(500):
        store.append_event(event_after(store, filler="x" * 200))
    store.close()
    damage(path)
    broken = Path(path).read_bytes()
    new = reopened(clock=lambda: 1_795_000_000_000)
    assert new.set_aside == f"{path}.corrupt-20261118T110640Z"
    assert Path(new.set_aside).read_bytes() == broken
    assert new.epoch != store.epoch
    assert new.load().processes == {}
    new.put_process(process)
    turns.settle(new)
    assert list(new.load().processes) == [process.process_id]


def test_a_place_where_no_file_can_be_is_an_error_that_says_so(tmp_path, turns):
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="cannot be opened") as caught:
        Store.open(str(tmp_path / "file" / "state.db"), turns.wake)
    assert caught.value.code == "store.read_only"


@pytest.mark.parametrize(
    ("primary", "code"),
    [
        (sqlite3.SQLITE_FULL, "disk.full"),
        (sqlite3.SQLITE_READONLY, "store.read_only"),
        (sqlite3.SQLITE_IOERR_WRITE, "store.read_only"),
        (sqlite3.SQLITE_CORRUPT, "store.read_only"),
        (sqlite3.SQLITE_CONSTRAINT, "internal.bug"),
    ],
)
def test_each_failure_has_a_code(primary, code):
    error = sqlite3.OperationalError("words")
    error.sqlite_errorcode = primary
    assert explain(error, "/x/state.db").code == code
