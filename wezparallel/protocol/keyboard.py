"""Typing into processes, as a person would: into one, or the same into several."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wezparallel.protocol.command import Command, Mutation, Payload, Record, Reply
from wezparallel.protocol.process import MAX_ID

MAX_TARGETS = 200

Text = Annotated[str, Field(max_length=256 * 1024)]
Enter = Annotated[bool, Field(description="Press Enter after it.")]
Encoding = Annotated[Literal["utf-8", "base64"], Field(description="How `text` carries bytes.")]


class ProcessTyped(Reply):
    """The bytes were given to the program's terminal or stdin."""

    TAG: ClassVar[str] = "ProcessTyped"
    process_id: str
    bytes: int


class ProcessType(Mutation[ProcessTyped]):
    """Type into a process, as a person would."""

    REPLY: ClassVar[type[Reply]] = ProcessTyped
    process: Annotated[str, Field(max_length=MAX_ID)]
    text: Text
    enter: Enter = False
    encoding: Encoding = "utf-8"


class NotTyped(Record):
    """A process that got nothing."""

    process_id: str
    error: Payload


class ProcessesTyped(Reply):
    """The bytes were given to each of these."""

    TAG: ClassVar[str] = "ProcessesTyped"
    processes: Annotated[list[str], Field(description="Process ids.")]
    refused: list[NotTyped]
    bytes: Annotated[int, Field(description="So many to each.")]


class ProcessTypeMany(Mutation[ProcessesTyped]):
    """Type the same into several processes. One that does not run keeps it from no other."""

    REPLY: ClassVar[type[Reply]] = ProcessesTyped
    processes: Annotated[list[Annotated[str, Field(max_length=MAX_ID)]], Field(min_length=1, max_length=MAX_TARGETS)]
    text: Text
    enter: Enter = False
    encoding: Encoding = "utf-8"


COMMANDS: tuple[type[Command[Reply]], ...] = (ProcessType, ProcessTypeMany)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {}
