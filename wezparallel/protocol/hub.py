"""The hub itself: is it there, what can it do, what goes on."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from wezparallel.protocol.command import Command, Effect, Mutation, Payload, Record, Reply

MIN_PROTOCOL = 1
MAX_PROTOCOL = 1


class ProtocolRange(Record):
    """Versions of the protocol that are spoken."""

    min: int = MIN_PROTOCOL
    max: int = MAX_PROTOCOL


class Pong(Reply):
    """The hub answers."""

    TAG: ClassVar[str] = "Pong"
    protocol: ProtocolRange = ProtocolRange()
    version: str
    hub_id: str
    uptime_s: float


class Ping(Command[Pong]):
    """Ask whether the hub answers."""

    REPLY: ClassVar[type[Reply]] = Pong
    mux: Annotated[
        str | None,
        Field(max_length=4096, description="Socket of the person's WezTerm whose plugin asks: it is there."),
    ] = None


class Description(Reply):
    """Every command, reply and event as JSON Schema."""

    TAG: ClassVar[str] = "Description"
    protocol: ProtocolRange = ProtocolRange()
    commands: dict[str, Payload]
    events: dict[str, Payload]


class Describe(Command[Description]):
    """Return every command, reply and event as JSON Schema."""

    REPLY: ClassVar[type[Reply]] = Description
    command: Annotated[str | None, Field(description="Only this one.")] = None


class StatusReply(Reply):
    """What runs, in numbers."""

    TAG: ClassVar[str] = "Status"
    version: str
    hub_id: str
    hub_pid: int
    keeper_pid: int | None
    epoch: str
    seq: int
    uptime_s: float
    keeper_uptime_s: float | None
    hub_deaths: int | None
    socket: str
    workspaces: int
    processes: int
    by_state: dict[str, int]
    spares: Annotated[int, Field(description="Of the processes, those that were started ahead.")] = 0
    hub_memory_bytes: int | None
    processes_memory_bytes: int | None
    subscribers: int
    metrics_url: Annotated[str | None, Field(description="Where Prometheus scrapes; null: nowhere.")] = None
    metrics_error: Annotated[str | None, Field(description="Why not, where it should.")] = None
    config_error: Annotated[
        str | None, Field(description="Why the configuration, or a value of it, does not hold.")
    ] = None
    store_error: Annotated[
        str | None,
        Field(description="Why nothing can be written; reads then tell what was, and what would change is refused."),
    ] = None


class Status(Command[StatusReply]):
    """Tell what runs, in numbers."""

    REPLY: ClassVar[type[Reply]] = StatusReply


class Subscribed(Reply):
    """Events follow as `{"Event": …}`."""

    TAG: ClassVar[str] = "Subscribed"
    epoch: str
    seq: int
    snapshot: Annotated[Payload | None, Field(description="The state at `seq`, when the past could not be told.")]


class Subscribe(Command[Subscribed]):
    """Get events from now on, or from `since`. Keeps the connection open."""

    REPLY: ClassVar[type[Reply]] = Subscribed
    events: Annotated[list[str], Field(min_length=1, max_length=64, description="Names, or `noun.*`, or `*`.")] = [
        "*"
    ]
    since: Annotated[int | None, Field(ge=0, description="Events after this `seq`.")] = None
    epoch: Annotated[str | None, Field(description="The epoch that `since` belongs to.")] = None


class Unsubscribed(Reply):
    """No further events."""

    TAG: ClassVar[str] = "Unsubscribed"


class Unsubscribe(Command[Unsubscribed]):
    """End this connection's subscription."""

    REPLY: ClassVar[type[Reply]] = Unsubscribed


class ShuttingDown(Reply):
    """The hub ends; the processes live on unless `children` was true."""

    TAG: ClassVar[str] = "ShuttingDown"
    children: bool


class Shutdown(Mutation[ShuttingDown]):
    """End the hub; with `children` stop every process first."""

    REPLY: ClassVar[type[Reply]] = ShuttingDown
    EFFECT: ClassVar[Effect] = "destroy"
    children: bool = False


class DaemonUpgraded(Reply):
    """Keeper and hub run the new program, with every process."""

    TAG: ClassVar[str] = "DaemonUpgraded"
    previous: Annotated[str, Field(description="The version before.")]
    version: str
    processes: Annotated[int, Field(description="Processes that went on.")]


class DaemonUpgrade(Mutation[DaemonUpgraded]):
    """Have the keeper become another program, in place; its hub follows. Answered by the new hub."""

    REPLY: ClassVar[type[Reply]] = DaemonUpgraded
    EFFECT: ClassVar[Effect] = "destroy"
    argv: Annotated[
        list[str],
        Field(min_length=1, max_length=64, description="The new keeper's command line; it must load first."),
    ]


class HubEvent(Record):
    """Data of `hub.*` events."""

    hub_id: str
    message: str | None = None
    incident: str | None = None


COMMANDS: tuple[type[Command[Reply]], ...] = (Ping, Describe, Status, Subscribe, Unsubscribe, Shutdown, DaemonUpgrade)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {f"hub.{verb}": HubEvent for verb in ("started", "stopping", "error")}
