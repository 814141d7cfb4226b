"""Cuts a stream into JSON lines, bounded. Pure: bytes in, lines out.

One JSON value a line, UTF-8, at most 1 MiB; split and joined packets are normal; an unterminated value before the
peer's half-close counts as a line. Empty lines are passed over.
"""

from __future__ import annotations

from wezparallel.errors import WireError

MAX_LINE = 1024 * 1024  # bytes, without the newline; the same bound holds for replies


class LineReader:
    """Collects bytes and gives whole lines."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._buffer = bytearray()
        self._max_line = max_line
        self._searched = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Add received bytes; return the lines that became whole. Raises WireError `wire.too_long`."""
        buffer = self._buffer
        if not buffer and len(data) <= self._max_line and data.find(b"\n") == len(data) - 1:
            line = data.strip()  # one whole line and nothing else: what nearly every packet is
            return [line] if line else []
        buffer += data
        lines: list[bytes] = []
        start = 0
        while (end := buffer.find(b"\n", max(start, self._searched))) >= 0:
            self._check(end - start)
            line = bytes(buffer[start:end]).strip()
            if line:
                lines.append(line)
            start = end + 1
        del buffer[:start]
        self._searched = len(buffer)
        self._check(len(buffer))
        return lines

    def finish(self) -> bytes | None:
        """Return what stands unterminated when the peer has closed its side, if anything does."""
        rest = bytes(self._buffer).strip()
        self._buffer.clear()
        self._searched = 0
        return rest or None

    def _check(self, length: int) -> None:
        if length > self._max_line:
            raise WireError(
                f"a line of more than {self._max_line} bytes; send smaller requests, one JSON value a line",
                code="wire.too_long",
                data={"limit_bytes": self._max_line},
            )
