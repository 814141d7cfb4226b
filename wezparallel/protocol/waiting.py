"""Waiting for a process: until it is ready, has exited, or has written a line."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wezparallel.protocol.command import Command, Record, Reply
from wezparallel.protocol.process import MAX_ID, ProcessRecord


class ProcessWaited(Reply):
    """It came, or it did not."""

    TAG: ClassVar[str] = "ProcessWaited"
    process: ProcessRecord
    outcome: Annotated[
        Literal["met", "timeout", "in_vain"], Field(description="`in_vain`: it ended, and nobody starts it again.")
    ]
    line: Annotated[str | None, Field(description="The line that matched.")] = None


class ProcessWait(Command[ProcessWaited]):
    """Wait until a process is ready, has exited, or has written a line; what is so already counts.

    `exited` is about the run that there is when it is asked for, or that is to come.
    """

    REPLY: ClassVar[type[Reply]] = ProcessWaited
    process: Annotated[str, Field(max_length=MAX_ID)]
    what: Annotated[Literal["ready", "exited", "output"], Field(alias="for", description="What to wait for.")] = (
        "ready"
    )
    regex: Annotated[
        str | None, Field(min_length=1, max_length=4096, description="Searched in each line of its run's output.")
    ] = None
    timeout_s: Annotated[float, Field(ge=0, le=86400, description="Seconds to wait at most.")] = 3600.0


COMMANDS: tuple[type[Command[Reply]], ...] = (ProcessWait,)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {}
