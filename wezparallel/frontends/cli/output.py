"""What a program wrote, made fit for another terminal, a pipe or JSON. Above: logs.py; pure but for its `write`.

On a terminal colours, links and carriage returns stay, what else steers it goes; into a pipe only text is left.
"""

from __future__ import annotations

import base64
import json
import re

from wezparallel.client import text
from wezparallel.frontends.cli.log_reading import Piece
from wezparallel.wire import replay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])"
    rb"|[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]"
)
_COLOUR = re.compile(rb"\x1b\[[0-9;:]*m|\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)")
_LINE_START = re.compile(rb"\x1b\[[01]?G")
_ERASE = re.compile(rb"\x1b\[([02]?)K")
_ERASED = b"\x00"  # stands for "erase to the line's end" until the line is whole; no output has it any more by then
LONGEST_LINE = 64 * 1024  # bytes of an unfinished line that are kept back from a pipe


class Cleaner:
    """Takes control sequences out of a stream, however it was cut.

    Into a pipe it gives whole lines, each in the last state that it was painted in (spinners, progress bars).
    """

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._cleaner = replay.Cleaner()
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """Return what may be shown of these bytes."""
        data = _SEQUENCE.sub(self._keep, self._cleaner.feed(data))
        if self._terminal:
            return data
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        if len(data) - end > LONGEST_LINE:
            end = len(data)
        self._rest = data[end:]
        return b"".join(_last_state(line) for line in _lines(data[:end]))

    def finish(self) -> bytes:
        """Return the unfinished line."""
        rest, self._rest = self._rest, b""
        return _last_state(rest)

    def _keep(self, match: re.Match[bytes]) -> bytes:
        sequence = match[0]
        if _LINE_START.fullmatch(sequence):
            return b"\r"
        erase = _ERASE.fullmatch(sequence)
        if self._terminal:
            return sequence if erase or _COLOUR.fullmatch(sequence) else b""
        if erase:
            return b"\r" + _ERASED if erase[1] == b"2" else _ERASED
        return b""


def _lines(data: bytes) -> list[bytes]:
    """Cut at newlines only; `splitlines` cuts at carriage returns too."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def _last_state(line: bytes) -> bytes:
    """Return a line as a terminal would show it in the end."""
    if b"\r" not in line and _ERASED not in line:
        return line
    body = line.rstrip(b"\r\n")
    end = b"\n" if line.endswith(b"\n") else b""
    shown = b""
    for part in body.split(b"\r"):
        before, erased, after = part.rpartition(_ERASED)
        # What was erased is gone from there on; what is written then goes on behind it.
        shown = before.replace(_ERASED, b"") + after if erased else part + shown[len(part) :]
    return shown + end


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
            lines = _lines(b"".join(self._kept))
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
