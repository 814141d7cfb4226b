"""Lines of several logs, each behind the name of who wrote it; or only those that a regular expression finds. Pure.

A line is told when it is whole, with the time of its first byte. Above: logs.py; below: client/cleaning.py.
"""

from __future__ import annotations

import re
from collections import deque

from wezparallel.client import text
from wezparallel.client.cleaning import LONGEST_LINE, Cleaner
from wezparallel.errors import RequestError
from wezparallel.frontends.cli.log_reading import Piece
from wezparallel.frontends.cli.output import as_json
from wezparallel.wire import replay, screenshot
from wezparallel.wire.emulator import Terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from wezparallel.types import ProcessId

COLOURS = ("36", "35", "32", "34", "33", "96", "95", "92", "94", "93")
"""Of names, one after the other; red is left to what failed."""
_WIDEST_NAME = 24
_REPAINTED = re.compile(rb"\r|\x1b\[[0-2]?K")
_STEERS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f\xc2]")
_WIDEST_LINE = 1000


class Lines:
    """Cuts what one process writes into lines; its streams are kept apart."""

    def __init__(self) -> None:
        self._open: dict[str, Piece] = {}

    def feed(self, piece: Piece) -> Iterator[Piece]:
        """Yield the lines that became whole, each with its newline."""
        begun = self._open.pop(piece.stream, None)
        at, offset = (piece.at, piece.offset) if begun is None else (begun.at, begun.offset)
        data = piece.data if begun is None else begun.data + piece.data
        start = 0
        while start < len(data):
            end = data.find(b"\n", start) + 1
            if not end:
                if len(data) - start <= LONGEST_LINE:
                    self._open[piece.stream] = piece._replace(at=at, offset=offset, data=data[start:])
                    return
                end = len(data)
            yield Piece(at, piece.process_id, offset, piece.stream, data[start:end], piece.run_id)
            offset += end - start
            at = piece.at
            start = end

    def finish(self) -> Iterator[Piece]:
        """Yield what was begun."""
        yield from self._open.values()
        self._open = {}


def cut(pieces: Iterable[Piece], lines: Lines | None = None) -> Iterator[Piece]:
    """Yield the lines of a log; what has no end yet too, unless it is left in `lines` to go on with."""
    cutter = Lines() if lines is None else lines
    for piece in pieces:
        yield from cutter.feed(piece)
    if lines is None:
        yield from cutter.finish()


def pattern(said: str | None, *, ignore_case: bool) -> re.Pattern[str] | None:
    """Return the regular expression that was asked for. Raises RequestError `command.bad_value`."""
    if said is None:
        return None
    try:
        return re.compile(said, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        raise RequestError("command.bad_value", f"'{said}' is no regular expression: {error}") from None


class LineWriter:
    """Writes lines in one of four ways: JSON, raw, with times, as text."""

    def __init__(
        self,
        write: Callable[[bytes], object],
        *,
        how: str,
        terminal: bool,
        grep: re.Pattern[str] | None = None,
        last: int = 0,
    ) -> None:
        self._write = write
        self._how = how
        self._terminal = terminal
        self._grep = grep
        self._labels: dict[ProcessId, tuple[str, str]] = {}
        self._left_out = ""
        self._width = 0
        self._cleaners: dict[tuple[ProcessId, str], Cleaner] = {}
        self._kept: deque[Piece] | None = deque(maxlen=last) if last else None
        """Only so many last lines are written, at `end_of_past`."""
        self.has_written = False

    def name(self, process_ids: Sequence[ProcessId]) -> None:
        """Begin lines with a name; without a workspace where all are of one."""
        if not self._labels:
            workspaces = {one.rpartition("/")[0] for one in process_ids}
            self._left_out = f"{workspaces.pop()}/" if len(workspaces) == 1 else ""
        for process_id in process_ids:
            if process_id not in self._labels:
                label = text.clean(process_id.removeprefix(self._left_out))
                colour = COLOURS[len(self._labels) % len(COLOURS)]
                self._labels[process_id] = (text.cut_middle(label, _WIDEST_NAME), colour)
        self._width = max((text.width(label) for label, _ in self._labels.values()), default=0)

    def line(self, line: Piece) -> None:
        """Write one line, if it is wanted."""
        if self._grep is not None and self._grep.search(_plain(line.data)) is None:
            return
        if self._kept is not None:
            self._kept.append(line)
        else:
            self._put(line)

    def end_of_past(self) -> None:
        """Write what was kept back; what follows is written at once."""
        kept, self._kept = self._kept, None
        for line in kept or ():
            self._put(line)

    def _put(self, line: Piece) -> None:
        self.has_written = True
        if self._how == "json":
            self._write(as_json(line))
        elif self._how == "raw":
            self._write(line.data)
        else:
            body = self._shown(line)
            begin = text.clock(line.at).encode() + b"  " if self._how == "times" else b""
            self._write(begin + self._label(line.process_id) + body + b"\n")

    def _label(self, process_id: ProcessId) -> bytes:
        if process_id not in self._labels:
            return b""
        label, colour = self._labels[process_id]
        if not self._terminal:
            return (text.pad(label, self._width) + " | ").encode()
        return f"\x1b[{colour}m{text.pad(label, self._width)}\x1b[0m \x1b[2m|\x1b[0m ".encode()

    def _shown(self, line: Piece) -> bytes:
        if not self._terminal:
            return _plain(line.data).encode("utf-8", "surrogateescape")
        cleaner = self._cleaners.setdefault((line.process_id, line.stream), Cleaner(terminal=True))
        shown = cleaner.feed(line.data).rstrip(b"\r\n").replace(b"\n", b" ")
        if _REPAINTED.search(shown):
            shown = _last_state(shown)
        if self._grep is not None and b"\x1b" not in shown:
            return self._marked(shown.decode("utf-8", "surrogateescape"))
        return shown + b"\x1b[0m" if b"\x1b" in shown else shown

    def _marked(self, shown: str) -> bytes:
        assert self._grep is not None
        return self._grep.sub(lambda match: f"\x1b[1;4m{match[0]}\x1b[0m" if match[0] else "", shown).encode(
            "utf-8", "surrogateescape"
        )


def _plain(data: bytes) -> str:
    body = data.rstrip(b"\r\n")
    if _STEERS.search(body) is not None:
        body = replay.plain(body).rstrip(b"\r\n")
    return body.decode("utf-8", "surrogateescape")


def _last_state(line: bytes) -> bytes:
    """Return a line that was painted several times as a terminal shows it in the end."""
    terminal = Terminal(1, _WIDEST_LINE)
    terminal.feed(b"\x1b[?7l" + line)
    return screenshot.ansi(terminal).rstrip("\n").encode()
