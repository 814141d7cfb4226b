"""Handlers of the log commands. The keeper writes the logs; here they are read from its files, or from a copy of
what it holds in memory."""

from __future__ import annotations

import base64
import os
import re
from datetime import datetime
from typing import TYPE_CHECKING

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub import recording
from wezparallel.hub.pool.keeper_link import close_all
from wezparallel.hub.state.model import rfc3339
from wezparallel.keeper import messages
from wezparallel.protocol import log as words
from wezparallel.protocol.log import LogChunk
from wezparallel.wire import logformat
from wezparallel.wire.logmemory import MemoryFiles
from wezparallel.wire.logreader import LogReader

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process
    from wezparallel.wire.logreader import Chunk

STREAMS = {logformat.STDOUT: "stdout", logformat.STDERR: "stderr", logformat.TTY: "tty"}

MAX_TEXT = 768 * 1024  # of a reply; one more chunk still fits below 1 MiB
MAX_CHUNK = 128 * 1024  # of a chunk as text; what would be longer, for its control characters, is told in base64
ESCAPE = 5  # more bytes that JSON makes of a control character
CHUNK_FIELDS = 200  # bytes of a chunk beside its text
_CONTROL = re.compile(rb"[\x00-\x1f\x22\x5c]")

_AGE = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


async def read(hub: Hub, command: words.LogRead) -> words.Log:
    """Return a piece of a log."""
    process = hub.process(command.process)
    process_id = process.process_id
    reader, is_memory = await _open(hub, process)
    try:
        start, end = reader.start, reader.end
        chunks: list[LogChunk] = []
        taken = lost = size = 0
        if is_memory:
            start = max(start, reader.tail_lines(hub.settings.logs.buffer_lines))
        stop = end if command.until is None else _until(reader, command.until, hub.now_ms())
        at: int | None = max(start, _from(reader, command, hub.now_ms(), (start, stop)))
        run = reader.state_at(at or 0).get(logformat.RUN)
        run_id = logformat.run_id_of(run) if run is not None else None
        for chunk in reader.chunks(at or 0, max(at or 0, stop)):
            if chunk.kind in (logformat.LOST, logformat.DELETED):
                lost += chunk.values[0] if chunk.kind == logformat.LOST else chunk.values[1] - chunk.values[0]
            elif chunk.kind == logformat.RUN:
                run_id = logformat.run_id_of(chunk.values)
            elif chunk.kind in STREAMS:
                if taken and (taken + len(chunk.data) > command.max_bytes or size > MAX_TEXT):
                    at = chunk.offset
                    break
                taken += len(chunk.data)
                if command.stream in (None, STREAMS[chunk.kind]):
                    told, length = _chunk(chunk, run_id)
                    chunks.append(told)
                    size += length
        else:
            at = None
        return words.Log(process_id=process_id, start=start, end=end, chunks=chunks, next=at, lost_bytes=lost)
    finally:
        reader.close()


async def export(hub: Hub, command: words.LogExport) -> words.LogExported:
    """Return a page of a recording."""
    process = hub.process(command.process)
    reader, _ = await _open(hub, process)
    try:
        settings = process.settings
        facts = {"title": process.process_id, "command": settings.command or " ".join(settings.argv),
                 "env": {"TERM": settings.env.get("TERM") or "xterm-256color"}}  # fmt: skip
        page = recording.page(reader, command.run, command.cursor, facts)
    finally:
        reader.close()
    return words.LogExported(
        process_id=process.process_id, run_id=page.run_id, format=command.format, text=page.text, next=page.next
    )


async def _open(hub: Hub, process: Process) -> tuple[LogReader, bool]:
    """Return the reader of a log, and whether it is one in memory. Raises RequestError if it is kept nowhere."""
    folder = paths.log_dir(process.process_id)
    memory = await in_memory(hub, process)
    if memory is None:
        return LogReader(os, folder), False
    return LogReader(MemoryFiles.load(memory, folder), folder), True


async def in_memory(hub: Hub, process: Process) -> bytes | None:
    """Return a copy of what the keeper holds of a log; None if its files are what there is.

    Raises RequestError `process.bad_state` if it is kept nowhere.
    """
    process_id = process.process_id
    if process.settings.direct:
        raise RequestError(
            "process.bad_state", f"{process_id} is `direct`: what it prints is in its pane alone, and in no log",
            direct=True,
        )  # fmt: skip
    if process.settings.log == "disk":
        reader = LogReader(os, paths.log_dir(process_id))
        written = reader.end
        reader.close()
        if written:
            return None
    try:
        told, fds = await hub.link.call({"m": messages.LOG_READ, "process_id": process_id})
    except RequestError as error:
        if error.code not in {"process.not_found", "command.unknown"}:
            raise
        return None  # it has not run yet, or the keeper is too old to know of memory
    try:
        if told["kind"] == "off":
            raise RequestError(
                "process.bad_state",
                f"the output of {process_id} is not kept (`log: off`); look at it live with "
                f"`wezparallel attach {process_id}`, or set `log: memory` or `log: disk` and restart it",
                process=process_id,
            )
        if not fds:
            return None
        with open(fds.pop(), "rb") as copy:
            size = os.fstat(copy.fileno()).st_size
            return os.pread(copy.fileno(), size, 0)
    finally:
        close_all(fds)


def _until(reader: LogReader, said: str, now_ms: int) -> int:
    """Return where output begins that is younger than that."""
    return reader.offset_at(moment(said, now_ms, "until") + logformat.STEP_MS)


def _from(reader: LogReader, command: words.LogRead, now_ms: int, span: tuple[int, int]) -> int:
    start, stop = span
    if command.offset is not None:
        if command.offset < start:
            raise RequestError(
                "log.expired", f"the log before offset {start} has expired; read from there", oldest=start
            )
        return command.offset
    if command.lines is not None:
        kind = next((kind for kind, name in STREAMS.items() if name == command.stream), None)
        return reader.tail_lines(command.lines, kind, stop)
    if command.since is not None:
        return reader.offset_at(moment(command.since, now_ms, "since"))
    return start


def moment(text: str, now_ms: int, field: str) -> int:
    """Return milliseconds since the epoch of a time or an age. Raises RequestError `command.bad_value`."""
    age = _AGE.fullmatch(text)
    if age:
        return max(0, now_ms - int(min(float(age[1]) * _UNIT_S[age[2]] * 1000, now_ms)))
    try:
        return int(datetime.fromisoformat(text).astimezone().timestamp() * 1000)
    except ValueError:
        raise RequestError(
            "command.bad_value", f"{text!r} is neither a time as 2026-01-31T12:00:00Z nor an age as 90s, 10m, 2h, 1d",
            field=field,
        ) from None  # fmt: skip


def _chunk(chunk: Chunk, run_id: str | None) -> tuple[LogChunk, int]:
    """Return a chunk as it is told, and about how long that is."""
    try:
        text, encoding = chunk.data.decode(), "utf-8"
        length = len(chunk.data) + ESCAPE * len(_CONTROL.findall(chunk.data))
    except UnicodeDecodeError:
        encoding, length = "base64", 0
    if encoding == "base64" or length > MAX_CHUNK:
        text, encoding = base64.b64encode(chunk.data).decode(), "base64"
        length = len(text)
    told = LogChunk.model_validate(
        {"at": rfc3339(chunk.time_ms), "offset": chunk.offset, "stream": STREAMS[chunk.kind], "run_id": run_id,
         "text": text, "encoding": encoding}
    )  # fmt: skip
    return told, length + CHUNK_FIELDS
