"""Where a log ends, and how old its parts are: what its writer (logfile.py) must know before it goes on.

Pure: the file functions are handed in. A crash of the machine may have left a torn record, or records of bytes that
never arrived; both are cut, and bytes that no record tells of get one.
"""

from __future__ import annotations

from collections import namedtuple

from wezparallel.wire.logformat import (
    CARRIED,
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
    from typing import NamedTuple

    from wezparallel.types import Millis
    from wezparallel.wire.logformat import Files

    class End(NamedTuple):
        """What a writer goes on from."""

        sizes: list[list[int]]
        """of the segments: first offset, bytes on disk with the index"""
        end: int
        index_bytes: int
        """of the last segment"""
        carried: dict[int, tuple[int, int]]
        pending: bytes
        """a record that is missing"""
else:
    End = namedtuple("End", "sizes end index_bytes carried pending")


def find_end(files: Files, directory: str) -> End:
    """Find where a log ends, and repair its last index. Raises OSError when the file system refuses."""
    firsts = list_segments(files, directory)
    if not firsts:
        return End([], 0, 0, {}, b"")
    sizes = [
        [first, _size(files, directory, first, "log") + _size(files, directory, first, "idx")] for first in firsts
    ]
    last = firsts[-1]
    length = _size(files, directory, last, "log")
    index_bytes, carried, known = _repair(files, segment_path(directory, last, "idx"), last + length)
    sizes[-1][1] = length + index_bytes
    pending = b""
    if not known and length:
        changed = files.stat(segment_path(directory, last, "log")).st_mtime_ns // 1_000_000
        pending = RECORD.pack(changed, last, TTY, 0, 0)
    return End(sizes, last + length, index_bytes, carried, pending)


def is_older(files: Files, index_path: str, before_ms: Millis) -> bool:
    """Return whether the last record of a segment, and so its last byte, is older than that."""
    try:
        fd = files.open(index_path, files.O_RDONLY)
    except OSError:
        return False
    try:
        records = files.fstat(fd).st_size // RECORD.size
        last = files.pread(fd, RECORD.size, max(0, records - 1) * RECORD.size)
    finally:
        files.close(fd)
    return len(last) == RECORD.size and int(RECORD.unpack(last)[0]) + STEP_MS <= before_ms


def _size(files: Files, directory: str, first: int, suffix: str) -> int:
    try:
        return files.stat(segment_path(directory, first, suffix)).st_size
    except FileNotFoundError:
        return 0


def _repair(files: Files, path: str, end: int) -> tuple[int, dict[int, tuple[int, int]], bool]:
    """Cut what tells of no byte; return the size that is left, what is in force, and whether it names a stream."""
    carried: dict[int, tuple[int, int]] = {}
    known = False
    keep = 0
    fd = files.open(path, files.O_RDWR | files.O_CREAT, 0o600)
    try:
        size = files.fstat(fd).st_size
        for _, offset, kind, high, low in RECORD.iter_unpack(read_index(files, fd)):
            if offset > end:
                break
            keep += RECORD.size
            known = known or kind in STREAMS
            if kind & ~CARRIED in {RUN, RESIZE}:
                carried[kind & ~CARRIED] = (high, low)
        if keep != size:
            files.ftruncate(fd, keep)
    finally:
        files.close(fd)
    return keep, carried, known
