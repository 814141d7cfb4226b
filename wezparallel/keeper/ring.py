"""The last megabyte of a process's output, in memory: what is not to touch the disk, or what the disk did not take.

A ring is a log whose files are in memory, with the same index and the same offsets, so whoever reads a log reads it.
log.py stands above and says what goes into it.
"""

from __future__ import annotations

from wezparallel.wire.logfile import LogWriter
from wezparallel.wire.logmemory import MemoryFiles

RING_BYTES = 1024 * 1024
_SEGMENT_BYTES = RING_BYTES // 16  # the oldest goes in such pieces


class Ring:
    """A log in memory that begins at an offset."""

    __slots__ = ("directory", "files", "writer")

    def __init__(self, directory: str, offset: int, files: MemoryFiles | None = None) -> None:
        self.directory = directory
        self.files = files or MemoryFiles()
        self.writer = LogWriter(self.files, directory, RING_BYTES, _SEGMENT_BYTES)
        self.writer.skip(offset)

    def dump(self) -> bytes:
        """Return all of it, for another program."""
        self.writer.close()
        return self.files.dump()

    @classmethod
    def load(cls, directory: str, offset: int, data: bytes) -> Ring:
        """Return the ring that was dumped."""
        return cls(directory, offset, MemoryFiles.load(data, directory))
