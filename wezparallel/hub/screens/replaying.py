"""What a process's screen looks like: its log, played into a terminal without a window. Reads files; no loop, no hub.

A picture is kept, so that the next look costs what has come since. Of a run that has written more than `TAIL` only
its end is played, into a terminal that is in the modes which the program had put it into by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.wire import logformat
from wezparallel.wire.asciicast import DEFAULT_SIZE
from wezparallel.wire.emulator import Terminal
from wezparallel.wire.terminal import Modes

if TYPE_CHECKING:
    from wezparallel.wire.logreader import Chunk, LogReader

TAIL = 2 * 1024 * 1024  # bytes that are played at most; half a second


class Replay:
    """The screen of one process's latest run."""

    def __init__(self, tail: int = TAIL) -> None:
        self._tail = tail
        self.offset = 0
        """Up to where the log has been played."""
        self.run_id: str | None = None
        self.is_whole = True
        """All that the run has written was played."""
        self.terminal = Terminal(*DEFAULT_SIZE)
        self._modes = Modes()

    def catch_up(self, reader: LogReader) -> bool:
        """Play what has come; return whether there is a run to be seen."""
        end = reader.end
        run = reader.state_at(end).get(logformat.RUN)
        if run is None:
            return False
        if logformat.run_id_of(run) != self.run_id or not reader.start <= self.offset <= end:
            self._begin(reader, run)
        if end - self.offset > self._tail:
            self._skip(reader, reader.line_start_before(end, self._tail))
        for chunk in reader.chunks(self.offset):
            self._play(chunk)
        return True

    def _begin(self, reader: LogReader, run: tuple[int, int]) -> None:
        self.run_id = logformat.run_id_of(run)
        begins = next(offset for offset, _, values in reversed(reader.runs()) if values == run)
        self.offset = begins
        self.is_whole = begins == 0 or begins > reader.start  # else its beginning has expired
        self.terminal = Terminal(*reader.state_at(begins).get(logformat.RESIZE, DEFAULT_SIZE))
        self._modes = Modes()

    def _skip(self, reader: LogReader, to: int) -> None:
        """Pass over output, but for the modes that it sets and the sizes it had."""
        size = (self.terminal.rows, self.terminal.columns)
        for chunk in reader.chunks(self.offset, to):
            if chunk.kind in logformat.STREAMS:
                self._modes.feed(chunk.data)
            elif chunk.kind == logformat.RESIZE:
                size = chunk.values
        self.is_whole = False
        self.offset = to
        self.terminal = Terminal(*size)
        self.terminal.feed(self._modes.enter())

    def _play(self, chunk: Chunk) -> None:
        if chunk.kind in logformat.STREAMS:
            # On pipes nothing makes a new line of a newline; a terminal would have.
            data = chunk.data if chunk.kind == logformat.TTY else chunk.data.replace(b"\n", b"\r\n")
            self.terminal.feed(data)
            self._modes.feed(chunk.data)
        elif chunk.kind == logformat.RESIZE:
            self.terminal.resize(*chunk.values)
        elif chunk.kind in {logformat.LOST, logformat.DELETED}:
            self.is_whole = False
        elif chunk.kind == logformat.RUN and logformat.run_id_of(chunk.values) != self.run_id:
            # It has begun since we looked at which one it is.
            self.run_id, self.is_whole = logformat.run_id_of(chunk.values), True
            self.terminal, self._modes = Terminal(self.terminal.rows, self.terminal.columns), Modes()
        self.offset = max(self.offset, chunk.offset + len(chunk.data))
