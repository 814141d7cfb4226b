"""The one writer of a process's log (logformat.py). Pure: the file functions are handed in (`os` will do).

Only the keeper stands above it. Its speed is that of output: in the common case an append is one write."""

from __future__ import annotations

from wezparallel.wire.logend import find_end, is_older
from wezparallel.wire.logformat import (
    CARRIED,
    DELETED,
    EXIT,
    LOST,
    RECORD,
    RESIZE,
    RUN,
    SEGMENT_BYTES,
    STEP_MS,
    STREAMS,
    exit_values,
    list_segments,
    run_values,
    segment_path,
    unlink_segment,
    write_all,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import Millis, RunId
    from wezparallel.wire.logformat import Files

_NOTHING = -1  # the stream of no bytes: the next append writes a record first
_MIN_SEGMENT = 4096
_MAX_PENDING = 64 * 1024  # bytes of records that wait for space; beyond it, only sizes are dropped


class LogWriter:
    """Appends one process's output, and keeps its log below the cap.

    Nothing here raises when the disk is full or broken, but the constructor: without knowing where the log ends
    it must not write. `close` only lets go of descriptors; the next append opens them again.

    Offsets count what could not be written, too: it is a hole between two segments, and the later one says how
    much was lost. So whoever saw the bytes pass elsewhere has the same offsets as the log.
    """

    def __init__(self, files: Files, directory: str, cap_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._files = files
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._cap = cap_bytes
        self._limit = self._limit_for(cap_bytes)
        found = find_end(files, directory)
        self._segments = found.sizes
        """[first offset, bytes on disk with the index]; the last one's bytes are counted as they come"""
        self._full = self._after_loss = False
        """whether the last segment takes no more, and whether it was opened after a loss"""
        self._index_bytes = found.index_bytes
        self._room = self._limit - self._segments[-1][1] if self._segments else 0
        self._log_fd = self._index_fd = -1
        self._stream = _NOTHING
        self._noted = self._due = 0
        """times of the last record that timed bytes, and of the next"""
        self._pending = bytearray(found.pending)
        """records that are not written yet; may begin within a record"""
        self._torn = b""
        """what is written already of the first pending record"""
        self.is_losing = False
        """the disk took nothing, last time"""
        self._hole = -1
        """where the bytes begin that are lost, or were before the newest segment"""
        self._told = b""
        """records that the newest segment got because they had to wait; they wait again if it takes nothing else"""
        self._failed_at = self._retry_at = 0
        self._carried = found.carried
        self.end = found.end
        """next offset to be written"""

    @property
    def start(self) -> int:
        """The oldest offset that is still there."""
        return self._segments[0][0] if self._segments else self.end

    @property
    def size(self) -> int:
        """Bytes on disk, indexes included."""
        return self._total() if self._segments else 0

    @property
    def newest(self) -> int:
        """The first offset of the newest segment; -1 when there is none."""
        return self._segments[-1][0] if self._segments else -1

    def append(self, stream: int, data: bytes | bytearray | memoryview, now_ms: Millis) -> int:
        """Append output; return how many bytes of it could not be written (its last ones; 0 when all is well)."""
        size = len(data)
        if (stream != self._stream or not self._noted <= now_ms < self._due) and not self._prepare(stream, now_ms):
            return self._lose(size, now_ms)
        try:
            written = self._files.write(self._log_fd, data)
        except OSError:
            return self._lose(size, now_ms)
        self.end += written
        self._room -= written
        if written < size:
            return self._append_rest(memoryview(data)[written:], now_ms)
        if self._room <= 0:
            self._make_room(now_ms)
        return 0

    def resize(self, rows: int, columns: int, now_ms: Millis) -> None:
        """Mark that the terminal has this size from here on."""
        self._carried[RESIZE] = (rows, columns)
        if len(self._pending) < _MAX_PENDING:
            self._mark(RESIZE, (rows, columns), now_ms)

    def run(self, run_id: RunId, now_ms: Millis) -> None:
        """Mark that a new run begins here."""
        self._carried[RUN] = run_values(run_id)
        self._retry_at = 0  # a full disk is tried again
        self._mark(RUN, self._carried[RUN], now_ms)

    def exit(self, code: int | None, signal: int | None, now_ms: Millis) -> None:
        """Mark that the run ended here; both None when nobody knows how."""
        self._mark(EXIT, exit_values(code, signal), now_ms)

    def set_cap(self, cap_bytes: int, now_ms: Millis) -> None:
        """Take another cap, at once."""
        self._cap = cap_bytes
        self._limit = self._limit_for(cap_bytes)
        if self._segments:
            self._make_room(now_ms)
            if self._full and self._total() > cap_bytes:
                self._open(now_ms)

    def expire(self, before_ms: Millis, now_ms: Millis) -> None:
        """Unlink the segments whose last byte is older than that."""
        while self._segments and is_older(self._files, self._path(0, "idx"), before_ms) and self.shed(now_ms):
            pass

    def shed(self, now_ms: Millis) -> bool:
        """Drop the oldest segment, be it the only one; return whether there was one with bytes, and is gone."""
        from_offset = self.start
        if self.end <= from_offset:
            return False
        if len(self._segments) < 2:
            # The newest segment's name holds the next offset: an empty successor takes that over first.
            self._end_segment()
            if not self._open(now_ms):
                return False
        is_gone = self.start > from_offset or self._drop_oldest()
        self._note_deleted(from_offset, now_ms)
        return is_gone

    def remove(self) -> None:
        """Unlink the whole log and its folder. Raises OSError when the file system refuses."""
        self._close()
        files = self._files
        try:
            names = files.listdir(self._directory)
            for name in names:
                files.unlink(f"{self._directory}/{name}")
            files.rmdir(self._directory)
        except FileNotFoundError:
            pass
        self._segments.clear()
        self._pending.clear()
        self._torn = b""
        self.is_losing = False

    def close(self) -> None:
        """Write what is pending, if it can be written, and let go of the descriptors."""
        if self.is_losing:
            self._open(max(self._noted, self._failed_at))
        self._flush()
        self._close()

    def skip(self, to_offset: int) -> None:
        """Go on at a later offset; what lies before it was never meant for this log."""
        if to_offset > self.end:
            self._end_segment()
            self.end = to_offset

    def carry(self) -> tuple[int, int, bytes] | None:
        """Return what only this program knows while the disk takes nothing, for `resume` in the next one."""
        return (self._hole, self.end, self._torn + bytes(self._pending)) if self.is_losing else None

    def resume(self, hole: int, end: int, pending: bytes) -> None:
        """Go on losing where an earlier program had to."""
        if hole >= self.end:
            self._end_segment()
            self.is_losing = True
            self._hole, self.end = hole, end
            self._pending[:0] = pending

    # Writing

    def _prepare(self, stream: int, now_ms: Millis) -> bool:
        """Write what must stand in the index before the stream's next bytes; return whether it does."""
        if self.is_losing and not self._recover(now_ms):
            return False
        if self._log_fd >= 0 and not self._files.fstat(self._log_fd).st_nlink:
            self._start_anew()
        if (self._log_fd < 0 and not self._open(now_ms)) or not self._flush():
            return False
        self._note(stream, (0, 0), now_ms)
        self._stream = stream
        self._noted = now_ms
        self._due = now_ms + STEP_MS
        return self._flush()

    def _start_anew(self) -> None:
        """Somebody has deleted the newest segment: go on in another, behind what he left."""
        self._end_segment()
        try:
            left = list_segments(self._files, self._directory)
        except OSError:
            left = []
        self._segments = [segment for segment in self._segments if segment[0] in left]

    def _append_rest(self, rest: memoryview, now_ms: Millis) -> int:
        while rest:
            try:
                written = self._files.write(self._log_fd, rest)
            except OSError:
                written = 0
            if not written:
                return self._lose(len(rest), now_ms)
            self.end += written
            self._room -= written
            rest = rest[written:]
        if self._room <= 0:
            self._make_room(now_ms)
        return 0

    def _lose(self, size: int, now_ms: Millis) -> int:
        if not self.is_losing:
            if self._after_loss and self._segments[-1][0] == self.end:
                self._give_up_newest(now_ms)
            else:
                self._hole = self.end
            self._end_segment()
            self.is_losing = True
        self.end += size
        return size

    def _give_up_newest(self, now_ms: Millis) -> None:
        """Take back a segment that was opened after a loss, and had room for its index alone."""
        self._close()
        unlink_segment(self._files, self._directory, self.end)
        del self._segments[-1]
        self._pending[:0] = self._told
        self._full = True
        self._failed_at, self._retry_at = now_ms, now_ms + STEP_MS

    def _recover(self, now_ms: Millis) -> bool:
        """Try whether the disk takes something again, now and then; return whether it does."""
        if self._failed_at <= now_ms < self._retry_at:
            return False
        if self._open(now_ms):
            return True
        self._failed_at, self._retry_at = now_ms, now_ms + STEP_MS
        return False

    def _mark(self, kind: int, values: tuple[int, int], now_ms: Millis) -> None:
        if self.is_losing:
            self._recover(now_ms)
        elif self._log_fd < 0:
            self._open(now_ms)
        self._note(kind, values, now_ms)
        self._flush()

    def _note(self, kind: int, values: tuple[int, int], now_ms: Millis) -> None:
        self._pending += RECORD.pack(now_ms, self.end, kind, *values)

    def _flush(self) -> bool:
        """Write the pending records; return whether none is left."""
        pending = self._pending
        while pending and self._index_fd >= 0:
            try:
                written = self._files.write(self._index_fd, pending)
            except OSError:
                written = 0
            if not written:
                break
            self._index_bytes += written
            self._room -= written
            torn = self._torn + pending[:written]
            self._torn = torn[len(torn) - len(torn) % RECORD.size :]
            del pending[:written]
        if pending:
            self._due = 0
        return not pending

    # Segments

    def _limit_for(self, cap_bytes: int) -> int:
        """Return where a segment ends: small caps need small segments, as only whole ones are unlinked."""
        return min(self._segment_bytes, max(cap_bytes // 4, _MIN_SEGMENT))

    def _open(self, now_ms: Millis) -> bool:
        """Open the last segment, or a new one when that is full; return whether it worked."""
        files = self._files
        new = self._full or not self._segments
        first = self.end if new else self._segments[-1][0]
        flags = files.O_WRONLY | files.O_APPEND | files.O_CREAT
        try:
            files.makedirs(self._directory, 0o700, True)
            self._index_fd = files.open(segment_path(self._directory, first, "idx"), flags, 0o600)
            self._log_fd = files.open(segment_path(self._directory, first, "log"), flags, 0o600)
        except OSError:
            self._close()
            if new:
                unlink_segment(self._files, self._directory, first)
            return False
        if new and not self._begin(first, now_ms):
            return False
        self._trim(now_ms)
        return True

    def _begin(self, first: int, now_ms: Millis) -> bool:
        """Write what a new segment's index begins with: all of it, or the segment does not come to be."""
        carried = CARRIED if self.is_losing else 0  # who saw the lost bytes pass saw these, too
        told = bytearray()
        for when, _, kind, high, low in RECORD.iter_unpack(self._torn + self._pending):
            if kind not in STREAMS:
                told += RECORD.pack(when, first, kind | carried, high, low)
        head = bytearray(told)
        if self.is_losing:
            head += RECORD.pack(now_ms, first, LOST | CARRIED, first - self._hole, 0)
        for kind, values in self._carried.items():
            head += RECORD.pack(now_ms, first, kind | CARRIED, *values)
        if not write_all(self._files, self._index_fd, head):
            self._close()
            unlink_segment(self._files, self._directory, first)
            return False
        self._after_loss = self.is_losing
        self._told = bytes(told)
        self._segments.append([first, 0])
        self._index_bytes = len(head)
        self._full = self.is_losing = False
        self._pending.clear()
        self._torn = b""
        return True

    def _close(self) -> None:
        for fd in (self._log_fd, self._index_fd):
            if fd >= 0:
                self._files.close(fd)
        self._log_fd = self._index_fd = -1
        self._stream = _NOTHING

    def _total(self) -> int:
        if not self._full:
            self._segments[-1][1] = self.end - self._segments[-1][0] + self._index_bytes
        return sum(size for _, size in self._segments)

    def _make_room(self, now_ms: Millis) -> None:
        """Unlink the oldest segments while the log is above its cap, and end the newest when it is full."""
        self._trim(now_ms)
        first, size = self._segments[-1]
        if size >= self._limit and self.end > first:
            self._end_segment()

    def _trim(self, now_ms: Millis) -> None:
        total = self._total()
        from_offset = self.start
        while total > self._cap and len(self._segments) > 1:
            size = self._segments[0][1]
            if not self._drop_oldest():
                break
            total -= size
        left = self._limit - self._segments[-1][1]
        self._room = min(left, self._cap - total) if total <= self._cap else left
        self._note_deleted(from_offset, now_ms)

    def _end_segment(self) -> None:
        """Let the next bytes begin a new segment; what is pending, a half written record too, goes there."""
        if self._full or not self._segments:
            return
        self._flush()
        self._total()
        self._close()
        self._pending[:0] = self._torn
        self._torn = b""
        self._full = True

    def _drop_oldest(self) -> bool:
        if not unlink_segment(self._files, self._directory, self._segments[0][0]):
            return False
        del self._segments[0]
        return True

    def _note_deleted(self, from_offset: int, now_ms: Millis) -> None:
        if self.start > from_offset:
            self._mark(DELETED, (from_offset, self.start), now_ms)

    def _path(self, at: int, suffix: str) -> str:
        return segment_path(self._directory, self._segments[at][0], suffix)
