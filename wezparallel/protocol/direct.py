"""What runs in its pane itself (`direct: true`): its wrapper asks what to run, and tells how it goes.

Nobody holds such a program. The daemon knows it by these two commands alone, and by the pid whose end it watches.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from wezparallel.protocol.command import Command, Mutation, Record, Reply
from wezparallel.protocol.process import MAX_ID, ProcessReply


class ProcessPrepared(Reply):
    """What the next run is started with."""

    TAG: ClassVar[str] = "ProcessPrepared"
    process_id: str
    argv: list[str]
    cwd: str
    env: Annotated[
        dict[str, str], Field(description="Whole, but for what the pane's terminal says of itself.", repr=False)
    ]
    note: Annotated[str | None, Field(description="What was left out of it, and why.")] = None


class ProcessPrepare(Command[ProcessPrepared]):
    """Tell what the next run of a `direct` process is started with. Refused while one runs."""

    REPLY: ClassVar[type[Reply]] = ProcessPrepared
    process: Annotated[str, Field(max_length=MAX_ID)]


class ProcessObserved(ProcessReply):
    """It is written down."""

    TAG: ClassVar[str] = "ProcessObserved"


class ProcessObserve(Mutation[ProcessObserved]):
    """Tell that a `direct` process runs in a pane, or how that run ended."""

    REPLY: ClassVar[type[Reply]] = ProcessObserved
    process: Annotated[str, Field(max_length=MAX_ID)]
    run_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="Made by who starts it, new for each run.")]
    pid: Annotated[int | None, Field(ge=1, description="Of the program: it runs. Null: it has ended.")] = None
    pane: Annotated[str | None, Field(max_length=64, description="WezTerm's pane that it runs in.")] = None
    mux: Annotated[str | None, Field(max_length=4096, description="Socket of the WezTerm that has the pane.")] = None
    exit_code: Annotated[int | None, Field(ge=0, le=255)] = None
    signal: Annotated[int | None, Field(ge=1, le=64)] = None


COMMANDS: tuple[type[Command[Reply]], ...] = (ProcessPrepare, ProcessObserve)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {}
