"""What is counted all the time: nothing is missing, nothing goes back."""

from __future__ import annotations

import pytest

from wezparallel.hub.metrics.counts import TIMED_EVERY, Counts, Latency
from wezparallel.hub.metrics.names import LATENCY_S
from wezparallel.protocol.events import Event


def event(name: str, **data: object) -> Event:
    return Event(1, "2026-11-24T12:00:00.000Z", name, {"process_id": "shop/api", **data})


def test_a_timed_reply_stands_for_those_that_were_not_timed() -> None:
    latency = Latency()
    latency.untimed = TIMED_EVERY - 1
    latency.add(0.0002, TIMED_EVERY)
    assert latency.buckets[LATENCY_S.index(0.00025)] == TIMED_EVERY
    assert latency.seconds == pytest.approx(0.0002 * TIMED_EVERY)
    assert latency.untimed == 0


def test_a_reply_that_was_waited_for_leaves_the_untimed_ones_counted() -> None:
    latency = Latency()
    latency.untimed = 3
    latency.add(0.02)
    assert (sum(latency.buckets), latency.untimed) == (1, 3)


def test_no_bucket_ever_shrinks_between_two_scrapes() -> None:
    latency = Latency()
    latency.add(0.3)
    before = list(latency.buckets)
    for elapsed in (0.00001, 40.0, 0.002):
        latency.untimed += 7
        settled = list(latency.settle().buckets)
        assert list(latency.settle().buckets) == settled
        assert all(now >= then for now, then in zip(settled, before, strict=True))
        latency.add(elapsed, TIMED_EVERY)
        before = settled
    assert sum(latency.settle().buckets) == 1 + 3 * 7 + 3 * TIMED_EVERY


def test_what_takes_longer_than_the_last_bound_is_in_the_bucket_above_it() -> None:
    latency = Latency()
    latency.add(LATENCY_S[-1] + 1)
    assert latency.buckets[-1] == 1


def test_errors_are_counted_by_code_and_replies_are_not() -> None:
    counts = Counts()
    counts.replied("Ping", 0.001, b'{"Pong":{}}\n')
    counts.replied("ProcessGet", 0.001, b'{"Error":{"code":"process.not_found","message":"so"}}\n')
    counts.replied("", 0.001, b'{"Error":{"code":"wire.not_json","message":"so"}}\n')
    counts.event(event("hub.error", message="a fault", incident="1"))
    assert counts.errors == {"process.not_found": 1, "wire.not_json": 1}
    assert counts.all_errors == 3
    assert set(counts.latency) == {"Ping", "ProcessGet"}


def test_ends_are_counted_by_code_signal_and_wish() -> None:
    counts = Counts()
    counts.event(event("process.exited", exit_code=3, signal=None))
    counts.event(event("process.exited", exit_code=None, signal=9))
    counts.event(event("process.stopped", exit_code=0, signal=None))
    counts.event(event("process.stopped", reason="nothing ran"))
    assert counts.exits == {("3", "", "false"): 1, ("", "9", "false"): 1, ("0", "", "true"): 1}


def test_a_process_that_is_removed_leaves_no_counters_behind() -> None:
    counts = Counts()
    counts.event(event("process.backoff"))
    counts.lost_bytes["shop/api"] += 10
    assert counts.restarts["shop/api"] == 1
    counts.event(event("process.removed"))
    assert not counts.restarts
    assert not counts.lost_bytes


def test_the_last_minute_forgets_what_was_before_it() -> None:
    counts = Counts()
    assert counts.last_minute(0.0) == (None, None)
    counts.mark(0.0)
    counts.replied("Ping", 9.0, b'{"Error":{"code":"internal.bug"}}\n')
    for second in range(10, 51, 10):
        counts.mark(float(second))
    counts.replied("Ping", 0.002, b'{"Pong":{}}\n')
    for second in range(60, 101, 10):
        counts.mark(float(second))
    counts.replied("Ping", 0.004, b'{"Error":{"code":"internal.bug"}}\n')
    mean_ms, errors = counts.last_minute(101.0)
    assert mean_ms == pytest.approx(3.0)
    assert errors == 0.5
