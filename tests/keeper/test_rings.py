"""Output that is not on disk: because it is not to be, or because the disk takes nothing. Nobody is blind."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_hub import FakeHub, RefusedError
from tests.support.viewing import HeldKeeper, Pane, held_keeper
from tests.support.waiting import until
from wezparallel.client.frames import FROM_START, FramesViewer
from wezparallel.keeper import messages as m
from wezparallel.wire import frames
from wezparallel.wire.logformat import DELETED, LOST, STDERR, STDOUT, TTY
from wezparallel.wire.logreader import LogReader

TINY = 1  # bytes that a file may have when the disk is full: less than one record of an index


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldKeeper]:
    with held_keeper(tmp_path) as keeper:
        yield keeper


@contextmanager
def full_disk(held: HeldKeeper) -> Iterator[None]:
    """Let the keeper's files grow no more."""
    before = resource.prlimit(held.process.pid, resource.RLIMIT_FSIZE, (TINY, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(held.process.pid, resource.RLIMIT_FSIZE, before)


def connect(held: HeldKeeper, process_id: str, offset: int = -1) -> FramesViewer:
    return FramesViewer.connect(process_id, offset, path=held.socket)


def take(viewer: FramesViewer, end: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """Read up to some bytes; return all of them, and what else came: kind and count."""
    data, others = b"", []
    for kind, count, _, piece, _ in viewer:
        if kind == frames.DATA:
            data += piece
            if data.endswith(end):
                return data, others
        elif kind != frames.RESIZE:
            others.append((kind, count))
    raise AssertionError(f"the viewer ended after {data[-99:]!r} and {others}")


def folder(held: HeldKeeper, process_id: str) -> Path:
    return held.home / "state" / "wezterm-parallel" / "logs" / process_id.replace("/", "%2F")


def stored(held: HeldKeeper, process_id: str) -> list[tuple[int, Any]]:
    """Return what is on disk: output joined by kind, losses and deletions with their length."""
    reader = LogReader(os, str(folder(held, process_id)))
    told: list[tuple[int, Any]] = []
    for chunk in reader.chunks(0):
        if chunk.kind in {STDOUT, STDERR, TTY}:
            if told and told[-1][0] == chunk.kind:
                told[-1] = (chunk.kind, told[-1][1] + chunk.data)
            else:
                told.append((chunk.kind, chunk.data))
        elif chunk.kind == LOST:
            told.append((LOST, chunk.values[0]))
        elif chunk.kind == DELETED:
            told.append((DELETED, chunk.values[1] - chunk.values[0]))
    reader.close()
    return told


def cat(hub: FakeHub, **fields: Any) -> dict[str, Any]:
    return hub.spawn(["cat"], process_id="t/cat", **fields)


def say(hub: FakeHub, viewer: FramesViewer, text: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """Have the cat print something; return when the viewer has it."""
    hub.write("t/cat", text)
    return take(viewer, text)


# A full disk


def test_a_full_disk_blinds_nobody_and_the_loss_is_told_when_space_returns(held: HeldKeeper) -> None:
    hub = held.hub
    cat(hub)
    with connect(held, "t/cat") as viewer:
        say(hub, viewer, b"before\n")
        with full_disk(held):
            assert say(hub, viewer, b"during\n") == (b"during\n", [])
            with connect(held, "t/cat", FROM_START) as late:
                assert take(late, b"during\n") == (b"before\nduring\n", [])
            assert say(hub, viewer, b"still\n") == (b"still\n", [])
        until(lambda: say(hub, viewer, b"after\n") == (b"after\n", []) and folder_has(held, b"after"), 10, "the disk")
        with connect(held, "t/cat", FROM_START) as late:
            data, others = take(late, b"after\n")
            assert data.startswith(b"before\nduring\nstill\n")
            assert others == []
    told = stored(held, "t/cat")
    assert [kind for kind, _ in told] == [STDOUT, LOST, STDOUT]
    assert told[0][1] == b"before\n"
    assert told[1][1] >= len(b"during\nstill\n")
    lost = sum(event["bytes"] for event in hub.events if event["m"] == m.LOST)
    assert lost == told[1][1]


def folder_has(held: HeldKeeper, word: bytes) -> bool:
    return any(word in file.read_bytes() for file in folder(held, "t/cat").glob("*.log"))


def test_a_full_disk_blocks_no_flood_and_keeps_its_last_megabyte(held: HeldKeeper) -> None:
    hub = held.hub
    cat(hub)
    with connect(held, "t/cat") as viewer, full_disk(held):
        run = hub.spawn(["sh", "-c", "seq 1 500000; exec sleep 600"], process_id="t/flood")
        until(lambda: bool(run) and held_has(held, b"500000\n"), 20, "the flood's end in the ring")
        say(hub, viewer, b"others go on\n")


def held_has(held: HeldKeeper, end: bytes) -> bool:
    with FramesViewer.connect("t/flood", FROM_START, path=held.socket, gapless=False) as viewer:
        welcome = viewer.welcome
        if welcome.end < 3_000_000:
            return False
        return take(viewer, end)[0].endswith(end)


def test_a_viewer_that_comes_back_to_a_loss_is_told_how_much_it_missed(held: HeldKeeper) -> None:
    hub = held.hub
    cat(hub)
    with connect(held, "t/cat") as viewer:
        say(hub, viewer, b"before\n")
        with full_disk(held):
            flood = b"x" * 1023 + b"\n"
            for _ in range(3 * 15):
                hub.write("t/cat", flood * 60)  # what a pipe takes, however busy its reader is
                take(viewer, flood)
        until(lambda: bool(say(hub, viewer, b"after\n")) and folder_has(held, b"after"), 10, "the disk")
    with connect(held, "t/cat", FROM_START) as late:
        data, others = take(late, b"after\n")
    assert data.startswith(b"before\n")
    [(kind, count)] = others
    assert kind == frames.LOST
    assert 0 < count < 3 * 900 * 1024
    assert len(data) + count == late.offset


def test_attach_paints_from_the_ring_while_the_disk_is_full(held: HeldKeeper, pane: Pane) -> None:
    hub = held.hub
    hub.spawn(["sh", "-c", "stty -echo; echo ready; exec cat"], process_id="t/cat", tty=True)
    with connect(held, "t/cat", FROM_START) as viewer:
        take(viewer, b"ready\r\n")
        with full_disk(held):
            hub.write("t/cat", b"painted\n")
            take(viewer, b"painted\r\n")
            pane.attach(held, "t/cat")
            seen = pane.expect(b"painted")
            assert b"ready" in seen
            pane.type(b"live\n")
            pane.expect(b"live")


def test_marks_that_a_full_disk_did_not_take_follow(held: HeldKeeper) -> None:
    hub = held.hub
    run = cat(hub)
    with connect(held, "t/cat") as viewer:
        say(hub, viewer, b"before\n")
        with full_disk(held):
            say(hub, viewer, b"during\n")
            hub.call(m.STOP, run_id=run["run_id"])
            hub.exited(run["run_id"])
            kinds = []
            for kind, *_ in viewer:
                kinds.append(kind)
                if kind == frames.EXITED:
                    break
    hub.run(["echo", "again"], process_id="t/cat")
    told = stored(held, "t/cat")
    assert told == [(STDOUT, b"before\n"), (LOST, 7), (STDOUT, b"again\n")]


# For real: a disk of a few pages. Only root may mount one, here or in a namespace of its own (`unshare -Urm`).


@pytest.fixture
def small(tmp_path: Path) -> Iterator[HeldKeeper]:
    """A keeper whose state is on a file system of its own, with room for little."""
    state = tmp_path / "state"
    state.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=96k", "none", state], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("may not mount a small disk: needs root or `unshare -Urm`")
    try:
        with held_keeper(tmp_path) as keeper:
            yield keeper
    finally:
        subprocess.run(["umount", state], check=True)


def test_a_really_full_disk_blinds_nobody_over_an_upgrade_until_space_returns(small: HeldKeeper, pane: Pane) -> None:
    hub = small.hub
    cat(hub)
    ballast = small.home / "state" / "ballast"
    with connect(small, "t/cat") as viewer:
        say(hub, viewer, b"before\n")
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(1024)):
                pass
        line = b"x" * 1023 + b"\n"
        for _ in range(60):
            assert say(hub, viewer, line) == (line, [])
        say(hub, viewer, b"during\n")
    small.upgrade()
    pane.attach(small, "t/cat")
    pane.expect(b"during")
    with connect(small, "t/cat", FROM_START) as viewer:
        assert take(viewer, b"during\n") == (b"before\n" + line * 60 + b"during\n", [])
    ballast.unlink()
    with connect(small, "t/cat") as viewer:
        until(lambda: bool(say(hub, viewer, b"after\n")) and folder_has(small, b"after"), 10, "the disk")
    told = stored(small, "t/cat")
    assert [kind for kind, _ in told] == [STDOUT, LOST, STDOUT]
    with connect(small, "t/cat") as viewer:
        assert sum(len(word) if kind == STDOUT else word for kind, word in told) == viewer.offset


# A folder that somebody deletes


def test_a_log_folder_deleted_under_the_keepers_feet_comes_back(held: HeldKeeper) -> None:
    hub = held.hub
    cat(hub)
    with connect(held, "t/cat") as viewer:
        say(hub, viewer, b"before\n")
    shutil.rmtree(folder(held, "t/cat"))
    until(lambda: bool(hub.write("t/cat", b"again\n")) and folder(held, "t/cat").exists(), 10, "a new folder")
    with connect(held, "t/cat") as viewer:
        say(hub, viewer, b"after\n")
    assert stored(held, "t/cat")[-1][1].endswith(b"after\n")


# Not for the disk


@pytest.mark.parametrize("log", ["memory", "off"])
def test_viewers_see_what_is_not_for_the_disk(held: HeldKeeper, pane: Pane, log: str) -> None:
    hub = held.hub
    hub.spawn(["sh", "-c", "stty -echo; echo sec''ret; exec cat"], process_id="t/cat", tty=True, log=log)
    with connect(held, "t/cat", FROM_START) as viewer:
        take(viewer, b"secret\r\n")
        pane.attach(held, "t/cat")
        pane.expect(b"secret")
        pane.type(b"li''ve\n")
        take(viewer, b"li''ve\r\n")
    held.upgrade()
    with connect(held, "t/cat", FROM_START) as viewer:
        assert take(viewer, b"li''ve\r\n") == (b"secret\r\nli''ve\r\n", [])
    files = [file for file in (held.home / "state").rglob("*") if file.is_file()]
    assert not [file for file in files if b"secret" in file.read_bytes()]
    assert not folder(held, "t/cat").exists()


def test_a_process_changes_its_kind_by_a_restart_and_offsets_go_on(held: HeldKeeper) -> None:
    hub = held.hub
    ends = []
    for log, word in [("disk", "one"), ("memory", "two"), ("off", "three"), ("disk", "four")]:
        ends.append(hub.run(["echo", word], process_id="t/x", log=log)["offset"])
    assert ends == [4, 8, 14, 19]
    assert stored(held, "t/x") == [(STDOUT, b"one\n"), (DELETED, 10), (STDOUT, b"four\n")]
    with connect(held, "t/x", FROM_START) as viewer:
        assert take(viewer, b"four\n")[0] == b"one\ntwo\nthree\nfour\n"
    hub.call(m.FORGET, process_id="t/x")
    assert not folder(held, "t/x").exists()
    hub.call(m.RESERVE, process_id="t/x")
    with connect(held, "t/x", FROM_START) as viewer:
        assert viewer.welcome.end == 0


def test_streams_are_apart_in_memory_too(held: HeldKeeper) -> None:
    held.hub.run(["sh", "-c", "echo a; sleep 0.05; echo b >&2; sleep 0.05; echo c"], process_id="t/s", log="memory")
    with connect(held, "t/s", FROM_START) as viewer:
        seen = []
        for kind, _, stream, data, _ in viewer:
            if kind == frames.DATA:
                seen.append((stream, data))
            if data == b"c\n":
                break
    assert seen == [(STDOUT, b"a\n"), (STDERR, b"b\n"), (STDOUT, b"c\n")]


# Caps without a hub


@pytest.mark.parametrize("later", [False, True])
def test_the_cap_holds_though_no_hub_is_there(held: HeldKeeper, *, later: bool) -> None:
    cap = 1 << 20
    hub = held.hub
    code = (
        "import os, sys\nsys.stdin.read(1)\n"
        "for i in range(64): os.write(1, b'%07d\\n' % i * 8192)\n"
        "os.write(1, b'end\\n')"
    )
    run = hub.spawn([sys.executable, "-IS", "-c", code], process_id="t/flood", log_cap=cap * (16 if later else 1))
    if later:
        hub.call(m.LOG_CAP, process_id="t/flood", bytes=cap)
    hub.write("t/flood", b"\n")
    hub.close()
    with connect(held, "t/flood", FROM_START) as viewer:
        for kind, *_ in viewer:
            if kind in {frames.EXITED, frames.LOST}:
                break
    until(lambda: stored(held, "t/flood")[-1][1].endswith(b"end\n"), 20, f"the end of {run['run_id']}")
    assert sum(file.stat().st_size for file in folder(held, "t/flood").iterdir()) <= cap
    told = stored(held, "t/flood")
    assert [kind for kind, _ in told] == [DELETED, STDOUT]
    assert told[0][1] + len(told[1][1]) == 64 * 65536 + 4
    assert told[1][1].endswith(b"0000063\nend\n")


def test_a_log_that_cannot_be_opened_refuses_by_name(held: HeldKeeper) -> None:
    logs = held.home / "state" / "wezterm-parallel" / "logs"
    logs.parent.mkdir(parents=True, exist_ok=True)
    if logs.exists():
        logs.rmdir()
    logs.write_text("no folder")
    with pytest.raises(RefusedError) as refused:
        held.hub.spawn(["true"], process_id="t/x")
    assert refused.value.code == "disk.full"
    assert "t/x" in refused.value.message["message"]
