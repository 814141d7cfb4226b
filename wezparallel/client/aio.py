"""An anyio client of the public socket, for programs that do other things meanwhile: the dashboard, notifications.

    async with connect() as client:
        await client.call("ProcessRestart", {"process": "shop/server"})
        async for news in client.subscribe(["process.*"]): ...

Requests share one connection and are answered as they finish; a subscription has a connection of its own. When the
hub goes away, both come back by themselves: a request is sent again with its key, so that it has one effect, and a
subscription goes on behind the last event that it gave. What sync.py does in a blocking way stands there.
"""

from __future__ import annotations

import math
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import anyio
from anyio.abc import SocketAttribute

from wezparallel import paths
from wezparallel.client import sync
from wezparallel.errors import LinkError, RequestError
from wezparallel.wire import envelope
from wezparallel.wire.lines import LineReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import SocketStream, TaskGroup

    from wezparallel.types import JsonObject, Seconds

PATIENCE_S = 30.0
FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.5
STOPPED = "the daemon was stopped; `wezparallel daemon start` starts it again"
_READ = 256 * 1024
_GONE = (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


class Snapshot(NamedTuple):
    """All there is, at one moment; what came before is void."""

    workspaces: list[JsonObject]
    processes: list[JsonObject]


class Happened(NamedTuple):
    """One event."""

    event: JsonObject


class Away(NamedTuple):
    """The hub cannot be reached; what is known grows old from now on."""

    reason: str
    """`STOPPED` where somebody wants it so; it is not started again by asking."""


class Back(NamedTuple):
    """The hub is there again, and nothing was missed."""


News: TypeAlias = Snapshot | Happened | Away | Back


class Client:
    """Requests and subscriptions at one socket."""

    def __init__(self, path: str, tasks: TaskGroup, patience_s: Seconds) -> None:
        self.path = path
        self._tasks = tasks
        self._patience_s = patience_s
        self._stream: SocketStream | None = None
        self._connecting = anyio.Lock()
        self._sending = anyio.Lock()
        self._waiting: dict[int, _Answer] = {}
        self._last_id = 0

    async def call(
        self, name: str, fields: JsonObject | None = None, *, timeout_s: Seconds | None = None
    ) -> JsonObject:
        """Send one command and return its reply's fields.

        Raises:
            RequestError: the hub answered `Error`.
            LinkError: no hub could be reached in time.
        """
        body = {field: value for field, value in (fields or {}).items() if value is not None}
        if name not in sync.READS:
            body.setdefault("key", os.urandom(16).hex())
        self._last_id += 1
        number = self._last_id
        request = envelope.dump({name: body, "id": number})
        with anyio.move_on_after(math.inf if timeout_s is None else timeout_s):
            return sync.unwrap(await self._ask(number, request))
        raise LinkError("the hub did not answer in time; see `wezparallel daemon status`")

    async def _ask(self, number: int, request: bytes) -> JsonObject:
        """Send until there is a reply. Raises LinkError."""
        pauses = _Pauses(self._patience_s)
        while True:
            answer = _Answer()
            try:
                stream = await self._connected()
                self._waiting[number] = answer
                await self._send(stream, request)
                await answer.arrived.wait()
            except _GONE as error:
                answer.reason = str(error)
            finally:
                self._waiting.pop(number, None)
            reply = answer.reply
            if reply is not None and reply.get("Error", {}).get("code") != "hub.restarting":
                return reply
            await pauses.wait(answer.reason)

    async def _connected(self) -> SocketStream:
        async with self._connecting:
            if self._stream is None:
                self._stream = await _open(self.path)
                self._tasks.start_soon(self._read, self._stream)
            return self._stream

    async def _send(self, stream: SocketStream, request: bytes) -> None:
        async with self._sending:
            try:
                await stream.send(request)
            except BaseException:
                # Half a request may be out: nothing can follow it.
                self._forget(stream)
                await anyio.aclose_forcefully(stream)
                raise

    def _forget(self, stream: SocketStream) -> None:
        if self._stream is stream:
            self._stream = None

    async def _read(self, stream: SocketStream) -> None:
        """Hand replies to whoever waits for them, until the connection ends."""
        try:
            async with stream:
                async for message in _messages(stream):
                    answer = self._waiting.get(message.get("id", 0))
                    if answer is not None:
                        answer.reply = message
                        answer.arrived.set()
        except _GONE:
            pass
        finally:
            self._forget(stream)
            for answer in self._waiting.values():
                answer.reason = "the connection ended before the reply"
                answer.arrived.set()

    async def subscribe(self, events: list[str], position: Position | None = None) -> AsyncIterator[News]:
        """Give a snapshot, then what happens; for ever. With a position that has come somewhere: what followed it.

        A hub that goes away is waited for without end, and told of by `Away` and then `Back` or a new `Snapshot`.
        """
        place = _Place(events, position or Position())
        away = ""  # why, as it was told
        pauses = _Pauses(math.inf)
        while True:
            reason = "the connection ended"
            try:
                async with await _open(self.path) as stream:
                    await stream.send(place.request())
                    async for message in _messages(stream):
                        if "Subscribed" in message and away:
                            away = ""
                            pauses = _Pauses(math.inf)
                            if message["Subscribed"].get("snapshot") is None:
                                yield Back()
                        news = place.take(message)
                        if news is not None:
                            yield news
                        elif "Lagged" in message:  # the journal has what was missed
                            await stream.send(place.request())
            except _GONE as error:
                reason = str(error) or reason
            except (LinkError, RequestError) as error:
                reason = error.message
            if not away or (reason == STOPPED) != (away == STOPPED):
                away = reason
                yield Away(reason)
            await pauses.wait(reason)


class Position:
    """How far a subscription has come; who keeps it can go on from there, also with another client."""

    def __init__(self, since: int | None = None, epoch: str | None = None) -> None:
        self.since = since
        self.epoch = epoch


class _Answer:
    """Where a reply is waited for."""

    def __init__(self) -> None:
        self.arrived = anyio.Event()
        self.reply: JsonObject | None = None
        self.reason = ""


class _Place:
    """How far a subscription has come."""

    def __init__(self, events: list[str], position: Position) -> None:
        self._events = events
        self._at = position
        self._parts: list[JsonObject] = []

    def request(self) -> bytes:
        """Return the request that goes on from here."""
        self._parts = []
        body: JsonObject = {"events": self._events}
        if self._at.since is not None:
            body |= {"since": self._at.since, "epoch": self._at.epoch}
        return envelope.dump({"Subscribe": body, "id": 1})

    def take(self, message: JsonObject) -> News | None:
        """Return what a message tells. Raises RequestError."""
        event = message.get("Event")
        if event is not None:
            self._at.since = max(self._at.since or 0, int(event["seq"]))
            return Happened(event)
        if "SnapshotPart" in message:
            self._parts += message["SnapshotPart"]["processes"]
        elif "Subscribed" in message:
            first = message["Subscribed"]
            self._at.epoch = first["epoch"]
            snapshot = first.get("snapshot")
            if snapshot is not None:
                self._at.since = int(first["seq"])
                return Snapshot(snapshot["workspaces"], self._parts + snapshot["processes"])
        elif "Error" in message:
            sync.unwrap(message)
        return None


class _Pauses:
    """Longer and longer ones, until patience ends."""

    def __init__(self, patience_s: Seconds) -> None:
        self._patience_s = patience_s
        self._until = anyio.current_time() + patience_s
        self._next_s = FIRST_PAUSE_S

    async def wait(self, reason: str) -> None:
        """Wait. Raises LinkError at the end of patience."""
        if anyio.current_time() >= self._until:
            raise LinkError(
                f"the hub went away and did not come back within {self._patience_s:g} s ({reason}); "
                "see `wezparallel daemon status`"
            )
        await anyio.sleep(self._next_s)
        self._next_s = min(self._next_s * 2, LONGEST_PAUSE_S)


@asynccontextmanager
async def connect(path: str | None = None, *, patience_s: Seconds = PATIENCE_S) -> AsyncIterator[Client]:
    """Give a client; its connections end with the block. `patience_s` bounds how long a request waits for a hub."""
    async with anyio.create_task_group() as tasks:
        try:
            yield Client(path or paths.client_socket(), tasks, patience_s)
        finally:
            tasks.cancel_scope.cancel()


async def _open(path: str) -> SocketStream:
    """Connect to our user's hub. Raises OSError, LinkError."""
    if path == paths.client_socket() and os.path.exists(paths.stopped_mark()):
        raise LinkError(STOPPED)  # the keeper would take a connect for a wish to have the hub back
    stream = await anyio.connect_unix(path)
    raw = stream.extra(SocketAttribute.raw_socket)  # noqa: S610  not Django's
    try:
        sync.check_server(raw, path)
    except LinkError:
        await stream.aclose()
        raise
    return stream


async def _messages(stream: SocketStream) -> AsyncIterator[JsonObject]:
    """Give what comes, until the connection ends by raising."""
    lines = LineReader()
    while True:
        for line in lines.feed(await stream.receive(_READ)):
            message = envelope.parse_json(line)
            if isinstance(message, dict):
                yield message
