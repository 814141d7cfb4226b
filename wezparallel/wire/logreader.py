"""The one reader of a process's log (logformat.py). Pure: the file functions are handed in (`os` will do).

Hub, attach, command line and the keeper's viewers read by it while the keeper writes and unlinks: an open reader
follows new segments, and says so when what it was asked for has expired. It holds two descriptors at most.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import namedtuple
from itertools import islice

from wezparallel.errors import WezparallelError
from wezparallel.wire.logformat import (
    CARRIED,
    DELETED,
    LOST,
    RECORD,
    RESIZE,
    RUN,
    STEP_MS,
    STREAMS,
    TTY,
    list_segments,
    read_index,
    segment_path,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import NamedTuple

    from wezparallel.types import Millis
    from wezparallel.wire.logformat import Files

    class Chunk(NamedTuple):
        """Output or a mark, with its place."""

        time_ms: Millis
        """when the newest record before it was written; output came at most STEP_MS later"""
        kind: int
        """STDOUT, STDERR, TTY with `data`; RESIZE, RUN, EXIT, LOST, DELETED with `values`"""
        offset: int
        data: bytes
        values: tuple[int, int]
else:
    Chunk = namedtuple("Chunk", "time_ms kind offset data values")

PIECE = 64 * 1024  # the most bytes of one chunk
_NO_VALUES = (0, 0)
_TOLD_BY_HOLES = frozenset((DELETED, DELETED | CARRIED, LOST | CARRIED))


class LogExpiredError(WezparallelError):
    """What was asked for has been deleted; `oldest` is where the log goes on."""

    code = "log.expired"

    def __init__(self, oldest: int) -> None:
        super().__init__(f"this output has expired; read from offset {oldest}", data={"oldest": oldest})
        self.oldest = oldest


class LogReader:
    """Reads one process's log. An absent log is an empty one."""

    def __init__(self, files: Files, directory: str) -> None:
        self._files = files
        self._directory = directory
        self._firsts: list[int] = []
        self._fds: dict[int, int] = {}

    @property
    def start(self) -> int:
        """The oldest offset that is still there."""
        if self._firsts:
            try:
                self._files.stat(segment_path(self._directory, self._firsts[0], "log"))
            except FileNotFoundError:
                self._list()
        else:
            self._list()
        return self._firsts[0] if self._firsts else 0

    @property
    def end(self) -> int:
        """The offset behind the last byte, of this moment."""
        while self._firsts or self._list():
            last = self._firsts[-1]
            fd = self._living_fd(last)
            if fd < 0:
                self._list()
                continue
            size = self._files.fstat(fd).st_size
            if size and self._fd(last + size) >= 0:
                self._firsts.append(last + size)
            elif self._list()[-1:] == [last]:  # else it goes on behind a hole
                return last + size
        return 0

    def read(self, offset: int, n: int) -> bytes:
        """Return at most n bytes from there on; fewer near the end, none at it. Raises LogExpiredError."""
        parts: list[bytes] = []
        while n > 0:
            data = self._read_one(offset, n, bool(parts))
            if not data:
                break
            parts.append(data)
            offset += len(data)
            n -= len(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def chunks(self, from_offset: int, to_offset: int | None = None) -> Iterator[Chunk]:
        """Yield output and marks in the order in which they came.

        Marks at `to_offset` belong to the next call; without one, everything there is now is yielded. Where
        bytes are missing stands a DELETED chunk, or LOST if a full disk did not take them, behind it what happened
        meanwhile, the run and size in force; nothing is raised.
        """
        end = self.end
        stop = end if to_offset is None else to_offset
        at = from_offset
        gap = False  # whether bytes are missing right before `at`
        while True:
            first, following = self._around(at)
            limit = stop if following is None else min(following, stop)
            last = following is None or following > stop
            if first is not None:
                for chunk in self._segment(first, (at, limit), gap, to_offset is None and last):
                    yield chunk
                    at = chunk.offset + len(chunk.data)
            gap = at < limit
            if gap:
                when, lost_from = self._loss_before(following)
                if at < lost_from:
                    yield Chunk(0, DELETED, at, b"", (at, min(lost_from, limit)))
                if lost_from < limit:
                    at = max(at, lost_from)
                    yield Chunk(when, LOST, at, b"", (limit - at, 0))
                at = limit
            if last or (at >= stop and to_offset is not None):
                return

    def state_at(self, offset: int) -> dict[int, tuple[int, int]]:
        """Return the values of RUN and RESIZE in force at an offset, by kind."""
        state: dict[int, tuple[int, int]] = {}
        first, _ = self._around(min(offset, self.end))
        if first is not None:
            for _, at, kind, high, low in self._records(first) or ():
                if at <= offset and kind & ~CARRIED in {RUN, RESIZE}:
                    state[kind & ~CARRIED] = (high, low)
        return state

    def runs(self) -> list[tuple[int, Millis, tuple[int, int]]]:
        """Return where and when each run begins that is still there, and its RUN values, oldest first."""
        found: list[tuple[int, Millis, tuple[int, int]]] = []
        for first in list(self._firsts or self._list()):
            for when, offset, kind, high, low in self._records(first) or ():
                if kind & ~CARRIED == RUN and (not found or found[-1][2] != (high, low)):
                    found.append((offset, when, (high, low)))
        return found

    def offset_at(self, time_ms: Millis) -> int:
        """Return an offset before which nothing is as young as that; at most STEP_MS of older output follow it."""
        end = self.end
        candidates: list[int] = []
        for first in reversed(self._firsts):
            candidates.append(first)
            if any(at + STEP_MS <= time_ms for at, *_ in islice(self._records(first) or (), 1)):
                break
        for first in reversed(candidates):
            for at, offset, kind, _, _ in self._records(first) or ():
                if at + STEP_MS > time_ms and kind in STREAMS:
                    return offset
        return end

    def tail_lines(self, n: int, stream: int | None = None, before: int | None = None) -> int:
        """Return where the last n lines begin, of one stream or of all together; `before` an offset."""
        at = end = self.end if before is None else min(before, self.end)
        if n <= 0:
            return end
        wanted = n
        opening = True
        for low, high in self._spans_backwards(end, stream):
            at = high
            while at > low:
                begin = max(low, at - PIECE)
                data = self._piece(begin, at - begin)
                if len(data) < at - begin:
                    return at
                if opening and data.endswith(b"\n"):
                    wanted += 1  # the newline that ends the last line begins none
                opening = False
                found = data.count(b"\n")
                if found >= wanted:
                    return begin + _nth_last_newline(data, wanted) + 1
                wanted -= found
                at = begin
        return at

    def line_start_before(self, end_offset: int, max_bytes: int) -> int:
        """Return the first line start within the last max_bytes before an offset, for a replay from there."""
        start = max(self.start, self._unbroken_before(end_offset))
        low = max(start, end_offset - max_bytes)
        if low == 0 or low >= end_offset:
            return low
        before = min(1, low - start)
        try:
            data = self.read(low - before, end_offset - low + before)
        except LogExpiredError:
            return self.line_start_before(end_offset, max_bytes)
        newline = data.find(b"\n", 0, -1)
        return low if newline < 0 else low - before + newline + 1

    def close(self) -> None:
        """Let go of the descriptors; the next call opens them again."""
        for fd in self._fds.values():
            self._files.close(fd)
        self._fds.clear()

    # Segments

    def _list(self) -> list[int]:
        self._firsts = list_segments(self._files, self._directory)
        for first in self._fds.keys() - set(self._firsts):
            self._files.close(self._fds.pop(first))
        return self._firsts

    def _fd(self, first: int) -> int:
        """Return the open segment, -1 when it does not exist."""
        fd = self._fds.get(first, -1)
        if fd >= 0:
            return fd
        try:
            fd = self._files.open(segment_path(self._directory, first, "log"), self._files.O_RDONLY)
        except FileNotFoundError:
            return -1
        if len(self._fds) > 1:
            self._files.close(self._fds.pop(min(self._fds)))
        self._fds[first] = fd
        return fd

    def _living_fd(self, first: int) -> int:
        """Return the open segment, -1 when it does not exist or was unlinked."""
        fd = self._fd(first)
        if fd >= 0 and not self._files.fstat(fd).st_nlink:
            self._files.close(self._fds.pop(first))
            return -1
        return fd

    def _around(self, offset: int) -> tuple[int | None, int | None]:
        """Return the first offsets of the segment that an offset lies in, if there is one, and of the next one."""
        while True:
            at = bisect_right(self._firsts, offset)
            following = self._firsts[at] if at < len(self._firsts) else None
            if at == 0:
                return None, following
            if self._living_fd(self._firsts[at - 1]) >= 0:
                return self._firsts[at - 1], following
            self._list()

    def _read_one(self, offset: int, n: int, is_rest: bool) -> bytes:
        """Read from one segment. Raises LogExpiredError, unless what is read is only the rest of something."""
        while self._firsts or self._list():
            at = bisect_right(self._firsts, offset)
            if at == 0:
                return _expired(self._firsts[0], is_rest)
            first = self._firsts[at - 1]
            fd = self._living_fd(first)
            if fd < 0:
                self._list()
                continue
            data = self._files.pread(fd, n, offset - first)
            if data:
                return data
            if at < len(self._firsts):
                return _expired(self._firsts[at], is_rest)
            if self.end <= offset:
                return b""
        return b""

    def _length(self, first: int) -> int:
        """Return the bytes of a segment, as many as any log has when it was unlinked meanwhile."""
        try:
            return self._files.stat(segment_path(self._directory, first, "log")).st_size
        except FileNotFoundError:
            return 1 << 62

    def _unbroken_before(self, offset: int) -> int:
        """Return the end of the last hole before an offset."""
        firsts = [first for first in self._firsts or self._list() if first < offset]
        for before, first in zip(firsts[-2::-1], firsts[:0:-1], strict=True):
            if before + self._length(before) < first:
                return first
        return 0

    def _piece(self, offset: int, n: int) -> bytes:
        try:
            return self.read(offset, n)
        except LogExpiredError:
            return b""

    # Index

    def _records(self, first: int) -> Iterator[tuple[int, int, int, int, int]] | None:
        """Return the records of a segment; None when it was unlinked meanwhile."""
        files = self._files
        try:
            fd = files.open(segment_path(self._directory, first, "idx"), files.O_RDONLY)
        except FileNotFoundError:
            # The log goes first: where it is left, the index alone was lost, and all of it counts as one stream.
            return iter(()) if first in list_segments(files, self._directory) else None
        try:
            return RECORD.iter_unpack(read_index(files, fd))
        finally:
            files.close(fd)

    def _segment(self, first: int, span: tuple[int, int], with_carried: bool, open_end: bool) -> Iterator[Chunk]:
        """Yield what one segment holds between two offsets; ends early where bytes are missing."""
        begin, limit = span
        at = begin
        records = self._records(first)
        if records is None:
            return
        stream, time_ms = TTY, 0
        for when, offset, kind, high, low in records:
            if offset > limit or (offset == limit and not open_end):
                break
            if offset > at:
                if not (yield from self._output(time_ms, stream, (at, offset))):
                    return
                at = offset
            if kind in STREAMS:
                stream, time_ms = kind, when
            elif offset >= begin and kind not in _TOLD_BY_HOLES and (with_carried or not kind & CARRIED):
                yield Chunk(when, kind & ~CARRIED, offset, b"", (high, low))
        yield from self._output(time_ms, stream, (at, limit))

    def _loss_before(self, first: int | None) -> tuple[Millis, int]:
        """Return when a segment could begin after a loss, and where the hole before it begins."""
        if first is not None:
            for when, offset, kind, count, _ in self._records(first) or ():
                if offset > first:
                    break
                if kind == LOST | CARRIED:
                    return when, first - count
        return 0, 1 << 62

    def _output(self, time_ms: Millis, stream: int, span: tuple[int, int]) -> Generator[Chunk, None, bool]:
        """Yield the bytes of a span; return whether all of them are there."""
        at, end = span
        while at < end and (data := self._piece(at, min(PIECE, end - at))):
            yield Chunk(time_ms, stream, at, data, _NO_VALUES)
            at += len(data)
        return at >= end

    def _spans_backwards(self, end: int, stream: int | None) -> Iterator[tuple[int, int]]:
        """Yield the spans of one stream, or of all, newest first."""
        high = end
        for first in reversed([first for first in self._firsts if first <= end]):
            high = min(high, first + self._length(first))
            if stream is None:
                yield first, high
            else:
                spans = []
                at, current = first, TTY
                for _, offset, kind, _, _ in self._records(first) or ():
                    if kind in STREAMS and offset <= high:
                        if current == stream and offset > at:
                            spans.append((at, offset))
                        at, current = offset, kind
                if current == stream and high > at:
                    spans.append((at, high))
                yield from reversed(spans)
            high = first


def _expired(oldest: int, is_rest: bool) -> bytes:
    if is_rest:
        return b""
    raise LogExpiredError(oldest)


def _nth_last_newline(data: bytes, n: int) -> int:
    at = len(data)
    for _ in range(n):
        at = data.rfind(b"\n", 0, at)
    return at
