"""Takes out of a program's output what steers a terminal. Pure.

On a terminal colours, links and carriage returns stay, what else steers it goes; elsewhere only text is left.
"""

from __future__ import annotations

import re

from wezparallel.wire import replay

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
        return b"".join(_last_state(line) for line in split_lines(data[:end]))

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


def split_lines(data: bytes) -> list[bytes]:
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
