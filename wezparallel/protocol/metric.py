"""Figures, sampled every 2 s while somebody subscribes to them by name, else every 10 s and told to nobody."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wezparallel.protocol.command import Command, Record, Reply


class MetricEvent(Record):
    """Data of `metric.sampled`: there are new figures; `ProcessList` has those of each process."""

    processes: Annotated[int, Field(description="Trees that were looked at.")]
    cpu_percent: Annotated[float | None, Field(description="Of one core, all together; null at the first look.")]
    memory_bytes: int | None


COMMANDS: tuple[type[Command[Reply]], ...] = ()
EVENTS: dict[str, type[Record]] = {"metric.sampled": MetricEvent}
