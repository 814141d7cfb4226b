"""What is counted all the time, whether anybody looks or not: a few lists and dicts of numbers. Pure.

Above: dispatch and the bus, which count; `collecting.py`, which tells. Nothing here knows a metrics library, because
most daemons are never scraped. A new hub begins at zero, as scrapers expect.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple

from wezparallel.hub.metrics.names import LATENCY_S

if TYPE_CHECKING:
    from wezparallel.protocol.events import Event
    from wezparallel.types import Seconds

_ERROR = b'{"Error":{"code":"'
_ENDS = frozenset({"process.exited", "process.stopped"})
_MINUTE_S = 60.0

TIMED_EVERY = 16
"""Of the reads that are answered from what is known one in so many is timed, and stands for the others: two looks at
the clock and a bisection would take 6 % of such a reply's 10 µs."""


class Latency:
    """How long the replies to one command took."""

    __slots__ = ("_last", "_last_s", "buckets", "seconds", "untimed")

    def __init__(self) -> None:
        self.buckets = [0] * (len(LATENCY_S) + 1)
        """Replies up to each bound of `LATENCY_S`, and above the last."""
        self.seconds = 0.0
        self.untimed = 0
        """Replies since the last one that was timed."""
        self._last, self._last_s = 0, 0.0

    def add(self, elapsed: Seconds, replies: int = 1) -> None:
        """Count replies that took so long; with the one that was timed those that it stands for."""
        self._last, self._last_s = bisect_left(LATENCY_S, elapsed), elapsed
        self.buckets[self._last] += replies
        self.seconds += elapsed * replies
        self.untimed = 0 if replies > 1 else self.untimed

    def settle(self) -> Latency:
        """Count those that nobody timed as the last one that was, so that no reply is missing; return this."""
        self.buckets[self._last] += self.untimed
        self.seconds += self._last_s * self.untimed
        self.untimed = 0
        return self


class _Mark(NamedTuple):
    """What the counts were at some time."""

    at: Seconds
    replies: int
    errors: int
    seconds: Seconds


class Counts:
    """The hub's counters."""

    def __init__(self) -> None:
        self.latency: dict[str, Latency] = {}
        self.errors: Counter[str] = Counter()
        """`Error` replies, by code."""
        self.hub_errors = 0
        self.events: Counter[str] = Counter()
        self.lagged = 0
        self.exits: Counter[tuple[str, str, str]] = Counter()
        """By exit code, signal, and whether the end was asked for."""
        self.restarts: Counter[str] = Counter()
        self.lost_bytes: Counter[str] = Counter()
        self._marks: deque[_Mark] = deque()

    def of_command(self, name: str) -> Latency:
        """Return where the replies to a command are counted."""
        found = self.latency.get(name)
        if found is None:
            found = self.latency[name] = Latency()
        return found

    def replied(self, name: str, elapsed: Seconds, line: bytes) -> None:
        """Count a reply that did not take the fast path; without a name one to what was no command."""
        if name:
            self.of_command(name).add(elapsed)
        self.refused(line)

    def refused(self, line: bytes) -> None:
        """Count a line if it is an `Error`."""
        if line.startswith(_ERROR):
            self.errors[line[len(_ERROR) : line.index(b'"', len(_ERROR))].decode()] += 1

    def event(self, event: Event) -> None:
        """Count a committed event, and what it says."""
        self.events[event.name] += 1
        data = event.data
        if event.name in _ENDS and ("exit_code" in data or "signal" in data):
            code, signal = data.get("exit_code"), data.get("signal")
            asked = "true" if event.name == "process.stopped" else "false"
            self.exits["" if code is None else str(code), "" if signal is None else str(signal), asked] += 1
        elif event.name == "process.backoff":
            self.restarts[data["process_id"]] += 1
        elif event.name == "process.removed":
            self.restarts.pop(data["process_id"], None)
            self.lost_bytes.pop(data["process_id"], None)
        elif event.name == "hub.error":
            self.hub_errors += 1

    @property
    def all_errors(self) -> int:
        """All that went wrong: `Error` replies, and faults of the hub itself."""
        return self.errors.total() + self.hub_errors

    def mark(self, now: Seconds) -> None:
        """Remember what there is, so that the last minute can be told."""
        self._marks.append(self._mark(now))
        while len(self._marks) > 1 and self._marks[1].at <= now - _MINUTE_S:
            self._marks.popleft()

    def last_minute(self, now: Seconds) -> tuple[float | None, float | None]:
        """Return the mean milliseconds of a reply and the share of errors; None where there was no reply."""
        present = self._mark(now)
        before = next((mark for mark in reversed(self._marks) if mark.at <= now - _MINUTE_S), None)
        before = before or (self._marks[0] if self._marks else _Mark(now, 0, 0, 0.0))
        replies = present.replies - before.replies
        if not replies:
            return None, None
        return 1000 * (present.seconds - before.seconds) / replies, (present.errors - before.errors) / replies

    def _mark(self, now: Seconds) -> _Mark:
        rows = [row.settle() for row in self.latency.values()]
        return _Mark(
            now, sum(sum(row.buckets) for row in rows), self.errors.total(), sum(row.seconds for row in rows)
        )
