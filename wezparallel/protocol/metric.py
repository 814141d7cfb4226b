"""Figures: those of now, those of the past, and the event that says that there are new ones.

They are sampled every 2 s while somebody subscribes to them by name, else every 10 s and told to nobody.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from wezparallel.protocol.command import Command, Record, Reply


class NetworkIO(Record):
    """What all network interfaces but the loopback one have moved since the machine started."""

    bytes_received: int
    bytes_sent: int
    packets_received: int
    packets_sent: int
    rx_rate: Annotated[float | None, Field(description="Bytes a second since the look before; null at the first.")]
    tx_rate: Annotated[float | None, Field(description="Bytes a second since the look before; null at the first.")]


class MetricsReply(Reply):
    """The machine and the daemon in eight figures; what is not known is null."""

    TAG: ClassVar[str] = "Metrics"
    cpu_usage: Annotated[float | None, Field(description="Percent of all cores, since the look before.")]
    memory_usage: Annotated[float | None, Field(description="Percent of the machine's memory.")]
    disk_usage: Annotated[float | None, Field(description="Percent of the disk that holds the logs.")]
    network_io: NetworkIO | None
    process_count: Annotated[int, Field(description="Supervised processes that run.")]
    active_sessions: Annotated[int, Field(description="Of these, agents.")]
    api_response_time: Annotated[
        float | None, Field(description="Milliseconds that a reply took on average, of the last minute.")
    ]
    error_rate: Annotated[
        float | None, Field(description="Share of the replies of the last minute that were an `Error`, 0 to 1.")
    ]


class MetricGet(Command[MetricsReply]):
    """Tell how the machine and the daemon are, in eight figures."""

    REPLY: ClassVar[type[Reply]] = MetricsReply


class MetricPoint(Record):
    """The figures of one step."""

    at: Annotated[str, Field(description="When the step began.")]
    cpu_percent: Annotated[float | None, Field(description="On average; of a core, or of all cores of the machine.")]
    cpu_percent_max: float | None
    memory_bytes: Annotated[int | None, Field(description="On average.")]
    memory_bytes_max: int | None


class MetricHistoryReply(Reply):
    """Figures of the past, oldest first; a step in which nothing ran is not there."""

    TAG: ClassVar[str] = "MetricHistory"
    process_id: Annotated[str | None, Field(description="Null: the machine.")]
    step_s: int
    points: list[MetricPoint]
    next: Annotated[str | None, Field(description="Pass as `since` for what comes after; null at the end.")] = None


class MetricHistory(Command[MetricHistoryReply]):
    """Return figures of the past: by the minute for a day, by the quarter of an hour for 30 days."""

    REPLY: ClassVar[type[Reply]] = MetricHistoryReply
    process: Annotated[str | None, Field(description="Whose whole tree; without it the machine.")] = None
    since: Annotated[str, Field(description="RFC 3339, or an age as 90s, 10m, 2h, 1d.")] = "1h"
    until: Annotated[str | None, Field(description="As `since`; nothing younger.")] = None
    limit: Annotated[int, Field(ge=1, le=3000, description="Points in this reply.")] = 1500


class MetricEvent(Record):
    """Data of `metric.sampled`: there are new figures; `ProcessList` has those of each process."""

    processes: Annotated[int, Field(description="Trees that were looked at.")]
    cpu_percent: Annotated[float | None, Field(description="Of one core, all together; null at the first look.")]
    memory_bytes: int | None


COMMANDS: tuple[type[Command[Reply]], ...] = (MetricGet, MetricHistory)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {"metric.sampled": MetricEvent}
