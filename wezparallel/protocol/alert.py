"""Alerts: a figure that stays above what the settings allow."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wezparallel.protocol.command import Command, Record, Reply

What = Literal["cpu", "memory", "disk"]


class AlertRecord(Record):
    """One alert, and the data of `alert.raised` and `alert.cleared`."""

    process_id: Annotated[str | None, Field(description="Null where it is about the disk of the logs.")]
    workspace: str | None
    what: What
    value: Annotated[
        float | None,
        Field(description="Percent of a core, bytes, or percent of the disk; null where there is nothing any more."),
    ]
    threshold: float
    raised_at: str


class AlertsReply(Reply):
    """The alerts that hold, sorted by process."""

    TAG: ClassVar[str] = "Alerts"
    alerts: list[AlertRecord]


class AlertList(Command[AlertsReply]):
    """List the alerts that hold now."""

    REPLY: ClassVar[type[Reply]] = AlertsReply


COMMANDS: tuple[type[Command[Reply]], ...] = (AlertList,)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {"alert.raised": AlertRecord, "alert.cleared": AlertRecord}
