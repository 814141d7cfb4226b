"""What a process's screen looks like: its log, played into a terminal without a window. Reads files; no loop, no hub.

A picture is kept, so that the next look costs what has come since. Of a run that has written more than `TAIL` only
its end is played, into a terminal that is in the modes which the program had put it into by then. Who looks again and
again at a program that floods gets less of it, until it is quiet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.wire import logformat
from wezparallel.wire.asciicast import DEFAULT_SIZE
from wezparallel.wire.emulator import Terminal
from wezparallel.wire.terminal import Modes

if TYPE_CHECKING:
    from wezparallel.wire.logreader import Chunk, LogReader

TAIL = 1024 * 1024  # bytes that are played at most; half a second
FLOOD = 128 * 1024  # bytes since the last look that are played for who looks all the time
LINES = 10_000  # of a longer end; no screen is as high


class Replay:
    """The screen of one process's latest run."""

    def __init__(self, tail: int = TAIL, flood: int = FLOOD) -> None:
        self._tail = tail
        self._flood = flood
        self._has_played = self._is_hasty = False
        self.offset = 0
        """Up to where the log has been played."""
        self.run_id: str | None = None
        self.is_whole = True
        """All that the run has written was played."""
        self.began_anew = False
        """The last look played from the run's beginning: it may show something else at the same offset."""
        self.terminal = Terminal(*DEFAULT_SIZE)
        self._modes = Modes()

    def catch_up(self, reader: LogReader, *, hasty: bool = False) -> bool:
        """Play what has come; return whether there is a run to be seen. With `hasty` of a flood only its end."""
        end = reader.end
        run = reader.state_at(end).get(logformat.RUN)
        if run is None:
            return False
        is_another = logformat.run_id_of(run) != self.run_id or not reader.start <= self.offset <= end
        self.began_anew = is_another or (self._is_hasty and not (hasty and end > self.offset))
        if self.began_anew:
            self._begin(reader, run)
        most = self._flood if hasty and self._has_played else self._tail
        if end - self.offset > most:
            self._is_hasty = most < self._tail
            self._skip(reader, max(reader.line_start_before(end, most), reader.tail_lines(LINES)))
        self._has_played = True
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
        self._has_played = self._is_hasty = False

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
