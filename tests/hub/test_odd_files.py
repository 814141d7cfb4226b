"""A hub starts and writes its files whatever lies in their places; folders are kept, and what matters is said."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.daemon import Daemon, running_daemon
from tests.support.views import add
from tests.support.waiting import until
from wezparallel import regular
from wezparallel.errors import RequestError
from wezparallel.hub.state import snapshot_files

KEYS = "ui: { keybindings: { create_workspace: ctrl+shift+n } }\n"
SNAPSHOT = "20200101T000000.000Z.yaml"


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()
    (path / "kept").touch()


def plug(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        here = os.open(path.parent, os.O_RDONLY)  # the whole path may be too long for a socket
        try:
            sock.bind(f"/proc/self/fd/{here}/{path.name}")
        finally:
            os.close(here)


def dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere" / "at all")


def circle(path: Path) -> None:
    path.symlink_to(path)


def unreadable(path: Path) -> None:
    path.write_text("{}")
    path.chmod(0)


ODD = [pipe, folder, plug, dangling, circle, unreadable]
Odd = Callable[[Path], None]


def places(home: Path) -> tuple[Path, Path]:
    state, config = home / "state" / "wezterm-parallel", home / "config" / "wezterm-parallel"
    for made in (state / "snapshots", config):
        made.mkdir(parents=True)
    return state, config


def said(daemon: Daemon, words: str) -> int:
    return (daemon.home / "state" / "wezterm-parallel" / "hub.log").read_text().count(words)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd.__name__))
def test_a_hub_starts_and_writes_over_what_is_no_file(tmp_path: Path, odd: Odd) -> None:
    state, config = places(tmp_path)
    (config / "config.yaml").write_text(KEYS)
    files = [state / "gui.json", config / "keys.json", config / "workspaces.json"]
    for path in files:
        odd(path)
        if odd is not folder:
            odd(Path(f"{path}.new"))
    odd(state / "snapshots" / SNAPSHOT)
    with running_daemon(tmp_path) as daemon:
        add(daemon, "a")
        for path in files:
            until(lambda path=path: path.is_file() and not path.is_symlink(), 10, f"{path.name}")  # type: ignore[misc]
            assert json.loads(path.read_text()), path
        assert "create_workspace" in files[1].read_text()
        until(lambda: '"a"' in (config / "workspaces.json").read_text(), 10, "the process")
        written = daemon.call("SnapshotExport")["snapshot"]
        listed = [one["snapshot"] for one in daemon.call("SnapshotList")["snapshots"]]
        assert written["snapshot"] in listed
        if odd in (pipe, folder, plug):
            assert SNAPSHOT.removesuffix(".yaml") not in listed
            assert said(daemon, "snapshot.unreadable") == 1
        if odd is folder:
            assert len([*state.glob("gui.json.*/kept"), *config.glob("*.json.*/kept")]) == 3
            assert said(daemon, "folder.in_the_way") == 2
    assert "Traceback" not in (state / "hub.log").read_text()


@pytest.mark.parametrize("odd", [pipe, folder, plug], ids=lambda odd: str(odd.__name__))
def test_a_database_that_is_no_file_is_set_aside_as_a_damaged_one_is(tmp_path: Path, odd: Odd) -> None:
    state, _ = places(tmp_path)
    odd(state / "state.db")
    for suffix in ("-wal", "-shm", "-journal"):
        odd(state / f"state.db{suffix}")
    with running_daemon(tmp_path) as daemon:
        add(daemon, "a")
        assert (state / "state.db").is_file()
        assert said(daemon, "database.set_aside") == 1
        assert len(list(state.glob("state.db.corrupt-*"))) == 1


def test_a_good_database_is_kept_where_something_lies_in_the_place_of_its_journal(tmp_path: Path) -> None:
    state, _ = places(tmp_path)
    with running_daemon(tmp_path) as daemon:
        add(daemon, "a")
        epoch = daemon.call("Status")["epoch"]
    (tmp_path / "failpoints").rmdir()
    for suffix in ("-wal", "-shm", "-journal"):
        assert not (state / f"state.db{suffix}").exists()
        os.mkfifo(state / f"state.db{suffix}")
    with running_daemon(tmp_path) as daemon:
        assert daemon.call("Status")["epoch"] == epoch
        assert daemon.call("ProcessGet", process="a")


def test_a_pipe_that_somebody_writes_to_is_no_snapshot(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    held = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        with pytest.raises(RequestError, match="not a regular file"):
            snapshot_files.text_of(str(tmp_path / "pipe"))
    finally:
        os.close(held)


def test_what_is_put_aside_takes_the_place_of_nothing(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / "x").write_text(str(number))
        regular.put_aside(str(tmp_path / "x"), "old")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "x.old": "0", "x.old-2": "1", "x.old-3": "2",
    }  # fmt: skip
