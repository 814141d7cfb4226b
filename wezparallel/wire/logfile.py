"""The one writer of a process's log (logformat.py). Pure: the file functions are handed in (`os` will do).

Only the keeper stands above it. Its speed is that of output itself: in the common case an append is one write.
"""

from __future__ import annotations

from wezparallel.wire.logformat import (
    CARRIED,
    DELETED,
    EXIT,
    EXIT_CODE,
    EXIT_SIGNAL,
    EXIT_UNKNOWN,
    LOST,
    RECORD,
    RESIZE,
    RUN,
    SEGMENT_BYTES,
    STDERR,
    STDOUT,
    STEP_MS,
    TTY,
    list_segments,
    read_index,
    run_values,
    segment_path,
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
    """

    def __init__(self, files: Files, directory: str, cap_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._files = files
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._cap = cap_bytes
        self._limit = self._limit_for(cap_bytes)
        self._segments: list[list[int]] = []
        """[first offset, bytes on disk with the index]; the last one's bytes are counted as they come"""
        self._full = False
        """whether the last segment takes no more"""
        self._index_bytes = 0
        self._log_fd = self._index_fd = -1
        self._room = 0
        self._stream = _NOTHING
        self._noted = self._due = 0
        """times of the last record that timed bytes, and of the next"""
        self._pending = bytearray()
        """records that are not written yet; may begin within a record"""
        self._lost = 0
        self._carried: dict[int, tuple[int, int]] = {}
        self.end = 0
        """next offset to be written"""
        self._load()

    @property
    def start(self) -> int:
        """The oldest offset that is still there."""
        return self._segments[0][0] if self._segments else self.end

    @property
    def newest(self) -> int:
        """The first offset of the newest segment; -1 when there is none."""
        return self._segments[-1][0] if self._segments else -1

    def append(self, stream: int, data: bytes | bytearray | memoryview, now_ms: Millis) -> int:
        """Append output; return how many bytes of it could not be written (its last ones; 0 when all is well)."""
        size = len(data)
        if (stream != self._stream or not self._noted <= now_ms < self._due) and not self._prepare(stream, now_ms):
            return self._lose(size)
        try:
            written = self._files.write(self._log_fd, data)
        except OSError:
            return self._lose(size)
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
        self._mark(RUN, self._carried[RUN], now_ms)

    def exit(self, code: int | None, signal: int | None, now_ms: Millis) -> None:
        """Mark that the run ended here; both None when nobody knows how."""
        if code is not None:
            values = (EXIT_CODE, code)
        else:
            values = (EXIT_UNKNOWN, 0) if signal is None else (EXIT_SIGNAL, signal)
        self._mark(EXIT, values, now_ms)

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
        from_offset = self.start
        while len(self._segments) > 1 and self._is_older(self._segments[0][0], before_ms) and self._drop_oldest():
            pass
        idle = len(self._segments) == 1 and self.end > self.start and self._is_older(self.start, before_ms)
        # The newest segment's name holds the next offset: an empty successor takes that over first.
        if idle and self._finish_segment() and self._open(now_ms):
            self._drop_oldest()
        self._note_deleted(from_offset, now_ms)

    def remove(self) -> None:
        """Unlink the whole log and its folder. Raises OSError when the file system refuses."""
        self.close()
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

    def close(self) -> None:
        """Write what is pending, if it can be written, and let go of the descriptors."""
        if self._lost and self._index_fd >= 0 and self._flush():
            self._note(LOST, (self._lost, 0), self._noted)
            self._lost = 0
        self._flush()
        for fd in (self._log_fd, self._index_fd):
            if fd >= 0:
                self._files.close(fd)
        self._log_fd = self._index_fd = -1
        self._stream = _NOTHING

    # Writing

    def _prepare(self, stream: int, now_ms: Millis) -> bool:
        """Write what must stand in the index before the stream's next bytes; return whether it does."""
        if self._log_fd < 0 and not self._open(now_ms):
            return False
        if not self._flush():
            return False
        if self._lost:
            self._note(LOST, (self._lost, 0), now_ms)
            self._lost = 0
        self._note(stream, (0, 0), now_ms)
        self._stream = stream
        self._noted = now_ms
        self._due = now_ms + STEP_MS
        return self._flush()

    def _append_rest(self, rest: memoryview, now_ms: Millis) -> int:
        while rest:
            try:
                written = self._files.write(self._log_fd, rest)
            except OSError:
                written = 0
            if not written:
                return self._lose(len(rest))
            self.end += written
            self._room -= written
            rest = rest[written:]
        if self._room <= 0:
            self._make_room(now_ms)
        return 0

    def _lose(self, size: int) -> int:
        self._lost += size
        self._due = 0  # so that the next append tells of the loss first
        return size

    def _mark(self, kind: int, values: tuple[int, int], now_ms: Millis) -> None:
        if self._log_fd < 0:
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
        index_fd = -1
        try:
            files.makedirs(self._directory, 0o700, True)
            index_fd = files.open(segment_path(self._directory, first, "idx"), flags, 0o600)
            self._log_fd = files.open(segment_path(self._directory, first, "log"), flags, 0o600)
        except OSError:
            if index_fd >= 0:
                files.close(index_fd)
            return False
        self._index_fd = index_fd
        if new:
            self._segments.append([first, 0])
            self._index_bytes = 0
            self._full = False
            waiting = bytes(self._pending)
            self._pending.clear()
            for kind, values in self._carried.items():
                self._note(kind | CARRIED, values, now_ms)
            self._pending += waiting
        self._trim(now_ms)
        return True

    def _total(self) -> int:
        self._segments[-1][1] = self.end - self._segments[-1][0] + self._index_bytes
        return sum(size for _, size in self._segments)

    def _make_room(self, now_ms: Millis) -> None:
        """Unlink the oldest segments while the log is above its cap, and end the newest when it is full."""
        self._trim(now_ms)
        first, size = self._segments[-1]
        if size >= self._limit and self.end > first:
            self._finish_segment()

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

    def _finish_segment(self) -> bool:
        """Let the next bytes begin a new segment, unless a record is half written here; return whether they do."""
        if not self._flush() and len(self._pending) % RECORD.size:
            return False
        self.close()
        self._full = True
        return True

    def _drop_oldest(self) -> bool:
        try:
            for suffix in ("log", "idx"):
                self._unlink(segment_path(self._directory, self._segments[0][0], suffix))
        except OSError:
            return False
        del self._segments[0]
        return True

    def _note_deleted(self, from_offset: int, now_ms: Millis) -> None:
        if self.start > from_offset:
            self._mark(DELETED, (from_offset, self.start), now_ms)

    def _unlink(self, path: str) -> None:
        try:
            self._files.unlink(path)
        except FileNotFoundError:
            return

    def _is_older(self, first: int, before_ms: Millis) -> bool:
        """Return whether the last record of a segment, and so its last byte, is older than that."""
        files = self._files
        try:
            fd = files.open(segment_path(self._directory, first, "idx"), files.O_RDONLY)
        except OSError:
            return False
        try:
            records = files.fstat(fd).st_size // RECORD.size
            last = files.pread(fd, RECORD.size, max(0, records - 1) * RECORD.size)
        finally:
            files.close(fd)
        return len(last) == RECORD.size and int(RECORD.unpack(last)[0]) + STEP_MS <= before_ms

    # Opening again

    def _load(self) -> None:
        """Find where the log ends, and repair what a crash of the machine left behind."""
        files = self._files
        firsts = list_segments(files, self._directory)
        if not firsts:
            return
        for first in firsts:
            self._segments.append([first, self._size(first, "log") + self._size(first, "idx")])
        self.end = firsts[-1] + self._size(firsts[-1], "log")
        self._repair_index(firsts[-1])
        self._total()
        self._room = self._limit - self._segments[-1][1]

    def _size(self, first: int, suffix: str) -> int:
        try:
            return self._files.stat(segment_path(self._directory, first, suffix)).st_size
        except FileNotFoundError:
            return 0

    def _repair_index(self, first: int) -> None:
        """Cut a torn record and records of bytes that never arrived; tell of bytes that no record tells of."""
        files = self._files
        fd = files.open(segment_path(self._directory, first, "idx"), files.O_RDWR | files.O_CREAT, 0o600)
        try:
            size = files.fstat(fd).st_size
            records = read_index(files, fd)
            known = False
            keep = 0
            for _, offset, kind, high, low in RECORD.iter_unpack(records):
                if offset > self.end:
                    break
                keep += RECORD.size
                known = known or kind in {STDOUT, STDERR, TTY}
                if kind & ~CARRIED in {RUN, RESIZE}:
                    self._carried[kind & ~CARRIED] = (high, low)
            if keep != size:
                files.ftruncate(fd, keep)
            self._index_bytes = keep
        finally:
            files.close(fd)
        if not known and self.end > first:
            changed = files.stat(segment_path(self._directory, first, "log")).st_mtime_ns // 1_000_000
            self._pending += RECORD.pack(changed, first, TTY, 0, 0)
