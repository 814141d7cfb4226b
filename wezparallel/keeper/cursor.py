"""Where a viewer stands in a process's log. It reads with `pread`, so no viewer has a queue and nobody waits for one.

The bytes come by wire/logreader.py. What they are (stdout or stderr, a resize, a loss) is followed in the index,
record by record: reading a segment's whole index for each chunk would make a viewer dearer than the output it shows.
"""

from __future__ import annotations

import os
from collections import deque

from wezparallel.wire.logformat import LOST, RECORD, RESIZE, STDERR, STDOUT, TTY, list_segments, segment_path
from wezparallel.wire.logreader import LogExpiredError, LogReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import cast

    from wezparallel.keeper.log import ProcessLog
    from wezparallel.wire.logformat import Files

    _FILES = cast("Files", os)
else:
    _FILES = os

PIECE = 64 * 1024  # bytes of one read
_STREAMS = (STDOUT, STDERR, TTY)
_RECORDS = RECORD.size * 1024


class Cursor:
    """One position in one log. `offset` is what was delivered; it moves by `advance` alone."""

    __slots__ = ("_index_at", "_index_fd", "_log", "_marks", "_reader", "_segment", "offset", "stream")

    def __init__(self, log: ProcessLog, offset: int) -> None:
        self._log = log
        self._reader = LogReader(_FILES, log.directory)
        self.offset = offset
        self.stream = TTY
        """Whose bytes `piece` gave last."""
        self._segment = -1
        self._index_fd = -1
        self._index_at = 0
        self._marks: deque[tuple[int, int, int, int]] = deque()
        """records ahead: offset, kind, two values"""

    @property
    def behind(self) -> int:
        """Bytes that were logged and not delivered."""
        return self._log.writer.end - self.offset

    @property
    def expired(self) -> int:
        """Bytes at the cursor that the cap has deleted."""
        return max(0, self._log.writer.start - self.offset)

    def read(self, limit: int = PIECE) -> bytes:
        """Return the bytes at the cursor, whatever stream they are of; none at the end or when they expired."""
        try:
            return self._reader.read(self.offset, min(limit, self.behind))
        except LogExpiredError:
            return b""

    def recent(self, size: int) -> bytes:
        """Return the bytes right before the cursor."""
        start = max(self._log.writer.start, self.offset - size)
        try:
            return self._reader.read(start, self.offset - start)
        except LogExpiredError:
            return b""

    def piece(self, limit: int = PIECE) -> bytes:
        """Return bytes of one stream (see `stream`), up to the next mark."""
        limit = min(limit, self.behind)
        self._follow()
        if self._marks:
            limit = min(limit, self._marks[0][0] - self.offset)
        return self.read(limit) if limit > 0 else b""

    def mark(self) -> tuple[int, tuple[int, int]] | None:
        """Return the resize or the loss that stands at the cursor, once each, as kind and values."""
        self._follow()
        if self._marks and self._marks[0][0] <= self.offset:
            _, kind, high, low = self._marks.popleft()
            return kind, (high, low)
        return None

    def advance(self, size: int) -> None:
        """Move on."""
        self.offset += size

    def jump(self, offset: int) -> None:
        """Go somewhere else."""
        self.offset = offset
        self._segment = -1
        self._marks.clear()

    def close(self) -> None:
        """Let go of the descriptors."""
        self._reader.close()
        self._close_index()

    def _follow(self) -> None:
        """Take in the records up to the cursor, and know the next one behind it."""
        if self._segment < 0:
            self._find()
        while True:
            while self._marks and self._marks[0][0] <= self.offset and self._marks[0][1] in _STREAMS:
                self.stream = self._marks.popleft()[1]
            if self._marks or not (self._fetch() or self._next_segment()):
                return

    def _find(self) -> None:
        """Open the index of the cursor's segment; what it tells of bytes before the cursor is no news."""
        firsts = [first for first in list_segments(_FILES, self._log.directory) if first <= self.offset]
        if not firsts:
            return
        self._open(firsts[-1])
        while self._fetch():
            while self._marks and self._marks[0][0] < self.offset:
                _, kind, _, _ = self._marks.popleft()
                if kind in _STREAMS:
                    self.stream = kind
            if self._marks:
                return

    def _next_segment(self) -> bool:
        if self._log.writer.newest <= self._segment:
            return False
        following = [first for first in list_segments(_FILES, self._log.directory) if first > self._segment]
        if following:
            self._open(following[0])
        return bool(following)

    def _open(self, first: int) -> None:
        self._close_index()
        self._segment = first
        self._index_at = 0
        try:
            self._index_fd = os.open(segment_path(self._log.directory, first, "idx"), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._index_fd = -1

    def _close_index(self) -> None:
        if self._index_fd >= 0:
            os.close(self._index_fd)
            self._index_fd = -1

    def _fetch(self) -> bool:
        """Read the next records of the open index; return whether there were any that matter."""
        while self._index_fd >= 0:
            data = os.pread(self._index_fd, _RECORDS, self._index_at)
            data = data[: len(data) - len(data) % RECORD.size]
            if not data:
                return False
            self._index_at += len(data)
            for _, offset, kind, high, low in RECORD.iter_unpack(data):
                if kind in _STREAMS or kind in {RESIZE, LOST}:
                    self._marks.append((offset, kind, high, low))
            if self._marks:
                return True
        return False
