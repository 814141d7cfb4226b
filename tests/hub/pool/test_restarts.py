"""Restart policy: what comes back, when, and when it is enough."""

from __future__ import annotations

import pytest

from wezparallel.hub.pool.lifecycle import next_state
from wezparallel.hub.pool.restarts import Exit, History, decide, delay

FAILED, CLEAN, CRASHED, UNKNOWN = Exit(exit_code=1), Exit(exit_code=0), Exit(signal=11), Exit()


def middle() -> float:
    return 0.5


def test_the_delay_doubles_to_a_minute_and_the_eleventh_is_given_up():
    history, delays, now = History(), [], 0.0
    for _ in range(10):
        decision = decide("on_failure", FAILED, history, now, middle)
        assert (decision.kind, decision.state) == ("restart", "backoff")
        history, now = decision.history, now + decision.delay_s + 1
        delays.append(decision.delay_s)
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    last = decide("on_failure", FAILED, history, now, middle)
    assert (last.kind, last.state, last.delay_s) == ("final", "failed", None)
    assert last.reason == "exited 1; given up after 10 restarts in 10 min"


def test_the_reason_says_how_when_and_which_of_how_many():
    decision = decide("on_failure", FAILED, History((0.0, 1.0), 2), 5.0, middle)
    assert decision.reason == "exited 1, again in 4 s (3 of 10)"
    refused = decide("on_failure", Exit(refused="logs/app.log does not exist"), History((0.0,), 1), 5.0, middle)
    assert refused.reason == "logs/app.log does not exist; again in 2 s (2 of 10)"


@pytest.mark.parametrize(
    ("policy", "ended", "kind"),
    [
        ("always", CLEAN, "restart"),
        ("always", FAILED, "restart"),
        ("on_failure", CLEAN, "final"),
        ("on_failure", FAILED, "restart"),
        ("on_failure", CRASHED, "restart"),
        ("on_failure", UNKNOWN, "restart"),
        ("never", CLEAN, "final"),
        ("never", FAILED, "final"),
        ("never", CRASHED, "final"),
    ],
)
def test_the_policy_decides_what_comes_back(policy, ended, kind):
    decision = decide(policy, ended, History(), 0.0, middle)
    assert decision.kind == kind
    assert decision.state == ("backoff" if kind == "restart" else "exited")


@pytest.mark.parametrize("policy", ["always", "on_failure", "never"])
@pytest.mark.parametrize("ended", [Exit(exit_code=1, asked=True), Exit(signal=9, asked=True)])
def test_an_end_that_was_asked_for_is_final_under_any_policy(policy, ended):
    decision = decide(policy, ended, History((0.0,), 1), 1.0, middle)
    assert (decision.kind, decision.state, decision.history) == ("final", "stopped", History())


def test_what_cannot_be_spawned_and_may_not_come_back_has_failed():
    decision = decide("never", Exit(refused="no such program: foo"), History(), 0.0, middle)
    assert (decision.state, decision.reason) == ("failed", "no such program: foo")


def test_a_long_life_resets_the_delay_but_not_the_count():
    tired = History(tuple(float(t) for t in range(9)), 9)
    decision = decide("always", Exit(exit_code=1, ran_s=30.0), tired, 100.0, middle)
    assert decision.delay_s == 1
    assert "(10 of 10)" in decision.reason
    assert decide("always", Exit(exit_code=1, ran_s=30.0), decision.history, 200.0, middle).state == "failed"


def test_a_short_life_does_not_reset_the_delay():
    assert decide("always", Exit(exit_code=1, ran_s=29.9), History((0.0,), 3), 1.0, middle).delay_s == 8


def test_restarts_of_more_than_ten_minutes_ago_do_not_count():
    old = History(tuple(float(t) for t in range(10)), 0)
    decision = decide("on_failure", FAILED, old, 609.0, middle)
    assert decision.kind == "restart"
    assert decision.history.times == (609.0,)
    assert decide("on_failure", FAILED, old, 599.0, middle).state == "failed"


def test_a_clock_that_was_set_back_does_not_give_up():
    future = History(tuple(1000.0 + t for t in range(10)), 0)
    assert decide("on_failure", FAILED, future, 5.0, middle).kind == "restart"


def test_the_delay_is_spread_by_a_fifth():
    assert delay(10.0, 0, lambda: 0.0) == pytest.approx(8.0)
    assert delay(10.0, 0, lambda: 1.0) == pytest.approx(12.0)


def test_a_backoff_of_nothing_restarts_at_once():
    decision = decide("always", CLEAN, History((1.0,), 5), 2.0, middle, backoff_s=0)
    assert decision.delay_s == 0
    assert decision.reason == "exited 0, again at once (2 of 10)"


def test_a_first_delay_above_the_cap_stays_and_does_not_grow():
    assert [delay(300.0, streak, middle) for streak in (0, 1, 5_000)] == [300.0, 300.0, 300.0]


@pytest.mark.parametrize(
    ("ended", "words"),
    [(FAILED, "exited 1"), (CRASHED, "killed by SIGSEGV"), (Exit(signal=40), "killed by signal 40"),
     (UNKNOWN, "ended, nobody saw how")],
)  # fmt: skip
def test_an_end_is_told_in_words(ended, words):
    assert ended.sentence() == words


def test_each_decision_names_an_event_that_leads_to_its_state():
    cases = [
        ("always", FAILED, History()),
        ("never", FAILED, History()),
        ("always", FAILED, History((0.0,) * 10)),
        ("never", Exit(exit_code=0, asked=True), History()),
    ]
    for policy, ended, history in cases:
        decision = decide(policy, ended, history, 0.0, middle)
        assert next_state("running", decision.event) == decision.state
