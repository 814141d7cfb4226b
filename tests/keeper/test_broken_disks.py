"""A disk that is really full, and one that really breaks, under everybody who can look: nobody is blind or waits.

Only root may make such disks, here or in a namespace of its own (`unshare -Urm`; a loop device needs real root). The
same faults by handed-in file functions are in tests/wire/test_logfile_faults.py, by limits in test_rings.py.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.handing import HandedTerminal, Relay
from tests.support.viewing import HeldKeeper, Pane, cat, held_keeper
from tests.support.waiting import until
from wezparallel.client.frames import FROM_START, FramesViewer
from wezparallel.keeper import messages as m
from wezparallel.wire import frames, hello
from wezparallel.wire.logformat import LOST
from wezparallel.wire.logreader import LogReader

FREEZE, THAW = 0xC0045877, 0xC0045878  # ioctls after the first of which every write waits for the second
SHUTDOWN = 0x8004587D  # ext4's ioctl after which the disk takes and gives nothing, as one that was pulled out
LINE = b"x" * 99 + b"\n"


def mount(*arguments: str | Path) -> bool:
    if shutil.which("mount") is None:
        return False
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@pytest.fixture
def full(tmp_path: Path) -> Iterator[HeldKeeper]:
    """A keeper on a disk of a few pages."""
    state = tmp_path / "state"
    state.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=96k", "none", state):
        pytest.skip("may not mount a small disk: needs root or `unshare -Urm`")
    try:
        with held_keeper(tmp_path) as keeper:
            yield keeper
    finally:
        subprocess.run(["umount", state], check=True)


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[HeldKeeper]:
    """A keeper on a disk that can be broken, see `disk_breaks`."""
    state, image = tmp_path / "state", tmp_path / "image"
    state.mkdir()
    with image.open("wb") as file:
        file.truncate(8 << 20)
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("there is no mkfs.ext4 to make a disk that can be broken")
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, capture_output=True)
    if not mount("-o", "loop", image, state):
        pytest.skip("may not mount a disk that can be broken: needs root and a loop device")
    try:
        with held_keeper(tmp_path) as keeper:
            yield keeper
    finally:
        subprocess.run(["umount", "-l", state], check=True)


def fill(keeper: HeldKeeper) -> Path:
    """Take all the space there is."""
    ballast = keeper.home / "state" / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(1024)):
            pass
    return ballast


def disk_breaks(keeper: HeldKeeper) -> None:
    """Have every later access to the disk fail with EIO."""
    fd = os.open(keeper.home / "state", os.O_RDONLY)
    try:
        fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", 0))
    except OSError:
        pytest.skip("this kernel's ext4 cannot be shut down")
    finally:
        os.close(fd)
    with pytest.raises(OSError, match="Input/output error"):
        os.open(keeper.home / "state" / "x", os.O_CREAT | os.O_WRONLY)


def disk_is_changed(keeper: HeldKeeper) -> None:
    """Put the disk in again."""
    state = keeper.home / "state"
    subprocess.run(["umount", "-l", state], check=True)
    again = keeper.home / "again"
    shutil.copyfile(keeper.home / "image", again)
    assert mount("-o", "loop", again, state)


class Audience:
    """Two terminals, a relay and a gapless reader of one process."""

    def __init__(self, keeper: HeldKeeper) -> None:
        self.first = HandedTerminal(keeper, "w/sh", offset=0)
        self.second = HandedTerminal(keeper, "w/sh", 30, 90, offset=0, flags=hello.GAPLESS)
        self.relay = Relay(keeper, "w/sh")
        self.reader = FramesViewer.connect("w/sh", FROM_START, path=keeper.socket)
        self.others: list[tuple[int, int]] = []
        """What the reader was told besides output: kind and count."""

    def see(self, text: bytes) -> None:
        """See that everybody sees it."""
        self.first.expect(text)
        self.second.expect(text)
        self.relay.expect(text)
        seen = b""
        while text not in seen:
            kind, count, _, data, _ = next(iter(self.reader))
            seen += data
            if kind not in {frames.DATA, frames.RESIZE}:
                self.others.append((kind, count))

    def go(self) -> None:
        """Take both terminals back and see that they are as they were."""
        for pane in (self.first, self.second):
            pane.ask_back()
            assert pane.attributes == pane.before

    def close(self) -> None:
        for one in (self.first, self.second, self.relay, self.reader):
            one.close()


@contextmanager
def audience(keeper: HeldKeeper) -> Iterator[Audience]:
    cat(keeper)
    until(lambda: b"ready" in keeper.log("w/sh"), 10, "the program")
    with closing(Audience(keeper)) as everybody:
        everybody.first.expect(b"ready")
        yield everybody


def stored(keeper: HeldKeeper) -> tuple[bytes, int]:
    """Return what is on disk, and how many bytes it says are lost."""
    reader = LogReader(os, str(keeper.home / "state" / "wezterm-parallel" / "logs" / "w%2Fsh"))
    with closing(reader):
        chunks = list(reader.chunks(0))
    kept = b"".join(chunk.data for chunk in chunks if chunk.data)
    return kept, sum(chunk.values[0] for chunk in chunks if chunk.kind == LOST)


def is_stored(keeper: HeldKeeper, text: bytes) -> bool:
    """Have the program print a text; tell whether one is on disk by now."""
    keeper.hub.write("w/sh", text)
    return text in keeper.log("w/sh")


def told_lost(keeper: HeldKeeper) -> int:
    keeper.hub.sync()
    return sum(event["bytes"] for event in keeper.hub.events if event["m"] == m.LOST)


def test_a_full_disk_blinds_nobody_and_every_lost_byte_is_counted(full: HeldKeeper, pane: Pane) -> None:
    with audience(full) as everybody:
        ballast = fill(full)
        full.hub.write("w/sh", LINE * 600 + b"nobody waits.")
        everybody.see(b"nobody waits.")
        everybody.first.type(b"typed while full.")
        everybody.see(b"typed while full.")
        # Who comes while the disk is full sees it, too, and goes as he came.
        pane.attach(full, "w/sh")
        pane.expect(b"typed while full.")
        pane.type(b"\x1c\x1c")
        assert pane.wait() == 0
        assert pane.attributes == pane.before
        ballast.unlink()
        until(lambda: is_stored(full, b"room again."), 20, "the disk, to take something again")
        everybody.see(b"room again.")
        everybody.go()
        assert everybody.others == []
        kept, lost = stored(full)
        assert lost == told_lost(full) > 0
        assert kept.startswith(b"ready")
        with FramesViewer.connect("w/sh", path=full.socket) as late:
            assert len(kept) + lost == late.welcome.end


def test_a_disk_that_stalls_holds_up_and_loses_nothing(broken: HeldKeeper) -> None:
    with audience(broken) as everybody:
        fd = os.open(broken.home / "state", os.O_RDONLY)
        fcntl.ioctl(fd, FREEZE, bytes(4))
        try:
            everybody.first.type(b"typed while it stalls.")
            until(lambda: waits_for_the_disk(broken), 10, "the keeper at its log")
        finally:
            fcntl.ioctl(fd, THAW, bytes(4))
            os.close(fd)
        everybody.see(b"typed while it stalls.")
        everybody.go()
        assert everybody.others == []
        assert stored(broken) == (b"readytyped while it stalls.", 0)


def waits_for_the_disk(keeper: HeldKeeper) -> bool:
    """Tell whether the keeper is in the state D."""
    return Path(f"/proc/{keeper.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "D"


def test_a_disk_that_breaks_blinds_nobody_and_every_lost_byte_is_counted(broken: HeldKeeper, pane: Pane) -> None:
    with audience(broken) as everybody:
        os.sync()
        disk_breaks(broken)
        broken.hub.write("w/sh", LINE * 600 + b"nobody waits.")
        everybody.see(b"nobody waits.")
        everybody.first.type(b"typed while broken.")
        everybody.see(b"typed while broken.")
        pane.attach(broken, "w/sh")
        pane.expect(b"typed while broken.")
        pane.type(b"\x1c\x1c")
        assert pane.wait() == 0
        assert pane.attributes == pane.before
        # A reader from the beginning is told what the disk does not give back, and goes on.
        with FramesViewer.connect("w/sh", FROM_START, path=broken.socket) as late:
            kinds, seen = [], b""
            while b"while broken." not in seen:
                kind, count, _, data, _ = next(iter(late))
                kinds.append((kind, count))
                seen += data
        assert (frames.LOST, len(b"ready")) in kinds
        disk_is_changed(broken)
        until(lambda: is_stored(broken, b"whole again."), 20, "the disk, to take something again")
        everybody.see(b"whole again.")
        everybody.go()
        assert everybody.others == []
        kept, lost = stored(broken)
        assert lost == told_lost(broken) > 0
        assert kept.endswith(b"whole again.")
