"""One process's log as the keeper holds it: the writer of its segments and the modes of its terminal.

Whoever reads, logs: `processes.py` hands every chunk in here before a viewer is told. The format is wire/logfile.py,
the modes are wire/terminal.py; neither knows of files or clocks, so both are handed in. What is not meant for the
disk, or finds no room there, is in a ring (ring.py) at the same offsets.
"""

from __future__ import annotations

import base64
import os
import time

from wezparallel.keeper.ring import Ring
from wezparallel.wire.logfile import LogWriter
from wezparallel.wire.logformat import TTY, segment_path
from wezparallel.wire.logmemory import Beside
from wezparallel.wire.logreader import LogExpiredError, LogReader
from wezparallel.wire.terminal import Modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import cast

    from wezparallel.types import JsonObject, Millis, RunId
    from wezparallel.wire.logformat import Files

    _FILES = cast("Files", os)
else:
    _FILES = os

DEFAULT_CAP = 256 * 1024 * 1024
RECENT = 256 * 1024  # bytes that a terminal paints when it comes
SPARE = 8 * 1024 * 1024  # bytes after a loss, until nobody who has not jumped can want to read what was lost
DISK = "disk"
MEMORY = "memory"  # in a ring, and `logs` may read it; any other kind: in a ring for those who look at it


class ProcessLog:
    """Appends output and tracks the modes that a terminal would be in after it."""

    __slots__ = ("_disk", "_ring", "cap", "directory", "files", "kind", "modes", "writer")

    def __init__(self, directory: str, cap: int = DEFAULT_CAP) -> None:
        self.directory = directory
        self._disk = self.writer = LogWriter(_FILES, directory, cap)
        self._ring: Ring | None = None
        """of a log that is not on disk: all of it; else what the disk did not take, as long as it may be wanted"""
        self.files: Files = _FILES
        """by which all that there is of the log is read"""
        self.kind = DISK
        self.modes = Modes()
        self.cap = cap

    @property
    def start(self) -> int:
        """The oldest offset that a viewer may begin at."""
        if self._ring is None or self.kind != DISK:
            return self.writer.start
        return min(self.writer.start, self._ring.writer.start)

    @property
    def newest(self) -> int:
        """The first offset of the newest segment; -1 when there is none."""
        return self._disk.newest if self._ring is None else max(self._disk.newest, self._ring.writer.newest)

    @property
    def size(self) -> int:
        """Bytes on disk, the index included."""
        return self._disk.size

    @property
    def has_bytes(self) -> bool:
        """Whether any output is on disk."""
        return self._disk.end > self._disk.start

    @property
    def oldest_at(self) -> float:
        """When the oldest segment was last written to, in seconds since the epoch."""
        try:
            return os.stat(segment_path(self.directory, self._disk.start, "log")).st_mtime
        except OSError:
            return 0.0  # somebody has deleted it

    def shed(self) -> bool:
        """Drop the oldest segment; return whether one was there and is gone."""
        return self._disk.shed(now_ms())

    def append(self, stream: int, data: bytes) -> int:
        """Write output to the log; return how many of its last bytes could not be written."""
        now = now_ms()
        lost = self.writer.append(stream, data, now)
        if lost:
            self._spill(stream, data[len(data) - lost :], now)
        elif self._ring is not None and self.writer.end - self._ring.writer.end > SPARE:
            self._have(None)
        if stream == TTY:
            self.modes.feed(data)
        return lost

    def began(self, run_id: RunId, size: tuple[int, int, int, int] | None, kind: str = DISK) -> None:
        """Mark where a run begins, in which size, and where its output goes. The terminal is in its reset state."""
        self.modes = Modes()
        self._become(kind)
        self._mark("run", run_id)
        if size is not None:
            self.resized(size)

    def resized(self, size: tuple[int, int, int, int]) -> None:
        """Mark that the terminal has another size from here on."""
        self._mark("resize", size[0], size[1])

    def ended(self, code: int | None, signal: int | None) -> None:
        """Mark where a run ended."""
        self._mark("exit", code, signal)

    def rest(self) -> None:
        """Let go of the descriptors until the next output."""
        self.writer.close()

    def set_cap(self, cap: int) -> None:
        """Take another cap, at once."""
        self.cap = cap
        self._disk.set_cap(cap, now_ms())

    def expire(self, before: Millis) -> None:
        """Drop the segments that ended before that."""
        self._disk.expire(before, now_ms())

    def remove(self) -> None:
        """Remove all of it. Raises OSError when the file system refuses."""
        self._have(None)
        self._disk.remove()

    # What is not on disk

    def recent(self) -> bytes | None:
        """Return what a terminal paints when it comes; None if that is on disk, where it can read it."""
        ring, end = self._ring, self.writer.end
        if ring is None or (self.kind == DISK and ring.writer.end + RECENT < end):
            return None
        reader = LogReader(self.files, self.directory)
        try:
            start = max(reader.line_start_before(end, RECENT), self.start)
            return reader.read(start, end - start)
        except LogExpiredError:
            return b""
        except OSError:
            return self._recent_in_memory(ring)  # the disk does not give back what it took before
        finally:
            reader.close()

    def _recent_in_memory(self, ring: Ring) -> bytes:
        reader = LogReader(ring.files, self.directory)
        start = max(ring.writer.start, ring.writer.end - RECENT)
        try:
            return reader.read(start, ring.writer.end - start)
        finally:
            reader.close()

    def dump(self) -> bytes:
        """Return what there is in memory (logmemory.py)."""
        return self._ring.dump() if self._ring is not None else b""

    def carry(self) -> JsonObject:
        """Return what the program after this one cannot read from the disk."""
        losing = self._disk.carry()
        return {
            "kind": self.kind,
            "losing": losing and [losing[0], losing[1], base64.b64encode(losing[2]).decode()],
            "ring": None if self._ring is None else base64.b64encode(self._ring.dump()).decode(),
            "ring_end": 0 if self._ring is None else self._ring.writer.end,
        }

    def resume(self, carried: JsonObject) -> None:
        """Go on where the program before this one was."""
        losing, ring = carried.get("losing"), carried.get("ring")
        if losing:
            self._disk.resume(losing[0], losing[1], base64.b64decode(losing[2]))
        if ring is not None:
            self._have(Ring.load(self.directory, carried["ring_end"], base64.b64decode(ring)))
        self._become(carried.get("kind", DISK))

    def _become(self, kind: str) -> None:
        """Take another kind; offsets go on, and what the log was before stays until it is removed or expires."""
        if kind == self.kind:
            return
        end = self.writer.end
        self.kind = kind
        if kind == DISK:
            self._disk.skip(end)
            self.writer = self._disk
            return
        self._disk.close()
        if self._ring is None:
            self._have(Ring(self.directory, end))
        assert self._ring is not None
        self.writer = self._ring.writer
        self.writer.skip(end)

    def _spill(self, stream: int, data: bytes, now: Millis) -> None:
        if self._ring is None:
            self._have(Ring(self.directory, self.writer.end - len(data)))
        assert self._ring is not None
        self._ring.writer.skip(self.writer.end - len(data))
        self._ring.writer.append(stream, data, now)

    def _mark(self, name: str, *values: object) -> None:
        """Make a mark; while the disk takes nothing, who looks sees it in the ring."""
        now = now_ms()
        getattr(self.writer, name)(*values, now)
        if self._ring is not None and self.writer.is_losing:
            getattr(self._ring.writer, name)(*values, now)

    def _have(self, ring: Ring | None) -> None:
        self._ring = ring
        self.files = _FILES if ring is None else Beside(ring.files, _FILES)  # type: ignore[assignment]


def now_ms() -> Millis:
    """Return the wall clock in milliseconds: for records, never for delays."""
    return int(time.time() * 1000)
