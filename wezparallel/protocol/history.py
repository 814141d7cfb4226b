"""History: the runs that were, how they ended, and the most that each used."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wezparallel.protocol.command import Command, Record, Reply


class RunRecord(Record):
    """One life of a process."""

    run_id: str
    process_id: str
    workspace: str | None
    number: Annotated[int, Field(description="1 for the process's first run.")]
    status: Annotated[
        Literal["planned", "spawned", "exited", "lost"],
        Field(description="`lost`: nobody knows how it ended; the machine or its keeper went down."),
    ]
    pid: int | None
    started_at: str | None
    ended_at: str | None
    ran_s: Annotated[float | None, Field(description="Of a run that goes on: until now.")]
    exit_code: int | None
    signal: int | None
    asked: Annotated[bool, Field(description="Its end was asked for.")]
    peak_cpu_percent: Annotated[
        float | None,
        Field(description="Of a core, its whole tree at once; null where it ended before it was looked at."),
    ]
    peak_memory_bytes: int | None


class HistoryReply(Reply):
    """Runs, the latest first."""

    TAG: ClassVar[str] = "History"
    runs: list[RunRecord]
    next: Annotated[str | None, Field(description="Pass as `after` for older ones; null at the end.")] = None


class HistoryList(Command[HistoryReply]):
    """List the runs of processes that are known, the latest first: how they ended, and the most that each used."""

    REPLY: ClassVar[type[Reply]] = HistoryReply
    process: Annotated[str | None, Field(description="Only this one's.")] = None
    workspace: Annotated[str | None, Field(description="Only those of this one's processes.")] = None
    since: Annotated[
        str | None, Field(description="Only runs that were there then or came later: RFC 3339, or an age as 90s, 2h.")
    ] = None
    failed: Annotated[bool, Field(description="Only those that ended badly, without anybody's wish.")] = False
    after: Annotated[str | None, Field(max_length=128, description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=1000, description="Runs in this reply.")] = 100


COMMANDS: tuple[type[Command[Reply]], ...] = (HistoryList,)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {}
