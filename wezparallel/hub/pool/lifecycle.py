"""The life of a process as a table: eleven states, what can happen in each, and where that leads. Pure.

`pool/supervise.py` applies it; the documentation's diagram is made from it by `mermaid`.
"""

from __future__ import annotations

from typing import Literal, get_args

from wezparallel.errors import WezparallelError
from wezparallel.protocol.process import State

Event = Literal[
    "wait", "start", "spawned", "passed", "failed_check", "suspend", "resume", "stop", "stopped", "exited", "retry",
    "give_up", "lost",
]  # fmt: skip

STATES: tuple[State, ...] = get_args(State)

EVENTS: dict[Event, str] = {
    "wait": "it waits for a viewer, another process or a free place",
    "start": "a run is stored and the keeper is asked to spawn it",
    "spawned": "the keeper has spawned it",
    "passed": "its health check passes, or it counts as ready without one",
    "failed_check": "its health check fails too often",
    "suspend": "its whole tree is stopped with SIGSTOP",
    "resume": "its whole tree goes on",
    "stop": "somebody asks it to end, or no longer wants it",
    "stopped": "it ended because that was asked for",
    "exited": "it ended by itself and stays so",
    "retry": "it ended, or could not be spawned, and is started again later",
    "give_up": "it ended too often, or could not be spawned, and is not tried again",
    "lost": "it vanished while nobody could see how it ended",
}
"""What can happen, as the documentation says it."""

# event: (states in which it can happen, state that follows)
_RULES: tuple[tuple[Event, tuple[State, ...], State], ...] = (
    ("wait", ("not_started", "starting", "stopped", "exited", "backoff", "failed"), "not_started"),
    ("start", ("not_started", "stopped", "exited", "backoff", "failed"), "starting"),
    ("spawned", ("starting",), "running"),
    ("passed", ("running", "ready", "unhealthy"), "ready"),
    ("failed_check", ("running", "ready", "unhealthy"), "unhealthy"),
    ("suspend", ("running", "ready", "unhealthy"), "suspended"),
    ("resume", ("suspended",), "running"),
    ("stop", ("starting", "running", "ready", "unhealthy", "suspended", "stopping"), "stopping"),
    ("stop", ("not_started", "backoff"), "stopped"),
    ("stopped", ("starting", "running", "ready", "unhealthy", "suspended", "stopping"), "stopped"),
    # What was being stopped ended by itself just before: it was asked for all the same.
    ("exited", ("stopping",), "stopped"),
    ("lost", ("stopping",), "stopped"),
    ("exited", ("starting", "running", "ready", "unhealthy", "suspended"), "exited"),
    ("lost", ("starting", "running", "ready", "unhealthy", "suspended"), "exited"),
    # From `stopping`, because what is unhealthy is stopped first.
    ("retry", ("starting", "running", "ready", "unhealthy", "suspended", "stopping"), "backoff"),
    (
        "give_up",
        ("not_started", "starting", "running", "ready", "unhealthy", "suspended", "stopping", "backoff"),
        "failed",
    ),
)

TABLE: dict[tuple[State, Event], State] = {
    (state, event): after for event, before, after in _RULES for state in before
}
"""(state, event) → state. What is not in it cannot happen."""


class IllegalTransitionError(WezparallelError):
    """Something happened that cannot happen in this state: a bug of ours."""

    code = "process.bad_state"


def next_state(state: State, event: Event) -> State:
    """Return the state that follows.

    Raises:
        IllegalTransitionError: The event cannot happen in this state; nothing was changed.
    """
    try:
        return TABLE[state, event]
    except KeyError:
        raise IllegalTransitionError(
            f"'{event}' cannot happen to a process that is {state}", data={"state": state, "event": event}
        ) from None


def allows(state: State, event: Event) -> bool:
    """Tell whether the event can happen in this state."""
    return (state, event) in TABLE


def mermaid() -> str:
    """Return the table as a mermaid state diagram: one arrow between two states, none from a state to itself."""
    arrows: dict[tuple[State, State], list[str]] = {}
    for (before, event), after in TABLE.items():
        if before != after:
            arrows.setdefault((before, after), []).append(event)
    ordered = sorted(arrows.items(), key=lambda item: (STATES.index(item[0][0]), STATES.index(item[0][1])))
    lines = [f"    {before} --> {after}: {', '.join(events)}" for (before, after), events in ordered]
    return "\n".join(["stateDiagram-v2", "    [*] --> not_started", *lines]) + "\n"
