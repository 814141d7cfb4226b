"""Where a viewer stands in a process's log. It reads with `pread`, so no viewer has a queue and nobody waits for one.

The bytes come by wire/logreader.py. What they are (stdout or stderr, a resize, a loss) is followed in the index,
record by record: reading a segment's whole index for each chunk would make a viewer dearer than the output it shows.
"""

from __future__ import annotations

from collections import deque

from wezparallel.wire.logformat import LOST, RECORD, RESIZE, STREAMS, TTY, list_segments, segment_path
from wezparallel.wire.logreader import LogExpiredError, LogReader
from wezparallel.wire.terminal import Modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.log import ProcessLog

PIECE = 64 * 1024  # bytes of one read
MODES_FROM = 256 * 1024  # bytes before a lagging viewer's position that tell its modes
_RECORDS = RECORD.size * 1024


class Cursor:
    """One position in one log. `offset` is what was delivered; it moves by `advance` alone."""

    __slots__ = (
        "_files",
        "_hole_end",
        "_index_at",
        "_index_fd",
        "_log",
        "_marks",
        "_reader",
        "_segment",
        "offset",
        "stream",
    )

    def __init__(self, log: ProcessLog, offset: int) -> None:
        self._log = log
        self._files = log.files
        self._reader = LogReader(log.files, log.directory)
        self.offset = offset
        self.stream = TTY
        """Whose bytes `piece` gave last."""
        self._hole_end = 0
        """where the log goes on behind what a read could not find"""
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
        """Bytes at the cursor that are gone: deleted for the cap, or lost to a full disk (see `hole`)."""
        return max(0, self._log.start - self.offset, self.hole)

    @property
    def hole(self) -> int:
        """Bytes at the cursor that were lost, as a read has found; the log goes on behind them."""
        return max(0, self._hole_end - self.offset)

    def read(self, limit: int = PIECE) -> bytes:
        """Return the bytes at the cursor, whatever stream they are of; none at the end or when they are gone."""
        if self._files is not self._log.files:
            self._look_again()
        try:
            return self._reader.read(self.offset, min(limit, self.behind))
        except LogExpiredError as error:
            if self.offset >= self._log.start:
                self._hole_end = error.oldest
            return b""
        except OSError:
            self._hole_end = self._behind_broken()
            return b""

    def recent(self, size: int) -> bytes:
        """Return the bytes right before the cursor."""
        start = max(self._log.start, self.offset - size)
        try:
            return self._reader.read(start, self.offset - start)
        except (LogExpiredError, OSError):
            return b""

    def modes(self) -> Modes:
        """Return the modes of a terminal that was shown everything before the cursor."""
        if not self.behind:
            return self._log.modes
        modes = Modes()
        modes.feed(self.recent(MODES_FROM))
        return modes

    def piece(self, limit: int = PIECE) -> bytes:
        """Return bytes of one stream (see `stream`), up to the next mark."""
        limit = min(limit, self.behind)
        if self._files is not self._log.files:
            self._look_again()
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
        self._hole_end = 0
        self._segment = -1
        self._marks.clear()

    def close(self) -> None:
        """Let go of the descriptors."""
        self._reader.close()
        self._close_index()

    def _behind_broken(self) -> int:
        """Return where the log goes on behind a segment that the disk does not give back."""
        self._reader.close()
        try:
            firsts = list_segments(self._files, self._log.directory)
        except OSError:
            firsts = []
        return min([first for first in firsts if first > self.offset], default=self._log.writer.end)

    def _look_again(self) -> None:
        """Read by other files from now on: some of the log is in memory, or no longer."""
        self.close()
        self._files = self._log.files
        self._reader = LogReader(self._files, self._log.directory)
        self._segment = -1
        self._marks.clear()

    def _follow(self) -> None:
        """Take in the records up to the cursor, and know the next one behind it."""
        if self._segment < 0:
            self._find()
        while True:
            while self._marks and self._marks[0][0] <= self.offset and self._marks[0][1] in STREAMS:
                self.stream = self._marks.popleft()[1]
            if self._marks or not (self._fetch() or self._next_segment()):
                return

    def _find(self) -> None:
        """Open the index of the cursor's segment; what it tells of bytes before the cursor is no news."""
        try:
            firsts = [first for first in list_segments(self._files, self._log.directory) if first <= self.offset]
        except OSError:
            return
        if not firsts:
            return
        self._open(firsts[-1])
        while self._fetch():
            while self._marks and self._marks[0][0] < self.offset:
                _, kind, _, _ = self._marks.popleft()
                if kind in STREAMS:
                    self.stream = kind
            if self._marks:
                return

    def _next_segment(self) -> bool:
        if self._log.newest <= self._segment:
            return False
        try:
            following = [first for first in list_segments(self._files, self._log.directory) if first > self._segment]
        except OSError:
            return False
        if following:
            self._open(following[0])
        return bool(following)

    def _open(self, first: int) -> None:
        self._close_index()
        self._segment = first
        self._index_at = 0
        try:
            self._index_fd = self._files.open(segment_path(self._log.directory, first, "idx"), self._files.O_RDONLY)
        except OSError:
            self._index_fd = -1

    def _close_index(self) -> None:
        if self._index_fd >= 0:
            self._files.close(self._index_fd)
            self._index_fd = -1

    def _fetch(self) -> bool:
        """Read the next records of the open index; return whether there were any that matter."""
        while self._index_fd >= 0:
            try:
                data = self._files.pread(self._index_fd, _RECORDS, self._index_at)
            except OSError:
                return False  # a disk that gives nothing back; whose bytes follow is as before
            data = data[: len(data) - len(data) % RECORD.size]
            if not data:
                return False
            self._index_at += len(data)
            for _, offset, kind, high, low in RECORD.iter_unpack(data):
                if kind in STREAMS or kind in {RESIZE, LOST}:
                    self._marks.append((offset, kind, high, low))
            if self._marks:
                return True
        return False
