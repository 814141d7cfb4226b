"""All logs share one room: above it the oldest output goes, whoever printed it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_hub import FakeHub
from tests.support.viewing import HeldKeeper, held_keeper
from tests.support.waiting import until
from wezparallel.keeper import messages as m

ROOM = 3 << 20
PIECE = 1_000_000
PRINTS = "import os, sys\nsys.stdin.read(1)\nfor _ in range({pieces}): os.write(1, b'x' * 999_999 + b'\\n')"


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldKeeper]:
    with held_keeper(tmp_path) as keeper:
        yield keeper


def prints(hub: FakeHub, process_id: str, pieces: int = 1) -> str:
    """Start what prints so much when a key is pressed; its segments hold a megabyte each."""
    argv = [sys.executable, "-IS", "-c", PRINTS.format(pieces=pieces)]
    run_id: str = hub.spawn(argv, process_id=process_id, log_cap=4 << 20)["run_id"]
    return run_id


def go(hub: FakeHub, process_id: str, run_id: str) -> None:
    hub.write(process_id, b"\n")
    hub.exited(run_id)


def on_disk(held: HeldKeeper) -> int:
    logs = held.home / "state" / "wezterm-parallel" / "logs"
    return sum(file.stat().st_size for file in logs.rglob("*") if file.is_file())


def segments(held: HeldKeeper, name: str) -> list[Path]:
    logs = held.home / "state" / "wezterm-parallel" / "logs"
    return sorted(file for file in logs.rglob("*.log") if name in file.parent.name)


@pytest.mark.parametrize("how", ["alone", "upgraded"])
def test_the_oldest_output_of_all_goes_though_no_hub_is_there(held: HeldKeeper, how: str) -> None:
    hub = held.hub
    hub.call(m.LOG_ROOM, bytes=ROOM)
    for process_id in ("t/first", "t/second"):
        go(hub, process_id, prints(hub, process_id))
    prints(hub, "t/third", pieces=2)
    if how == "upgraded":
        held.upgrade()
    held.hub.write("t/third", b"\n")
    held.hub.close()
    until(lambda: len(held.log("t/third")) == 2 * PIECE, 20, "the whole third log")
    until(lambda: on_disk(held) <= ROOM, 20, "room")
    assert held.log("t/first") == b""
    assert len(held.log("t/second")) == PIECE
    assert len(held.log("t/third")) == 2 * PIECE


def test_offsets_go_on_where_all_output_of_a_process_has_gone(held: HeldKeeper) -> None:
    hub = held.hub
    go(hub, "t/first", prints(hub, "t/first"))
    hub.call(m.LOG_ROOM, bytes=1000)
    until(lambda: on_disk(held) <= 1000, 20, "room")
    assert [file.name for file in segments(held, "first")] == [f"{PIECE:020d}.log"]
    assert hub.run(["echo", "new"], process_id="t/first")["offset"] == PIECE + 4
    assert held.log("t/first") == b"new\n"


def test_many_empty_logs_hold_nothing_up(held: HeldKeeper) -> None:
    hub = held.hub
    for number in range(12):
        hub.run(["true"], process_id=f"t/quiet{number}")
    go(hub, "t/first", prints(hub, "t/first", pieces=2))
    hub.call(m.LOG_ROOM, bytes=PIECE)
    until(lambda: on_disk(held) <= PIECE, 20, "room")
    hub.sync()
