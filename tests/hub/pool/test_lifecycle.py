"""The table of states: complete, reachable, and closed against what cannot happen."""

from __future__ import annotations

from typing import get_args

import pytest

from wezparallel.hub.pool.lifecycle import (
    EVENTS,
    STATES,
    TABLE,
    Event,
    IllegalTransitionError,
    allows,
    mermaid,
    next_state,
)
from wezparallel.hub.state.model import LIVE


@pytest.mark.parametrize(("pair", "after"), TABLE.items())
def test_every_row_of_the_table_is_followed(pair, after):
    assert next_state(*pair) == after
    assert allows(*pair)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", get_args(Event))
def test_what_is_not_in_the_table_is_refused(state, event):
    if (state, event) in TABLE:
        return
    assert not allows(state, event)
    with pytest.raises(IllegalTransitionError) as caught:
        next_state(state, event)
    assert caught.value.code == "process.bad_state"
    assert state in caught.value.message
    assert event in caught.value.message


def test_the_states_are_the_eleven_of_the_protocol():
    assert len(STATES) == 11
    assert {before for before, _ in TABLE} | set(TABLE.values()) == set(STATES)


def test_every_event_has_a_sentence_and_a_place():
    assert set(EVENTS) == set(get_args(Event)) == {event for _, event in TABLE}


def test_every_state_can_be_reached_and_left():
    reached, news = {"not_started"}, {"not_started"}
    while news:
        news = {after for (before, _), after in TABLE.items() if before in news} - reached
        reached |= news
    assert reached == set(STATES)
    assert {before for (before, _), after in TABLE.items() if before != after} == set(STATES)


@pytest.mark.parametrize("state", sorted(LIVE))
def test_whatever_lives_can_be_stopped_end_and_vanish(state):
    assert next_state(state, "stop") == "stopping"
    assert next_state(state, "stopped") == "stopped"
    assert next_state(state, "lost") in {"exited", "stopped"}


def test_a_stop_during_backoff_is_a_stop():
    assert next_state("backoff", "stop") == "stopped"


def test_what_ends_while_it_is_being_stopped_was_stopped():
    assert next_state("stopping", "exited") == "stopped"


def test_the_diagram_shows_every_row_but_those_that_stay():
    drawn = set()
    lines = mermaid().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> not_started"]
    for line in lines[2:]:
        arrow, events = line.strip().split(": ")
        before, after = arrow.split(" --> ")
        drawn |= {(before, event, after) for event in events.split(", ")}
    assert drawn == {(before, event, after) for (before, event), after in TABLE.items() if before != after}
