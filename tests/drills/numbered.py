"""Numbered lines: the program that prints them as fast as it can, and the reader that misses none.

Run as a script (`python -I -S numbered.py GO BLOCKS PACE_S [both]`) it is the writer, so it imports next to nothing.
A line has 100 bytes; 1,000 lines are a block, which is made by one `replace`: printing and checking cost little more
than copying.
"""

from __future__ import annotations

import os
import select
import signal
import sys

LINES = 1000
LINE_BYTES = 100
BLOCK_BYTES = LINES * LINE_BYTES
_PREFIX = b"#########"
_FILLER = b"abcdefghijklmnopqrstuvwxyz" * 4


def _template(ending: bytes) -> bytes:
    width = LINE_BYTES - 1 - len(_PREFIX) - 4
    return b"".join(_PREFIX + b"%03d " % number + _FILLER[:width] + ending for number in range(LINES))


def block(number: int, template: bytes) -> bytes:
    """Return the lines `number` * 1000 to `number` * 1000 + 999."""
    return template.replace(_PREFIX, b"%09d" % number)


class Checker:
    """Compares a stream with what must stand in it, however it was cut."""

    def __init__(self, blocks: int, tty: bool) -> None:
        self._template = _template(b"\r\n" if tty else b"\n")
        self._number = -1
        self._block = b""
        self.size = blocks * len(self._template)
        """bytes that are to come"""
        self.at = 0
        """bytes that have come and were right"""
        self.fault = ""

    def feed(self, data: bytes) -> None:
        """Take the next bytes; the first fault is kept, and nothing after it is looked at."""
        view = memoryview(data)
        length = len(self._template)
        while view and not self.fault:
            number, inside = divmod(self.at, length)
            if number != self._number:
                self._number, self._block = number, block(number, self._template)
            taken = min(len(view), length - inside)
            if view[:taken] != memoryview(self._block)[inside : inside + taken]:
                self._blame(bytes(view[:taken]), inside)
                return
            self.at += taken
            if self.at > self.size:
                self.fault = f"more than the {self.size} bytes that were printed"
            view = view[taken:]

    @property
    def is_complete(self) -> bool:
        """Tell whether every number came, once and in order."""
        return not self.fault and self.at == self.size

    def verdict(self) -> str:
        """Return what is wrong, or nothing."""
        if self.is_complete:
            return ""
        return self.fault or f"ends after {self.at} of {self.size} bytes"

    def _blame(self, data: bytes, inside: int) -> None:
        same = 0
        while data[same] == self._block[inside + same]:
            same += 1
        expected = self._block[max(0, inside + same - 8) : inside + same + 24]
        found = data[max(0, same - 8) : same + 24]
        self.fault = f"at byte {self.at + same}: {expected!r} was printed, {found!r} stands there"


def last_number(blocks: int) -> bytes:
    """Return how the last line begins."""
    return b"%09d%03d " % (blocks - 1, LINES - 1)


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def main(go: str, blocks: int, pace_s: float, streams: list[int]) -> None:
    """Wait until the file `go` is there, print, and stay."""
    while not os.path.exists(go):
        select.select([], [], [], 0.02)
    template = _template(b"\n")
    for number in range(blocks):
        data = block(number, template)
        for fd in streams:
            _write(fd, data)
            if pace_s:
                select.select([], [], [], pace_s)
    while True:
        signal.pause()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), [1, 2] if sys.argv[4:] == ["both"] else [1])
