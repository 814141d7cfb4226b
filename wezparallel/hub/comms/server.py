"""Connections of the public socket: lines in, lines out. The one place for `asyncio.Protocol`.

A task per request costs 5.8 times the floor, a protocol's callback twice; that is why. What a line means is not known
here: `Dispatcher.receive` is called with it, and answers through a `Slot`. Replies without ids keep their order, with
ids they leave as they finish.
"""

from __future__ import annotations

import asyncio  # noqa: TID251  the one place
import os
import select
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, cast

from wezparallel.errors import RequestError, WezparallelError, WireError
from wezparallel.hub.comms.callers import Caller
from wezparallel.wire.envelope import dump, reply_line
from wezparallel.wire.lines import LineReader

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from wezparallel.protocol.events import Event

CLOSE_AFTER_S = 0.2  # a lone request's client, `nc` mostly, is let go this long after its reply
WRITE_LIMIT_BYTES = 1 << 20  # above it a subscriber is passed over and a requester is no longer read


class Receiver(Protocol):
    """What stands above: gives lines their meaning."""

    def receive(self, connection: Connection, line: bytes) -> None:
        """Handle one line; must answer through `connection.slot(…)`."""
        ...

    def closed(self, connection: Connection) -> None:
        """The connection is gone."""
        ...

    def refused(self, line: bytes) -> None:
        """The connection was told this error, and is closed."""
        ...

    def missed(self) -> None:
        """The connection was passed over with an event."""
        ...


class Slot:
    """The place of one reply in a connection's order."""

    __slots__ = ("_connection", "done", "has_id", "line")

    def __init__(self, connection: Connection, has_id: bool) -> None:
        self._connection = connection
        self.has_id = has_id
        self.line: bytes | None = None
        self.done: Callable[[bytes], object] | None = None
        """Called with the reply."""

    def fill(self, line: bytes) -> None:
        """Give the reply; it leaves when its turn has come."""
        self.line = line
        self._connection.filled(self)
        if self.done is not None:
            self.done(line)


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, receiver: Receiver, loop: asyncio.AbstractEventLoop) -> None:
        self._receiver = receiver
        self._loop = loop
        self._reader = LineReader()
        self._ordered: list[Slot] = []
        self.waiting = 0
        """Requests that are not answered yet."""
        self._requests = 0
        self._only_without_id = True
        self._half_closed = False
        self._paused = False
        self._missed = 0
        self._resumed: asyncio.Event | None = None
        self._transport: asyncio.Transport | None = None
        self.caller: Caller = Caller.nobody()
        self.stream: object | None = None
        """The present subscription, if there is one; another one has another."""
        self._backlog: deque[bytes] = deque()
        """Lines that came in one packet with those whose replies the client does not read."""
        self._last_missed = 0

    @property
    def streaming(self) -> bool:
        """Tell whether it gets events, or is about to."""
        return self.stream is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who asks, while the peer is certainly there."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_LIMIT_BYTES)
        self.caller = Caller.of_socket(transport.get_extra_info("socket"))
        if self.caller.uid not in (os.getuid(), 0):
            self._refuse(RequestError("caller.other_user", "this daemon serves another user; start your own"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it; what was accepted goes on."""
        self._transport = None
        self.stream = None
        self._backlog.clear()
        self._wake()
        self._receiver.closed(self)

    def data_received(self, data: bytes) -> None:
        """Cut lines and hand them up."""
        try:
            lines = self._reader.feed(data)
        except WireError as error:
            self._refuse(error)
            return
        for line in lines:
            if self._paused:
                self._backlog.append(line)
            else:
                self._receiver.receive(self, line)

    def eof_received(self) -> bool:
        """Take what stands unterminated as a line; stay open until everything is answered."""
        self._half_closed = True
        rest = self._reader.finish()
        if rest is not None and self._paused:
            self._backlog.append(rest)
        elif rest is not None:
            self._receiver.receive(self, rest)
        if self.streaming and self._is_gone():
            return False  # nobody is there to read events; the loop closes
        self._close_if_done()
        return True

    def pause_writing(self) -> None:
        """The client does not read: read no further requests of it, and pass it over with events."""
        self._paused = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._paused = False
        self._wake()
        self._tell_missed()
        while self._backlog and not self._paused:
            self._receiver.receive(self, self._backlog.popleft())
        if self._transport is None or self._paused:
            return
        self._transport.resume_reading()
        self._close_if_done()

    def slot(self, has_id: bool) -> Slot:
        """Open a place for one reply."""
        slot = Slot(self, has_id)
        self.waiting += 1
        self._requests += 1
        if has_id:
            self._only_without_id = False
        else:
            self._ordered.append(slot)
        return slot

    def filled(self, slot: Slot) -> None:
        """Send what may leave now."""
        if slot.has_id:
            self.write(slot.line or b"")
            self.waiting -= 1
        else:
            ready = b""
            while self._ordered and self._ordered[0].line is not None:
                ready += self._ordered.pop(0).line or b""
                self.waiting -= 1
            self.write(ready)
        if self.waiting == 0:
            self._all_answered()

    def answer(self, line: bytes, has_id: bool) -> None:
        """Reply at once, where no earlier request waits: what a slot would do, for a third of the time."""
        self._requests += 1
        if has_id:
            self._only_without_id = False
        self.write(line)
        if self._requests == 1 or self._half_closed:
            self._all_answered()

    def _all_answered(self) -> None:
        if self.stream is not None:
            return
        if self._half_closed:
            self._close_if_done()
        elif self._requests == 1 and self._only_without_id:
            self._loop.call_later(CLOSE_AFTER_S, self._close_if_lone)

    def write(self, line: bytes) -> None:
        """Send bytes, if anyone is still there."""
        if line and self._transport is not None:
            self._transport.write(line)

    async def drained(self) -> bool:
        """Wait until the client has read most of what was sent; tell whether it is still there."""
        if self._paused and self._transport is not None:
            self._resumed = asyncio.Event()
            await self._resumed.wait()
        return self._transport is not None

    def deliver(self, event: Event, line: bytes) -> None:
        """Send an event, or count it as missed while the client does not read."""
        if self._paused:
            self._missed += 1
            self._last_missed = event.seq
            self._receiver.missed()
            return
        self.write(line)

    def _tell_missed(self) -> None:
        """Say at once what was missed: nothing may happen for hours that could bring the news along."""
        if self._missed and self.streaming:
            self.write(dump({"Lagged": {"missed": self._missed, "next": self._last_missed + 1}}))
        self._missed = 0

    def _wake(self) -> None:
        if self._resumed is not None:
            self._resumed.set()

    def _is_gone(self) -> bool:
        """Tell a peer that closed from one that only has nothing more to say (`echo … | nc -N`)."""
        if self._transport is None:
            return True
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), 0)
        return bool(poll.poll(0))

    def _refuse(self, error: WezparallelError) -> None:
        line = reply_line("Error", error.to_json())
        self.write(line)
        self._receiver.refused(line)
        if self._transport is not None:
            self._transport.close()

    def _close_if_lone(self) -> None:
        if self._requests == 1 and self.waiting == 0 and not self.streaming and self._transport is not None:
            self._transport.close()

    def _close_if_done(self) -> None:
        done = self.waiting == 0 and not self._backlog and not self.streaming
        if self._half_closed and done and self._transport is not None:
            self._transport.close()


async def serve(listener: socket.socket, receiver: Receiver) -> Any:
    """Accept on a listening socket that the keeper passed on. The socket's path stays the keeper's: never closed."""
    loop = asyncio.get_running_loop()
    return await loop.create_unix_server(lambda: Connection(receiver, loop), sock=listener, backlog=4096)


def soon() -> Callable[[Callable[[], None]], Any]:
    """Return what runs a function at the end of this turn of the loop, called from the hub's thread."""
    return asyncio.get_running_loop().call_soon


def thread_waker() -> Callable[[Callable[[], None]], Any]:
    """Return what runs a function in the hub's thread, called from any thread."""
    return asyncio.get_running_loop().call_soon_threadsafe
