"""Handlers of the commands about the hub itself."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import anyio.lowlevel

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub.handlers import process as processes
from wezparallel.hub.pool.supervise import alive
from wezparallel.keeper import messages
from wezparallel.protocol import hub as words
from wezparallel.protocol import registry
from wezparallel.protocol.events import Filter
from wezparallel.wire.envelope import dump

if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.callers import Caller
    from wezparallel.hub.comms.dispatch import Accepted
    from wezparallel.hub.comms.server import Connection
    from wezparallel.protocol.command import Reply

LAST_COMMIT_S = 10.0  # a full disk must not keep a daemon from ending
REPLAY_PART = 200  # events sent in one turn: some milliseconds
SNAPSHOT_PART = 512 * 1024  # bytes of process records a part: with one more, or the workspaces, below the line limit

PROTOCOL = words.ProtocolRange()


def heed(hub: Hub, command: words.Ping, caller: Caller) -> bool:
    """A GUI says that it is there; tell whether one did."""
    if command.mux is None:
        return False
    hub.know(caller)
    with hub.bus.caused_by(caller.by()):
        hub.gui.heard(command.mux)
    return True


def ping(hub: Hub, _command: words.Ping) -> words.Pong:
    """Answer, whoever asks."""
    return words.Pong(protocol=PROTOCOL, version=hub.version, hub_id=hub.hub_id, uptime_s=uptime(hub))


def uptime(hub: Hub) -> float:
    """Return the hub's age in seconds, in tenths: all that changes in most replies, so these can be kept as long."""
    return int((time.monotonic() - hub.started) * 10) / 10


def describe(_hub: Hub, command: words.Describe) -> words.Description:
    """Return the registry as JSON Schema."""
    return _described(command.command)


@cache
def _described(command: str | None) -> words.Description:
    """Make it once: all of it takes 0.4 s, in which nobody else is answered. An unknown name is no entry."""
    events = {} if command else registry.describe_events()
    return words.Description(commands=registry.describe(command), events=events)


def status(hub: Hub, _command: words.Status) -> words.StatusReply:
    """Return what runs, in numbers."""
    by_state: dict[str, int] = {}
    for process in hub.state.processes.values():
        if not process.removed:
            by_state[process.state] = by_state.get(process.state, 0) + 1
    memory = [usage.memory_bytes for usage in hub.usage.values() if usage.memory_bytes is not None]
    facts = hub.keeper_facts
    keeper_started = facts.get("keeper_started_at")
    return words.StatusReply(
        version=hub.version, hub_id=hub.hub_id, hub_pid=os.getpid(), keeper_pid=facts.get("keeper_pid"),
        epoch=hub.store.epoch, seq=hub.bus.seq, uptime_s=uptime(hub),
        keeper_uptime_s=None if keeper_started is None else round((hub.now_ms() - keeper_started) / 1000, 1),
        hub_deaths=facts.get("hub_deaths"), socket=_public_name(),
        workspaces=sum(workspace.open for workspace in hub.state.workspaces.values()),
        processes=sum(by_state.values()), by_state=by_state,
        spares=sum(one.is_spare and not one.removed for one in hub.state.processes.values()),
        hub_memory_bytes=own_memory(),
        processes_memory_bytes=sum(memory) if memory else None, subscribers=hub.bus.subscribers,
        metrics_url=hub.scraping.url, metrics_error=hub.scraping.error,
        config_error=hub.configuration.errors[0].summary if hub.configuration.errors else None,
        store_error=hub.store.error.message if hub.store.error else None,
    )  # fmt: skip


def status_state(hub: Hub) -> object:
    """Return what `Status` depends on."""
    return (
        uptime(hub), hub.store.changes, hub.usage, hub.bus.subscribers, hub.keeper_facts, hub.configuration.errors,
        hub.scraping.url, hub.scraping.error,
    )  # fmt: skip


def subscribe(hub: Hub, command: words.Subscribe, connection: Connection, reply: Callable[[Reply], None]) -> None:
    """Send the past, or a snapshot; then what comes. Raises RequestError while nothing can be written."""
    if hub.store.error is not None:
        raise hub.store.error  # nothing would come, perhaps for hours
    seq = hub.bus.seq
    wanted = Filter(command.events)
    hub.bus.unsubscribe(connection)  # the new one takes the place of the one before
    since = command.since
    snapshot = None if since is not None and hub.bus.can_tell(since, command.epoch) else _snapshot(hub)
    connection.stream = stream = object()

    def committed() -> None:
        body: dict[str, Any] | None = None
        if snapshot is not None:
            body = _send_parts(connection, snapshot)
        reply(words.Subscribed(epoch=hub.store.epoch, seq=seq, snapshot=body))
        if connection.stream is not stream:
            return  # it has gone, unsubscribed or subscribed anew meanwhile
        if snapshot is None and since is not None and since < seq:
            hub.tasks.start_soon(_tell_past, hub, (connection, stream), wanted, since)
        else:
            hub.bus.subscribe(connection, wanted)

    hub.store.when_committed(hub.store.ticket(), committed)


async def _tell_past(hub: Hub, to: tuple[Connection, object], wanted: Filter, told: int) -> None:
    """Send the journal after `told` as fast as the client reads it and without a gap; then what comes."""
    connection, stream = to
    while await connection.drained() and connection.stream is stream:
        events = hub.store.events_since(told, REPLAY_PART)
        if not events:  # in this turn nothing newer is committed, so nothing falls between the two
            hub.bus.subscribe(connection, wanted)
            return
        for event in events:
            if wanted.takes(event.name):
                connection.write(hub.bus.line(event))
        told = events[-1].seq
        await anyio.lowlevel.checkpoint()


def unsubscribe(
    hub: Hub, _command: words.Unsubscribe, connection: Connection, reply: Callable[[Reply], None]
) -> None:
    """Send no more events."""
    hub.bus.unsubscribe(connection)
    connection.stream = None
    reply(words.Unsubscribed())


def shutdown(hub: Hub, command: words.Shutdown) -> Accepted:
    """Nothing changes until the answer is on its way."""
    return {"children": command.children, "keeper": hub.keeper_facts.get("keeper_started_at")}


async def shut_down(hub: Hub, _command: words.Shutdown, accepted: Accepted) -> words.ShuttingDown:
    """Stop the processes if that was asked for; then have the keeper end the hub."""
    children: bool = accepted["children"]
    if accepted["keeper"] != hub.keeper_facts.get("keeper_started_at"):
        return words.ShuttingDown(children=children)  # the daemon that was meant has ended, its machine perhaps too
    if children:
        live = [process for process in hub.state.processes.values() if not process.removed]
        runs = [(process, hub.pool.want_down(process)) for process in live]
        for process, run_id in runs:
            if run_id is not None:
                with contextlib.suppress(RequestError):  # started again meanwhile: the keeper ends what is left
                    await processes.until_down(hub, process, run_id)
    latest = time.monotonic() + LAST_COMMIT_S

    def leave() -> None:
        # The reply must be out before the end, and it waits for its commit.
        if hub.store.committed < hub.store.ticket() and time.monotonic() < latest:
            hub.timers.after(0.1, leave)
        else:
            hub.link.send({"m": messages.EXIT, "children": children})

    hub.timers.after(0.1, leave)
    return words.ShuttingDown(children=children)


def upgrade(hub: Hub, _command: words.DaemonUpgrade) -> Accepted:
    """Name the upgrade, so that the hub which answers knows it as done."""
    keeper = hub.keeper_facts.get("keeper_started_at")
    return {"upgrade_id": secrets.token_hex(8), "previous": hub.version, "keeper": keeper}


async def upgraded(hub: Hub, command: words.DaemonUpgrade, accepted: Accepted) -> words.DaemonUpgraded:
    """Ask the keeper, whose next program ends this hub; the next hub finds the request unanswered, and answers."""
    facts = hub.keeper_facts
    if accepted["keeper"] == facts.get("keeper_started_at"):  # else the daemon that was meant has ended
        done = facts.get("upgrade") or {}
        if done.get("id") != accepted["upgrade_id"]:
            await hub.link.upgrade(command.argv, accepted["upgrade_id"])
        elif done.get("failed"):
            raise RequestError("command.bad_value", done["failed"])
    processes = sum(not process.removed and alive(process.run) for process in hub.state.processes.values())
    return words.DaemonUpgraded(previous=accepted["previous"], version=hub.version, processes=processes)


def _snapshot(hub: Hub) -> dict[str, Any]:
    live = [process for process in hub.state.processes.values() if not process.removed]
    return {
        "workspaces": list(hub.workspaces.snapshot().values()),
        "processes": [processes.record(hub, process) for process in live],
    }


def _send_parts(connection: Connection, snapshot: dict[str, Any]) -> dict[str, Any]:
    """Send what would not fit into one line ahead; return what stands in `Subscribed` itself."""
    part: list[dict[str, Any]] = []
    size = 0
    for record in snapshot["processes"]:
        if size > SNAPSHOT_PART:
            connection.write(dump({"SnapshotPart": {"processes": part}}))
            part, size = [], 0
        part.append(record.model_dump())
        size += processes.size_of(record)
    return {**snapshot, "processes": part}


@cache
def _public_name() -> str:
    return paths.link() or paths.hub_socket()


def own_memory() -> int | None:
    """Return this process's resident bytes."""
    return _own_memory(int(time.monotonic()))


@lru_cache(1)
def _own_memory(_second: int) -> int | None:
    """Return this process's resident bytes; read once a second at most, because that costs more than all the rest."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            return int(file.read(128).split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import psutil  # noqa: PLC0415  2 MB that Linux has no use for

        return int(psutil.Process().memory_info().rss)
