"""What a program wrote, made fit for another terminal, a pipe or JSON. Above: logs.py; pure but for its `write`.

On a terminal colours, links and carriage returns stay, what else steers it goes; into a pipe only text is left.
"""

from __future__ import annotations

import base64
import json
import re

from wezparallel.frontends.cli import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SEQUENCE = re.compile(
    rb"\x1b(?:"
    rb"\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC
    rb"|[PX^_][^\x1b]*\x1b\\"  # DCS, SOS, PM, APC
    rb"|[ -/]*[0-OQ-WYZ\\`-~]"  # two or three characters
    rb")|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]"
)
_COLOUR = re.compile(rb"\x1b\[[0-9;:]*[mK]|\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)")
_LONGEST = 4096  # bytes of a sequence that is waited for; what is longer is thrown away as it is


class Cleaner:
    """Takes control sequences out of a stream, however it was cut."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._rest = b""
        self._after_return = False

    def feed(self, data: bytes) -> bytes:
        """Return what may be shown of these bytes."""
        data = self._rest + data
        self._rest = b""
        data = _SEQUENCE.sub(self._keep, data)
        start = data.rfind(b"\x1b")
        if start >= 0 and not _COLOUR.match(data, start):
            # A sequence that is not whole yet, or will never be.
            whole = len(data) - start > _LONGEST
            self._rest = b"" if whole else data[start:]
            data = data[:start]
        return self._lines(data)

    def _keep(self, match: re.Match[bytes]) -> bytes:
        sequence = match[0]
        return sequence if self._terminal and _COLOUR.fullmatch(sequence) else b""

    def _lines(self, data: bytes) -> bytes:
        """Turn CR LF into LF; a lone CR, which repaints a line, into a line's end where nothing can be repainted."""
        if self._after_return:
            data = b"\r" + data
        self._after_return = data.endswith(b"\r")
        if self._after_return:
            data = data[:-1]
        data = re.sub(rb"\r+\n", b"\n", data)
        return data if self._terminal else data.replace(b"\r", b"\n")


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

    def piece(self, at: float, offset: int, stream: str, data: bytes, run_id: str | None = None) -> None:
        """Write one piece of output."""
        if self._how == "json":
            out = self._json(at, offset, stream, data, run_id)
        elif self._how == "raw":
            out = data
        else:
            cleaner = self._cleaners.setdefault(stream, Cleaner(terminal=self._terminal))
            out = cleaner.feed(data)
            if self._how == "times":
                out = self._timed(at, out)
        if self._last_lines:
            self._kept.append(out)
        elif out:
            self._write(out)

    def finish(self) -> None:
        """Write what was kept back, and leave the terminal as it was."""
        if self._last_lines:
            lines = b"".join(self._kept).splitlines(keepends=True)
            self._write(b"".join(lines[-self._last_lines :]))
            self._kept = []
            self._last_lines = 0

    def _json(self, at: float, offset: int, stream: str, data: bytes, run_id: str | None) -> bytes:
        try:
            said, encoding = data.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            said, encoding = base64.b64encode(data).decode("ascii"), "base64"
        record = {
            "process_id": self._process_id, "at": text.rfc3339(at), "offset": offset, "stream": stream,
            "run_id": run_id, "text": said, "encoding": encoding,
        }  # fmt: skip
        return json.dumps(record, ensure_ascii=False).encode() + b"\n"

    def _timed(self, at: float, data: bytes) -> bytes:
        if not data:
            return data
        prefix = text.clock(at).encode() + b"  "
        begin = prefix if self._at_line_start else b""
        self._at_line_start = data.endswith(b"\n")
        body, end = (data[:-1], b"\n") if self._at_line_start else (data, b"")
        return begin + body.replace(b"\n", b"\n" + prefix) + end
