"""Listens to the hub, and hands what rules ask for to outboxes. A client like any other.

Rules and addresses come from the hub (`NotificationGet`), again whenever the configuration has changed; then whatever
waits stays. A hub that goes away is waited for, and nothing that happened meanwhile is missed.
"""

from __future__ import annotations

import sys
import time
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

import anyio

from wezparallel.client.aio import Away, Happened, Position, Snapshot, connect
from wezparallel.errors import LinkError, RequestError, WezparallelError
from wezparallel.integrations.notify import memory
from wezparallel.integrations.notify.channels import command, desktop, services, terminal, webhook
from wezparallel.integrations.notify.outbox import Limits, Outbox, Outcome
from wezparallel.integrations.notify.rules import Message, Rules, of_test

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.abc import TaskGroup

    from wezparallel.client.aio import Client
    from wezparallel.types import JsonObject

BUILT_IN = ("desktop", "terminal")
ALWAYS = ("config.changed", "alert.tested")
HOLDS_S = 0.05  # between two times that it is written down, in a flood; what was sent since is sent again
STOPPED_S = 1.0  # between two looks whether somebody has started the daemon again
ADVANCES_S = 60.0
"""Between two looks at how far the journal is: a place that is too far behind could not be gone on from."""
OLD_S = 3600.0
"""What happened so long before it was heard is no news any more."""


class Service:
    """All of it."""

    def __init__(self, client: Client, tasks: TaskGroup, path: str) -> None:
        self._client = client
        self._tasks = tasks
        self._path = path
        kept = memory.load(path)
        self._position = Position(kept.since, kept.epoch)
        self._left = list(kept.waiting)
        """Messages of an earlier life, until their outboxes are there."""
        self._held = kept.held
        self._rules = Rules({})
        self._boxes: dict[str, Outbox] = {}
        self._said: dict[str, JsonObject] = {}
        """box -> what it was made from"""
        self._of_channel: dict[str, list[str]] = {}
        self._times_away = 0
        self._held_changed = anyio.Event()
        self._is_dirty = anyio.Event()

    async def run(self) -> None:
        """Serve for ever. Raises RequestError if the hub does not want us."""
        self._tasks.start_soon(self._tell_held)
        self._tasks.start_soon(self._keep)
        self._tasks.start_soon(self._advance)
        try:
            while True:
                await self._configure()
                await self._listen()
        finally:
            self._save()

    async def _configure(self) -> None:
        """Take rules and channels as they are now."""
        said = await self._ask_for_rules()
        if self._position.since is None:
            self._position.since, self._position.epoch = said["since"], said["epoch"]
        rules = Rules(said["rules"])
        rules.take_over(self._rules)
        rules.hold_again(self._held)
        self._held = ()
        self._rules = rules
        channels: dict[str, JsonObject] = {**{name: {} for name in BUILT_IN}, **said["channels"]}
        self._of_channel = {}
        wanted: dict[str, JsonObject] = {}
        for name, channel in channels.items():
            for box, one in _parts(name, channel):
                wanted[box] = one
                self._of_channel.setdefault(name, []).append(box)
        for box in [box for box in self._boxes if self._said[box] != wanted.get(box)]:
            old = self._boxes.pop(box)
            del self._said[box]
            old.scope.cancel()
            self._left += [memory.Waiting(box, since, message) for message, since in old.waiting()]
        for box, one in wanted.items():
            if box not in self._boxes:
                self._open(box, one)
        for waiting in self._left:
            if waiting.box in self._boxes:
                self._boxes[waiting.box].put(waiting.message, waiting.since)
        self._left = []
        self._held_changed.set()
        self._is_dirty.set()

    async def _ask_for_rules(self) -> JsonObject:
        while True:
            try:
                return await self._client.call("NotificationGet")
            except LinkError:  # it was stopped, or does not come back for long; nothing else can be done
                await anyio.sleep(STOPPED_S)

    def _open(self, box: str, said: JsonObject) -> None:
        limits = Limits(said["tries"], said["backoff"], said["timeout"]) if said else Limits(tries=1)
        outbox = Outbox(box, self._way(box, said), limits, partial(self._ended, box.partition("#")[0]), say)
        self._boxes[box], self._said[box] = outbox, said
        self._tasks.start_soon(outbox.run)

    def _way(self, name: str, said: JsonObject) -> Callable[[Message], Awaitable[None]]:
        if not said:
            return self._to_desktop if name == "desktop" else partial(terminal.send, self._client)
        if said.get("webhook"):
            return partial(_in_thread, webhook.send, said)
        return partial(_in_thread, services.send, said) if said.get("apprise") else partial(command.send, said)

    async def _to_desktop(self, message: Message) -> None:
        if not await desktop.send(message):
            await terminal.send(self._client, message)

    async def _listen(self) -> None:
        """Hear what happens until the configuration has changed."""
        patterns = sorted({*self._rules.patterns(), *ALWAYS})
        async with aclosing(self._client.subscribe(patterns, self._position)) as all_news:  # type: ignore[type-var]
            async for news in all_news:
                if isinstance(news, Away):
                    self._times_away += 1
                if isinstance(news, Snapshot):
                    self._is_dirty.set()
                if not isinstance(news, Happened):
                    continue
                event = news.event
                self._is_dirty.set()
                if event["name"] == "alert.tested":
                    if _age_s(event) < OLD_S:
                        self._tasks.start_soon(self._test, event["data"])
                elif _age_s(event) < OLD_S:
                    self._hear(event)
                if event["name"] == "config.changed":
                    return

    def _hear(self, event: JsonObject) -> None:
        for told in self._rules.hear(event, time.time(), self._position.epoch or ""):
            self._put(told.message, told.channels)
        self._held_changed.set()

    def _put(self, message: Message, channels: list[str]) -> None:
        for channel in channels:
            for box in self._of_channel.get(channel, ()):
                self._boxes[box].put(message)
        self._is_dirty.set()

    async def _tell_held(self) -> None:
        """Tell what has held for as long as it had to, for ever."""
        while True:
            for told in self._rules.due(time.time()):
                self._put(told.message, told.channels)
            due = self._rules.next_due()
            self._held_changed = anyio.Event()
            with anyio.move_on_after(None if due is None else max(0.0, due - time.time())):
                await self._held_changed.wait()

    async def _test(self, asked: JsonObject) -> None:
        """Make one attempt in each channel, and report it."""
        async with anyio.create_task_group() as tasks:
            for channel in asked["channels"]:
                tasks.start_soon(self._test_one, asked, channel)

    async def _test_one(self, asked: JsonObject, channel: str) -> None:
        reason: str | None = "there is no such channel any more"
        for box in list(self._of_channel.get(channel, ())):
            reason = await self._boxes[box].once(of_test(asked["test_id"], asked["name"]))
            if reason is not None:
                break
        await self._report({"channel": channel, "reason": reason, "test_id": asked["test_id"]})

    def _ended(self, channel: str, outcome: Outcome) -> None:
        """A message was sent, or given up."""
        self._is_dirty.set()
        message = outcome.message
        self._tasks.start_soon(self._report, {
            "channel": channel, "rule": message.rule, "kind": message.kind, "title": message.title[:200],
            "body": message.body[:1000], "reason": outcome.reason, "tries": outcome.tries,
        })  # fmt: skip

    async def _report(self, said: JsonObject) -> None:
        try:
            await self._client.call("NotificationReport", said)
        except WezparallelError as error:
            say(f"{said['channel']}: what became of a message could not be reported: {error.code}")

    async def _keep(self) -> None:
        """Write down how far it is, soon after it has changed, for ever."""
        while True:
            await self._is_dirty.wait()
            self._is_dirty = anyio.Event()
            self._save()
            await anyio.sleep(HOLDS_S)

    async def _advance(self) -> None:
        """Move the place in the journal behind what is of no interest to us, for ever.

        What the hub had told when it was asked has come through our subscription long before the next look.
        """
        seq, epoch, times_away = 0, None, -1
        while True:
            try:
                status = await self._client.call("Status")
            except WezparallelError:
                status = {}
            at = self._position
            if times_away == self._times_away and at.epoch == epoch and seq > (at.since or 0):
                at.since = seq
                self._is_dirty.set()
            seq, epoch, times_away = int(status.get("seq", 0)), status.get("epoch"), self._times_away
            await anyio.sleep(ADVANCES_S)

    def _save(self) -> None:
        boxes = self._boxes.items()
        waiting = [memory.Waiting(name, since, message) for name, box in boxes for message, since in box.waiting()]
        at, held = self._position, self._held or tuple(self._rules.held())
        memory.save(self._path, memory.Memory(at.since, at.epoch, (*waiting, *self._left), held))


async def serve(socket: str | None, path: str) -> int:
    """Run until told to end; return the exit code."""
    refused: list[RequestError] = []
    try:
        async with connect(socket) as client, anyio.create_task_group() as tasks:
            await Service(client, tasks, path).run()
    except* RequestError as errors:
        refused.append(_first(errors))
    for error in refused[:1]:
        say(error.message)
    return 1 if refused else 0


def say(sentence: str) -> None:
    """Write a line into our log."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {sentence}\n")
    sys.stderr.flush()


def _first(errors: BaseExceptionGroup[RequestError]) -> RequestError:
    one: BaseException = errors
    while isinstance(one, BaseExceptionGroup):
        one = one.exceptions[0]
    assert isinstance(one, RequestError)
    return one


def _parts(name: str, said: JsonObject) -> list[tuple[str, JsonObject]]:
    """Return the addresses of a channel, each with a queue of its own: a dead one repeats nothing at another."""
    urls = said.get("apprise") or []
    if len(urls) < 2:
        return [(name, said)]
    return [(f"{name}#{number}", said | {"apprise": [url]}) for number, url in enumerate(urls, 1)]


async def _in_thread(send: Callable[[JsonObject, Message], None], said: JsonObject, message: Message) -> None:
    # A limiter of its own: threads that hang in one place must leave some to the others.
    await anyio.to_thread.run_sync(send, said, message, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))


def _age_s(event: JsonObject) -> float:
    from datetime import datetime  # noqa: PLC0415  few events come; most of the time this program only waits

    return time.time() - datetime.fromisoformat(event["at"]).timestamp()
