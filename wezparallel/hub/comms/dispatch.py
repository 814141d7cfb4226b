"""Name to model to handler, and back. The only place where exceptions become replies.

A read is answered once everything that it could have seen is committed; while nothing can be, from what was
(`committed`). A mutation is two steps: `accept` changes memory and records, at once; `finish` waits for the effect
and makes the reply. What `accept` returned is committed together with the mutation and its key, so that after a
crash, or at a retry, only `finish` runs again: exactly one effect, and a mutation that was accepted is finished even
if its client has gone.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import structlog
from pydantic import ValidationError

from wezparallel.errors import RequestError, WezparallelError, WireError
from wezparallel.hub.comms.committed import Committed
from wezparallel.hub.comms.familiar import Familiar, split
from wezparallel.hub.comms.replies import bad_fields, to_body, to_line
from wezparallel.hub.failpoints import failpoint
from wezparallel.hub.metrics.counts import TIMED_EVERY
from wezparallel.protocol import registry
from wezparallel.protocol.command import Command, Mutation, Reply
from wezparallel.wire.envelope import Request, parse_request, reply_line
from wezparallel.wire.lines import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.callers import Caller
    from wezparallel.hub.comms.familiar import Known
    from wezparallel.hub.comms.server import Connection, Slot

log = structlog.get_logger()

Accepted = dict[str, Any]

_sorted = json.JSONEncoder(sort_keys=True)
_UNWRITTEN = {"environment", "terminal"}  # fields that are kept in memory only


@dataclass(frozen=True, slots=True)
class Read:
    """A command that changes nothing."""

    run: Callable[[Hub, Any], Reply]
    sees_state: bool = True
    """Whether the reply waits for the commit of what it may show."""
    depends_on: Callable[[Hub], object] | None = None
    """While what it returns stays equal, the reply does; without it, replies are kept for one turn of the loop."""
    heed: Callable[[Hub, Any, Caller], bool] | None = None
    """Called with who asks; tells whether that mattered, so that the request has to be looked at again each time."""


@dataclass(frozen=True, slots=True)
class LateRead:
    """A command that changes nothing, whose answer may have to come from the keeper."""

    run: Callable[[Hub, Any], Awaitable[Reply]]
    is_private: bool = False
    """It tells what not everybody may read: the caller is looked at as with a mutation."""


@dataclass(frozen=True, slots=True)
class Write:
    """A mutation."""

    accept: Callable[[Hub, Any], Accepted]
    finish: Callable[[Hub, Any, Accepted], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Stream:
    """A command that changes what its own connection gets."""

    run: Callable[[Hub, Any, Connection, Callable[[Reply], None]], None]


Handler: TypeAlias = Read | LateRead | Write | Stream


class InFlight:
    """A keyed mutation whose reply is not known yet, and who waits for it."""

    def __init__(self, request_hash: str, *waiting: tuple[Slot, Request]) -> None:
        self.request_hash = request_hash
        self.waiting = list(waiting)


class Dispatcher:
    """What the server's lines mean."""

    def __init__(
        self, hub: Hub, handlers: Mapping[str, Handler], soon: Callable[[Callable[[], None]], object]
    ) -> None:
        """`soon` calls back before the loop's next turn."""
        self._hub = hub
        self._handlers = handlers
        self._counts = hub.counts
        self._in_flight: dict[str, InFlight] = {}
        self._familiar = Familiar(soon)
        self._committed = Committed(hub)
        self._held: dict[Slot, tuple[Read, Command[Reply], Request]] = {}
        """Reads whose replies wait for a commit."""
        hub.store.when_failing = self._failing

    def receive(self, connection: Connection, line: bytes) -> None:
        """Handle one line of a connection."""
        head, digits = split(line)
        known = self._familiar.find(head)
        if known is not None:
            self._read(connection, known, digits)
            return
        began = perf_counter()
        try:
            request = parse_request(line)
        except WezparallelError as error:
            request = Request("", {}, error.data.get("id"), "id" in error.data)
            self._slot(connection, request, began).fill(reply_line("Error", error.to_json(), request))
            return
        slot = self._slot(connection, request, began)
        try:
            self._hub.check_serving()
            command = self._parse(request)
            handler = self._handlers[request.name]
            if isinstance(handler, Read):
                heeded = handler.heed is not None and handler.heed(self._hub, command, connection.caller)
                if request.has_id is bool(digits) and not heeded:
                    self._familiar.learn(head, handler, command, self._counts.of_command(request.name))
                self._answer(slot, handler, command, request)
                return
            self._familiar.forget()
            if isinstance(handler, LateRead):
                if handler.is_private:
                    self._hub.check_caller(connection.caller, command)
                self._hub.tasks.start_soon(self._answer_late, slot, request, handler, command)
            elif isinstance(handler, Stream):
                handler.run(self._hub, command, connection, lambda reply: slot.fill(to_line(reply, request)))
            else:
                self._mutate(connection.caller, command, (slot, request), handler)
        except Exception as error:  # noqa: BLE001  the boundary
            slot.fill(reply_line("Error", self._error(error, request.name), request))

    def _read(self, connection: Connection, known: Known, digits: bytes) -> None:
        """Answer a read that was asked before; `digits` are its id."""
        store, handler = self._hub.store, known.handler
        latency = known.latency
        began = perf_counter() if latency.untimed >= TIMED_EVERY - 1 else 0.0
        try:
            if store.error is not None:
                request = _request(known.command, digits)
                hub = self._looks_at(handler)
                line = to_line(handler.run(hub, known.command), request)
                self._fill(self._slot(connection, request, began), (handler, known.command, request), line, hub)
                return
            state = handler.depends_on(self._hub) if handler.depends_on is not None else None
            body = known.body
            if body is None or known.state != state:
                body = to_body(handler.run(self._hub, known.command))
                self._familiar.keep(known, body, state)
            line = body + b',"id":' + digits + b"}\n" if digits else body + b"}\n"
            if connection.waiting or (handler.sees_state and store.ticket() > store.committed):
                asked = (handler, known.command, _request(known.command, digits))
                self._fill(self._slot(connection, asked[2], began), asked, line, self._hub)
            else:
                connection.answer(line, bool(digits))
                if began:
                    latency.add(perf_counter() - began, TIMED_EVERY)
                else:
                    latency.untimed += 1
        except Exception as error:  # noqa: BLE001  the boundary
            request = _request(known.command, digits)
            slot = self._slot(connection, request, began)
            slot.fill(reply_line("Error", self._error(error, request.name), request))

    def _slot(self, connection: Connection, request: Request, began: float) -> Slot:
        """Open the place of a reply, which is counted once it is there."""
        slot = connection.slot(request.has_id)
        began = began or perf_counter()
        name = request.name if request.name in self._handlers else ""
        slot.done = lambda line: self._counts.replied(name, perf_counter() - began, line)
        return slot

    async def _answer_late(self, slot: Slot, request: Request, handler: LateRead, command: Command[Reply]) -> None:
        try:
            slot.fill(to_line(await handler.run(self._hub, command), request))
        except anyio.get_cancelled_exc_class():
            raise
        except Exception as error:  # noqa: BLE001  the boundary
            slot.fill(reply_line("Error", self._error(error, request.name), request))

    def closed(self, connection: Connection) -> None:
        """Forget a connection's subscription."""
        self._hub.bus.unsubscribe(connection)

    def refused(self, line: bytes) -> None:
        """Count the error that ended a connection."""
        self._counts.refused(line)

    def missed(self) -> None:
        """Count an event that a subscriber was passed over with."""
        self._counts.lagged += 1

    @property
    def waiting(self) -> tuple[int, int]:
        """How many mutations with a key, and how many reads, wait."""
        return len(self._in_flight), len(self._held)

    def resume(self) -> None:
        """Finish what an earlier hub accepted and did not answer."""
        for row in self._hub.store.unanswered_keys():
            try:
                command = registry.find(row.command).model_validate(row.accepted["command"])
            except (RequestError, ValidationError) as error:  # another version's: no hub must fail to start over it
                log.warning("request.unreadable", key=row.key, command=row.command, reason=str(error))
                self._hub.store.put_reply(row.key, {"Error": _unreadable(row.command).to_json()})
                continue
            self._begin(row.key, InFlight(row.request_hash), command, row.accepted["accepted"])

    def _begin(self, key: str, flight: InFlight, command: Command[Reply], accepted: Accepted) -> None:
        self._in_flight[key] = flight
        self._hub.tasks.start_soon(self._finish_keyed, key, command, accepted)

    def _looks_at(self, handler: Read) -> Hub:
        """Return what a read is told of: all that there is, or while nothing can be written, what is written."""
        return self._committed.sees() if handler.sees_state else self._hub

    def _answer(self, slot: Slot, handler: Read, command: Command[Reply], request: Request) -> None:
        hub = self._looks_at(handler)
        self._fill(slot, (handler, command, request), to_line(handler.run(hub, command), request), hub)

    def _fill(self, slot: Slot, asked: tuple[Read, Command[Reply], Request], line: bytes, seen: Hub) -> None:
        """Let a read's reply leave once what it shows is committed; it has `seen` this hub."""
        store = self._hub.store
        ticket = store.ticket() if asked[0].sees_state and seen is self._hub else 0
        if ticket <= store.committed:
            store.when_committed(ticket, partial(slot.fill, line))
            return
        self._held[slot] = asked
        store.when_committed(ticket, partial(self._release, slot, line))

    def _release(self, slot: Slot, line: bytes) -> None:
        if self._held.pop(slot, None) is not None:
            slot.fill(line)

    def _failing(self, error: RequestError | None) -> None:
        """Nothing can be written, perhaps for hours: answer those who wait for it with what is written."""
        if error is None:
            return
        held, self._held = self._held, {}
        for slot, (handler, command, request) in held.items():
            try:
                self._answer(slot, handler, command, request)
            except Exception as told:  # noqa: BLE001  the boundary
                slot.fill(reply_line("Error", self._error(told, request.name), request))

    def _parse(self, request: Request) -> Command[Reply]:
        model = registry.find(request.name)
        try:
            return model.model_validate(request.fields)
        except ValidationError as error:
            raise bad_fields(request.name, model, error) from None

    def _mutate(self, caller: Caller, command: Command[Reply], waiter: tuple[Slot, Request], handler: Write) -> None:
        if self._hub.store.error is not None:
            raise self._hub.store.error
        self._hub.check_caller(caller, command)
        key = command.key if isinstance(command, Mutation) else None
        if key is None:
            accepted = self._accept(handler, command, caller)
            self._hub.tasks.start_soon(self._finish_plain, waiter, command, accepted)
            return
        request_hash = _hash(command)
        if self._known(key, request_hash, command, waiter):
            return
        accepted = self._accept(handler, command, caller)
        stored = {"command": command.model_dump(exclude=_UNWRITTEN), "accepted": accepted}
        self._hub.store.put_key(key, type(command).__name__, request_hash, stored)
        self._begin(key, InFlight(request_hash, waiter), command, accepted)

    def _accept(self, handler: Write, command: Command[Reply], caller: Caller) -> Accepted:
        with self._hub.bus.caused_by(caller.by()):
            return handler.accept(self._hub, command)

    def _known(self, key: str, request_hash: str, command: Command[Reply], waiter: tuple[Slot, Request]) -> bool:
        """Serve a retry; tell whether it was one. Raises RequestError `command.key_reused`."""
        flight = self._in_flight.get(key)
        row = None if flight else self._hub.store.find_key(key)
        if flight is None and row is None:
            return False
        if (flight or row).request_hash != request_hash:  # type: ignore[union-attr]
            raise RequestError(
                "command.key_reused", f"the key {key!r} belongs to another request; make a new key", key=key
            )
        if flight is not None:
            flight.waiting.append(waiter)
        elif row is not None and row.reply is not None:
            _fill(waiter, row.reply)
        elif row is not None:
            self._begin(key, InFlight(request_hash, waiter), command, row.accepted["accepted"])
        return True

    async def _finish_plain(self, waiter: tuple[Slot, Request], command: Command[Reply], accepted: Accepted) -> None:
        reply = await self._finish(command, accepted)
        await self._hub.store.wait_committed(self._hub.store.ticket())
        _fill(waiter, reply)

    async def _finish_keyed(self, key: str, command: Command[Reply], accepted: Accepted) -> None:
        reply = await self._finish(command, accepted)
        failpoint("answered")
        self._hub.store.put_reply(key, reply)
        await self._hub.store.wait_committed(self._hub.store.ticket())
        flight = self._in_flight.pop(key)
        for waiter in flight.waiting:
            _fill(waiter, reply)

    async def _finish(self, command: Command[Reply], accepted: Accepted) -> dict[str, Any]:
        name = type(command).__name__
        handler = self._handlers[name]
        assert isinstance(handler, Write)
        try:
            await self._hub.store.wait_committed(self._hub.store.ticket())
            reply = await handler.finish(self._hub, command, accepted)
            return {reply.TAG: reply.model_dump(mode="json")}
        except anyio.get_cancelled_exc_class():
            raise
        except Exception as error:  # noqa: BLE001  the boundary
            return {"Error": self._error(error, name)}

    def _error(self, error: Exception, name: str) -> dict[str, Any]:
        if isinstance(error, (RequestError, WireError)):
            return error.to_json()
        incident = secrets.token_hex(4)
        log.error("internal.bug", incident=incident, command=name, exc_info=error)
        self._hub.bus.publish("hub.error", {"hub_id": self._hub.hub_id, "message": str(error), "incident": incident})
        return {
            "code": "internal.bug",
            "message": f"{name} met a fault of ours; the hub's log explains incident {incident}",
            "data": {"incident": incident},
        }


def _request(command: Command[Reply], digits: bytes) -> Request:
    """Return a request that was asked before; `digits` are its id."""
    return Request(type(command).__name__, {}, int(digits) if digits else None, bool(digits))


def _fill(waiter: tuple[Slot, Request], reply: dict[str, Any]) -> None:
    slot, request = waiter
    tag, body = next(iter(reply.items()))
    line = reply_line(tag, body, request)
    if len(line) > MAX_LINE:
        error = RequestError("wire.too_long", f"{tag}, but the reply would be over 1 MiB; ask for its parts")
        line = reply_line("Error", error.to_json(), request)
    slot.fill(line)


def _hash(command: Command[Reply]) -> str:
    text = _sorted.encode(command.model_dump(mode="json", exclude={"key"} | _UNWRITTEN))
    return hashlib.sha256(f"{type(command).__name__} {text}".encode()).hexdigest()


def _unreadable(command: str) -> RequestError:
    return RequestError(
        "command.bad_value",
        f"{command} was accepted by another version of the daemon; look what became of it, and ask with a new key",
        command=command,
    )
