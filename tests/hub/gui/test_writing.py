"""The writer alone: it writes what is committed, once, and tells who waits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from wezparallel.hub.comms import server
from wezparallel.hub.gui.writing import MOST_WAITING, Writer, left_by_another
from wezparallel.hub.state.store import Store

NOW = 1_795_521_600_000


class Written:
    """A writer beside a real store, and what it is given to write."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.path = folder / "gui.json"
        self.content: dict[str, Any] = {"value": 0}
        self.writer = Writer(str(self.path), self.build, store, lambda: NOW)

    def build(self, written_at: str) -> dict[str, Any]:
        """Return what is to be written."""
        parts: dict[str, list[object]] = {"templates": [], "workspaces": [], "loose": [], "waiting": []}
        return {"written_at": written_at, **self.content, **parts}

    async def settled(self) -> None:
        """Wait until a change of now has been looked at."""
        done = anyio.Event()
        self.writer.when_written(self.writer.changed(), done.set)
        with anyio.fail_after(10):
            await done.wait()

    def read(self) -> dict[str, Any]:
        """Return what the file says."""
        found: dict[str, Any] = json.loads(self.path.read_bytes())
        return found


async def _run(folder: Path, steps: Any) -> None:
    store = Store.open(str(folder / "state.db"), server.thread_waker(), soon=server.soon())
    try:
        async with anyio.create_task_group() as tasks:
            written = Written(folder, store)
            tasks.start_soon(written.writer.run)
            await steps(written)
            tasks.cancel_scope.cancel()
    finally:
        store.close()


def test_who_waits_for_a_disk_that_refuses_does_not_become_more_and_more(tmp_path: Path) -> None:
    async def steps(written: Written) -> None:
        written.path.mkdir()  # nothing can be renamed over it
        told: list[int] = []
        for number in range(MOST_WAITING + 2):
            written.writer.when_written(written.writer.changed(), lambda number=number: told.append(number))  # type: ignore[misc]
        assert told == [0, 1]

    anyio.run(_run, tmp_path, steps)


def test_what_says_nothing_new_is_not_written(tmp_path: Path) -> None:
    async def steps(written: Written) -> None:
        await written.settled()
        assert written.read() | {"templates": 0} == {
            "written_at": "2026-11-24T12:00:00.000Z", "value": 0, "templates": 0, "workspaces": [], "loose": [],
            "waiting": [],
        }  # fmt: skip
        before = written.path.stat()
        for _ in range(3):
            await written.settled()
        assert written.path.stat() == before
        assert written.writer.writes == 1
        written.content = {"value": 1}
        await written.settled()
        assert (written.read()["value"], written.writer.writes) == (1, 2)

    anyio.run(_run, tmp_path, steps)


def test_changes_in_one_moment_are_one_write(tmp_path: Path) -> None:
    async def steps(written: Written) -> None:
        await written.settled()
        for number in range(50):
            written.content = {"value": number}
            written.writer.changed()
        await written.settled()
        assert (written.read()["value"], written.writer.writes) == (49, 2)

    anyio.run(_run, tmp_path, steps)


def test_who_waits_for_what_stands_there_already_is_told_at_once(tmp_path: Path) -> None:
    async def steps(written: Written) -> None:
        change = written.writer.changed()
        await written.settled()
        told: list[int] = []
        written.writer.when_written(change, lambda: told.append(1))
        assert told == [1]

    anyio.run(_run, tmp_path, steps)


def test_a_value_that_looks_like_ours_is_left_as_it_is(tmp_path: Path) -> None:
    async def steps(written: Written) -> None:
        written.content = {"text": {"written_at": "@"}}
        await written.settled()
        assert written.read()["text"] == {"written_at": "@"}
        assert written.read()["written_at"].startswith("2026")

    anyio.run(_run, tmp_path, steps)


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_junk_that_lies_there_is_nothing(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "gui.json").write_bytes(junk)
    assert left_by_another(str(tmp_path / "gui.json")) is None
    assert left_by_another(str(tmp_path / "none.json")) is None


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "gui.json.new").symlink_to(tmp_path / "precious")

    async def steps(written: Written) -> None:
        with anyio.move_on_after(0.3):
            await written.settled()

    anyio.run(_run, tmp_path, steps)
    assert (tmp_path / "precious").read_text() == "kept"
