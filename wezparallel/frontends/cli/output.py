"""What a program wrote, made fit for another terminal, a pipe or JSON. Above: logs.py; pure but for its `write`."""

from __future__ import annotations

import base64
import json

from wezparallel.client import text
from wezparallel.client.cleaning import Cleaner, split_lines
from wezparallel.frontends.cli.log_reading import Piece

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def as_json(piece: Piece) -> bytes:
    """Return a piece of output as one line of JSON."""
    try:
        said, encoding = piece.data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        said, encoding = base64.b64encode(piece.data).decode("ascii"), "base64"
    record = {
        "process_id": piece.process_id, "at": text.rfc3339(piece.at), "offset": piece.offset, "stream": piece.stream,
        "run_id": piece.run_id, "text": said, "encoding": encoding,
    }  # fmt: skip
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


class Writer:
    """Writes a log's pieces in one of four ways: JSON lines, raw, with times, as text."""

    def __init__(
        self, write: Callable[[bytes], object], *, terminal: bool, how: str = "", process_id: str = "", lines: int = 0
    ) -> None:
        self._write = write
        self._terminal = terminal
        self._how = how
        """`json`, `raw`, `times` or empty"""
        self._process_id = process_id
        self._cleaners: dict[str, Cleaner] = {}
        self._at_line_start = True
        self._last_lines = lines
        """Keep back everything and write only so many last lines at `finish`."""
        self._kept: list[bytes] = []
        self._last_byte = b""

    def piece(self, at: float, offset: int, stream: str, data: bytes, run_id: str | None = None) -> None:
        """Write one piece of output."""
        if self._how == "json":
            out = as_json(Piece(at, self._process_id, offset, stream, data, run_id))
        elif self._how == "raw":
            out = data
        else:
            cleaner = self._cleaners.setdefault(stream, Cleaner(terminal=self._terminal))
            out = cleaner.feed(data)
            if self._how == "times":
                out = self._timed(at, out)
        self._put(out)

    def finish(self, *, following: bool = False) -> None:
        """Write what was kept back; on a terminal end the last line, unless more is to come."""
        if not following:
            for cleaner in self._cleaners.values():
                self._put(self._timed(0, cleaner.finish()) if self._how == "times" else cleaner.finish())
        if self._last_lines:
            lines = split_lines(b"".join(self._kept))
            kept = self._last_lines
            self._last_lines = 0
            self._put(b"".join(lines[-kept:]))
        if self._terminal and not following and self._how in ("", "times"):
            self._write(b"\x1b[0m" if self._last_byte in (b"\n", b"") else b"\x1b[0m\n")

    def _put(self, out: bytes) -> None:
        if not out:
            return
        if self._last_lines:
            self._kept.append(out)
            return
        self._last_byte = out[-1:]
        self._write(out)

    def _timed(self, at: float, data: bytes) -> bytes:
        if not data:
            return data
        prefix = text.clock(at).encode() + b"  "
        begin = prefix if self._at_line_start else b""
        self._at_line_start = data.endswith(b"\n")
        body, end = (data[:-1], b"\n") if self._at_line_start else (data, b"")
        return begin + body.replace(b"\n", b"\n" + prefix) + end
