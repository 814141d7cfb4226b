"""Publishes events: numbers them at once, tells subscribers only after they are committed. No I/O of its own.

A subscriber is anything with `deliver(event)`; the server's connections are. A subscriber that does not read is told
how many events it missed and never slows anyone: that is its own business, see `server.py`.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from wezparallel.hub.failpoints import failpoint
from wezparallel.hub.state.model import rfc3339
from wezparallel.protocol.events import Event, Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wezparallel.hub.state.store import Store

MAX_REPLAY = 10_000  # events; who missed more is better served by a snapshot


class Subscriber(Protocol):
    """Whoever gets events."""

    def deliver(self, event: Event, line: bytes) -> None:
        """Take one committed event and its line; must not block."""
        ...


class Bus:
    """The journal's one writer and its readers."""

    def __init__(self, store: Store, now_ms: Callable[[], int], to_line: Callable[[str, Any], bytes]) -> None:
        self._store = store
        self._now_ms = now_ms
        self._to_line = to_line
        self._subscribers: dict[Subscriber, Filter] = {}
        self.seq = store.seq
        self._by: dict[str, Any] | None = None
        self.on_event: list[Callable[[Event], object]] = []
        """Each is called with each committed event, before subscribers are."""

    @contextmanager
    def caused_by(self, by: dict[str, Any]) -> Iterator[None]:
        """Name a caller in every event that is published within."""
        self._by = by
        try:
            yield
        finally:
            self._by = None

    @property
    def by(self) -> dict[str, Any] | None:
        """Who asks for what is being done now; None when nobody does."""
        return self._by

    def publish(self, name: str, data: dict[str, Any], cause: str | None = None) -> Event:
        """Journal an event in the current commit; subscribers get it afterwards."""
        self.seq += 1
        event = Event(self.seq, rfc3339(self._now_ms()), name, data, self._by, cause)
        self._store.append_event(event)
        self._store.when_committed(self._store.ticket(), lambda: self._deliver(event))
        return event

    def subscribe(self, subscriber: Subscriber, wanted: Filter) -> None:
        """Deliver what is committed from now on."""
        self._subscribers[subscriber] = wanted

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Deliver no more; unknown subscribers are ignored."""
        self._subscribers.pop(subscriber, None)

    @property
    def subscribers(self) -> int:
        """How many there are."""
        return len(self._subscribers)

    @property
    def wants_figures(self) -> bool:
        """Tell whether a subscriber asked for figures by name."""
        return any(wanted.wants_figures for wanted in self._subscribers.values())

    def can_tell(self, since: int, epoch: str | None) -> bool:
        """Tell whether the journal holds everything after `since`; else only a snapshot can say what happened."""
        if epoch is not None and epoch != self._store.epoch:
            return False
        if not 0 <= self.seq - since <= MAX_REPLAY:
            return False
        return since + 1 >= self._store.oldest_seq() or since == self.seq

    def line(self, event: Event) -> bytes:
        """Return an event as it travels."""
        return self._to_line("Event", event.to_json())

    def _deliver(self, event: Event) -> None:
        failpoint("committed")
        for call in self.on_event:
            call(event)
        line = b""
        for subscriber, wanted in list(self._subscribers.items()):
            if wanted.takes(event.name):
                line = line or self.line(event)
                subscriber.deliver(event, line)
