"""What one process has written, piece by piece: from the hub, or without a daemon from the log's folder."""

from __future__ import annotations

import base64
import os
from collections import namedtuple

from wezparallel import paths
from wezparallel.client import text
from wezparallel.errors import RequestError
from wezparallel.wire import logformat
from wezparallel.wire.logreader import LogReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NamedTuple

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject, ProcessId

    class Piece(NamedTuple):
        """Output of one process and stream that came at one time."""

        at: float
        process_id: ProcessId
        offset: int
        stream: str
        data: bytes
        run_id: str | None

    class Wanted(NamedTuple):
        """Which part of a log is read."""

        lines: int
        """the last so many; 0: all"""
        since: str | None
        until: str | None
        stream: str | None
else:
    Piece = namedtuple("Piece", "at process_id offset stream data run_id")
    Wanted = namedtuple("Wanted", "lines since until stream")

STREAMS = {logformat.STDOUT: "stdout", logformat.STDERR: "stderr", logformat.TTY: "tty"}


class HubLog:
    """A process's log as the hub tells it."""

    def __init__(self, context: Context, process_id: ProcessId, wanted: Wanted) -> None:
        self._context = context
        self._wanted = wanted
        self.process_id = process_id
        self.end = 0
        """The offset behind what was read, once all is."""
        self.run_id: str | None = None
        """Of the last piece."""

    def pieces(self) -> Iterator[Piece]:
        """Yield what there is, reply by reply."""
        context, wanted = self._context, self._wanted
        start: JsonObject = (
            {"since": wanted.since} if wanted.since is not None else {"lines": wanted.lines} if wanted.lines else {}
        )
        while True:
            try:
                reply = context.call(
                    "LogRead", process=self.process_id, stream=wanted.stream, until=wanted.until, **start
                )
            except RequestError as error:
                oldest = error.data.get("oldest")
                if error.code != "log.expired" or oldest is None:
                    raise
                context.note("older output has expired")
                start = {"offset": oldest}
                continue
            for chunk in reply["chunks"]:
                data = chunk["text"].encode("utf-8")
                if chunk["encoding"] == "base64":
                    data = base64.b64decode(chunk["text"])
                at = text.parse_time(chunk["at"])
                self.run_id = chunk["run_id"]
                yield Piece(at, self.process_id, chunk["offset"], chunk["stream"], data, self.run_id)
            if reply["lost_bytes"]:
                context.note(f"{text.size(reply['lost_bytes'])} of output are lost here")
            self.end = int(reply["end"])
            if reply["next"] is None:
                return
            start = {"offset": reply["next"]}


class StoredLog:
    """A process's log as it lies in its folder."""

    def __init__(self, context: Context, process_id: ProcessId, wanted: Wanted) -> None:
        self._now = context.now
        self._wanted = wanted
        self.process_id = process_id
        self.end = 0

    def pieces(self) -> Iterator[Piece]:
        """Yield what there is."""
        wanted = self._wanted
        reader = LogReader(os, paths.log_dir(self.process_id))
        self.end = end = reader.end
        kind = next((kind for kind, name in STREAMS.items() if name == wanted.stream), None)
        if wanted.until is not None:
            end = reader.offset_at(self._ms(wanted.until) + logformat.STEP_MS)
        if wanted.since is not None:
            start = reader.offset_at(self._ms(wanted.since))
        else:
            start = reader.tail_lines(wanted.lines, kind, end) if wanted.lines else reader.start
        run = reader.state_at(start).get(logformat.RUN)
        run_id = logformat.run_id_of(run) if run is not None else None
        try:
            for chunk in reader.chunks(start, max(start, end)):
                if chunk.kind == logformat.RUN:
                    run_id = logformat.run_id_of(chunk.values)
                elif chunk.kind in STREAMS and wanted.stream in (None, STREAMS[chunk.kind]):
                    stream = STREAMS[chunk.kind]
                    yield Piece(chunk.time_ms / 1000, self.process_id, chunk.offset, stream, chunk.data, run_id)
        finally:
            reader.close()

    def _ms(self, said: str) -> int:
        return int(text.moment(said, self._now) * 1000)
