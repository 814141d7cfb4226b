"""A log on a disk that can be full, for the tests of its writer and its reader."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from wezparallel.wire.logfile import LogWriter
from wezparallel.wire.logformat import (
    STDERR,
    STDOUT,
    TTY,
    list_segments,
    segment_path,
)
from wezparallel.wire.logreader import Chunk, LogReader

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN_ID = "00ff" * 8
BIG = 1 << 30
T = 1_700_000_000_000


class Disk:
    """The real file functions, with a disk that can be full: `space` bytes may still be written."""

    def __init__(self) -> None:
        self.space: int | None = None
        self.at_once: int | None = None
        self.writes = 0
        self.may_open = True
        self.may_unlink = True
        self.before_open: Any = None
        self.broken: tuple[str, ...] = ()
        """Ends of the names of files that neither take nor give anything (EIO)."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: str, flags: int, mode: int = 0o777) -> int:
        if self.before_open is not None:
            self.before_open(path)
        if self.broken and flags & os.O_CREAT:
            self._check(path)
        if not self.may_open and flags & os.O_CREAT:
            raise OSError(24, "too many open files")
        return os.open(path, flags, mode)

    def _check(self, path: str) -> None:
        if path.endswith(self.broken):
            raise OSError(5, "input/output error")

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        if self.broken:
            self._check(os.readlink(f"/proc/self/fd/{fd}"))
        return os.pread(fd, size, offset)

    def write(self, fd: int, data: Any) -> int:
        self.writes += 1
        if self.broken:
            self._check(os.readlink(f"/proc/self/fd/{fd}"))
        if self.space is None:
            return os.write(fd, data if self.at_once is None else memoryview(data)[: self.at_once])
        part = memoryview(data)[: self.space]
        if not part:
            raise OSError(28, "no space left on device")
        self.space -= len(part)
        return os.write(fd, part)

    def unlink(self, path: str) -> None:
        if not self.may_unlink:
            raise OSError(13, "permission denied")
        os.unlink(path)


class Log:
    """One log: a writer, a reader and what was opened for both."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.disk = Disk()
        self.opened: list[LogWriter | LogReader] = []

    def writer(self, cap: int = BIG, segment: int = 16 << 20) -> LogWriter:
        writer = LogWriter(self.disk, self.directory, cap, segment)
        self.opened.append(writer)
        return writer

    def reader(self) -> LogReader:
        reader = LogReader(self.disk, self.directory)
        self.opened.append(reader)
        return reader

    def size(self) -> int:
        return sum(os.stat(f"{self.directory}/{name}").st_size for name in os.listdir(self.directory))

    def segments(self) -> list[int]:
        return list_segments(os, self.directory)


def output(chunks: Iterator[Chunk], *kinds: int) -> bytes:
    return b"".join(chunk.data for chunk in chunks if chunk.kind in (kinds or (STDOUT, STDERR, TTY)))


def marks(chunks: Iterator[Chunk]) -> list[tuple[int, int, tuple[int, int]]]:
    return [(chunk.kind, chunk.offset, chunk.values) for chunk in chunks if not chunk.data]


def open_index(log: Log, first: int) -> bytes:
    with open(segment_path(log.directory, first, "idx"), "rb") as file:
        return file.read()
