"""One process's log as the keeper holds it: the writer of its segments and the modes of its terminal.

Whoever reads, logs: `processes.py` hands every chunk in here before a viewer is told. The format is wire/logfile.py,
the modes are wire/terminal.py; neither knows of files or clocks, so both are handed in.
"""

from __future__ import annotations

import os
import time

from wezparallel.wire.logfile import LogWriter
from wezparallel.wire.logformat import TTY
from wezparallel.wire.terminal import Modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import cast

    from wezparallel.types import Millis, RunId
    from wezparallel.wire.logformat import Files

    _FILES = cast("Files", os)
else:
    _FILES = os

DEFAULT_CAP = 256 * 1024 * 1024


class ProcessLog:
    """Appends output and tracks the modes that a terminal would be in after it."""

    __slots__ = ("cap", "directory", "modes", "writer")

    def __init__(self, directory: str, cap: int = DEFAULT_CAP) -> None:
        self.directory = directory
        self.writer = LogWriter(_FILES, directory, cap)
        self.modes = Modes()
        self.cap = cap

    def append(self, stream: int, data: bytes) -> int:
        """Write output to the log; return how many of its last bytes could not be written."""
        lost = self.writer.append(stream, data, now_ms())
        if stream == TTY:
            self.modes.feed(data)
        return lost

    def began(self, run_id: RunId, size: tuple[int, int, int, int] | None) -> None:
        """Mark where a run begins, and in which size. The terminal starts from its reset state."""
        self.modes = Modes()
        self.writer.run(run_id, now_ms())
        if size is not None:
            self.resized(size)

    def resized(self, size: tuple[int, int, int, int]) -> None:
        """Mark that the terminal has another size from here on."""
        self.writer.resize(size[0], size[1], now_ms())

    def ended(self, code: int | None, signal: int | None) -> None:
        """Mark where a run ended."""
        self.writer.exit(code, signal, now_ms())

    def rest(self) -> None:
        """Let go of the descriptors until the next output."""
        self.writer.close()

    def set_cap(self, cap: int) -> None:
        """Take another cap, at once."""
        self.cap = cap
        self.writer.set_cap(cap, now_ms())

    def expire(self, before: Millis) -> None:
        """Drop the segments that ended before that."""
        self.writer.expire(before, now_ms())


def now_ms() -> Millis:
    """Return the wall clock in milliseconds: for records, never for delays."""
    return int(time.time() * 1000)
