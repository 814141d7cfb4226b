"""Logs: reading what a process has written. Following is a keeper's `frames` viewer (client/frames.py)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wezparallel.protocol.command import Command, Record, Reply
from wezparallel.protocol.process import MAX_ID, Stream


class LogChunk(Record):
    """Bytes of one stream that came at one time."""

    at: str
    offset: int
    stream: Stream
    run_id: str | None
    text: str
    encoding: Annotated[Literal["utf-8", "base64"], Field(description="How `text` carries bytes.")] = "utf-8"


class Log(Reply):
    """A piece of a log."""

    TAG: ClassVar[str] = "Log"
    process_id: str
    start: Annotated[int, Field(description="Oldest offset that is still there.")]
    end: Annotated[int, Field(description="Offset after the newest byte.")]
    chunks: list[LogChunk]
    next: Annotated[int | None, Field(description="Pass as `offset` to read on; null at the end.")]
    lost_bytes: Annotated[int, Field(description="Bytes in this piece that could not be written.")] = 0


class LogRead(Command[Log]):
    """Read a log, at most 256 KiB a reply. With `lines` the last lines; else from `offset` or `since`; to `until`."""

    REPLY: ClassVar[type[Reply]] = Log
    process: Annotated[str, Field(max_length=MAX_ID)]
    offset: Annotated[int | None, Field(ge=0)] = None
    lines: Annotated[int | None, Field(ge=0, le=100_000)] = None
    since: Annotated[str | None, Field(description="RFC 3339, or an age as 90s, 10m, 2h, 1d.")] = None
    until: Annotated[str | None, Field(description="As `since`; nothing younger, `lines` count back from it.")] = None
    stream: Stream | None = None
    max_bytes: Annotated[int, Field(ge=1, le=256 * 1024)] = 256 * 1024


class LogExported(Reply):
    """A page of a recording. All pages in a row, `text` after `text`, are the file."""

    TAG: ClassVar[str] = "LogExported"
    process_id: str
    run_id: str
    format: Literal["asciicast"]
    text: str
    next: Annotated[str | None, Field(description="Pass as `cursor` for the next page; null at the end.")]


class LogExport(Command[LogExported]):
    """Make a recording of one run, page by page. It holds what was written before the first page was asked for."""

    REPLY: ClassVar[type[Reply]] = LogExported
    process: Annotated[str, Field(max_length=MAX_ID)]
    run: Annotated[str | None, Field(pattern=r"^[0-9a-f]{32}$", description="Id of the run; null is the latest.")] = (
        None
    )
    format: Annotated[Literal["asciicast"], Field(description="asciicast is version 2 of that format.")] = "asciicast"
    cursor: Annotated[str | None, Field(max_length=200, description="`next` of the page before.")] = None


COMMANDS: tuple[type[Command[Reply]], ...] = (LogRead, LogExport)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {}
