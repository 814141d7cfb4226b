"""Who needs whom: circles, order, and whether one may start now."""

from __future__ import annotations

from typing import Any

import pytest

from wezparallel.hub.pool.dependencies import circle, is_met, order, problem, verdict
from wezparallel.hub.state.model import Process, Run
from wezparallel.protocol.process import ProcessSettings
from wezparallel.protocol.supervision import Probe

NEEDS = ("started", "ready", "exited_ok")


def process(name: str, state: str = "not_started", *, probe: bool = False, **fields: Any) -> Process:
    """Return a process as the store has it."""
    settings = ProcessSettings(
        name=name, argv=["true"], cwd="/", depends_on=fields.pop("depends_on", {}),
        restart=fields.pop("restart", "on_failure"), ready=Probe(tcp="1") if probe else None,
    )  # fmt: skip
    made = Process(f"w/{name}", "w", settings, state=state, **fields)  # type: ignore[arg-type]
    if state in {"running", "ready", "unhealthy", "suspended", "stopping"}:
        made.run = made.run or Run("r", made.process_id, 1, "spawned")
    return made


def ended(code: int | None, **fields: Any) -> Process:
    run = Run("r", "w/db", 1, "exited" if code is not None else "lost", exit_code=code)
    return process("db", "exited", run=run, **fields)


def told(needed: Process | None, need: str) -> tuple[str, str]:
    one = process("web", depends_on={"db": need})
    found = verdict(one, lambda name: needed if name == "db" else None)
    return found.kind, found.reason


@pytest.mark.parametrize(
    ("needs", "drawn"),
    [
        ({"a": ["b"], "b": ["a"]}, "a → b → a"),
        ({"x": ["a"], "a": ["b"], "b": ["c"], "c": ["a"]}, "a → b → c → a"),
        ({"a": [], "b": ["a", "c"], "c": ["b"]}, "b → c → b"),
    ],
)
def test_a_circle_is_named_from_end_to_end(needs, drawn):
    wrong = problem(needs)
    assert wrong is not None
    assert f"in a circle: {drawn};" in wrong[1]
    assert " → ".join(circle(needs)) == drawn


def test_a_diamond_is_no_circle():
    needs = {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}
    assert circle(needs) == []
    assert problem(needs) is None
    placed = order(needs)
    assert all(placed.index(other) < placed.index(name) for name, others in needs.items() for other in others)


def test_a_long_chain_takes_no_stack():
    needs = {f"p{i}": [f"p{i + 1}"] for i in range(5000)} | {"p5000": []}
    assert circle(needs) == []
    assert order(needs)[0] == "p5000"


def test_who_needs_itself_or_nobody_is_told_so():
    assert problem({"a": ["a"]}) == (
        "a", "a cannot depend on itself (a → a); take it out of its `depends_on`"
    )  # fmt: skip
    assert problem({"web": ["dbb"], "db": []}) == (
        "web", "web depends on dbb, and there is no process dbb beside it; did you mean db?"
    )  # fmt: skip
    assert problem({"old": ["gone"], "new": ["old"]}, "new") is None


@pytest.mark.parametrize("state", ["running", "ready", "unhealthy", "suspended"])
def test_what_runs_was_started(state):
    assert told(process("db", state), "started")[0] == "go"


@pytest.mark.parametrize(
    ("state", "probe", "met"),
    [("running", False, True), ("running", True, False), ("ready", True, True), ("unhealthy", True, False),
     ("suspended", True, False), ("stopping", True, False)],
)  # fmt: skip
def test_without_a_probe_running_is_ready(state, probe, met):
    assert is_met(process("db", state, probe=probe), "ready") is met


def test_it_says_all_that_it_waits_for():
    one = process("web", depends_on={"db": "ready", "ok": "started", "job": "exited_ok"})
    beside = {
        "db": process("db", "running", probe=True),
        "ok": process("ok", "ready"),
        "job": process("job", "running"),
    }
    assert verdict(one, beside.get).reason == "waits for db: ready, job: exited_ok"


@pytest.mark.parametrize("need", NEEDS)
def test_what_is_on_its_way_is_waited_for(need):
    for needed in (
        process("db", "starting"), process("db", "backoff"), ended(1, planned=Run("n", "w/db", 2)),
        ended(0, planned=Run("n", "w/db", 2)), process("db", "not_started", planned=Run("n", "w/db", 1)),
    ):  # fmt: skip
        assert told(needed, need) == ("wait", f"waits for db: {need}")


@pytest.mark.parametrize(
    ("needed", "need", "reason"),
    [
        (ended(1, reason="exited 1"), "exited_ok", "but db exited 1"),
        (ended(1, reason="exited 1"), "started", "but db exited 1"),
        (ended(0, reason="exited 0"), "ready", "but db exited 0 before it was ready"),
        (ended(None, reason="the machine restarted while it ran"), "exited_ok", "but db was lost: the machine"),
        (process("db", "stopped"), "ready", "but db was stopped"),
        (process("db", "not_started"), "started", "but db was not started"),
        (process("db", "failed", reason="no such program"), "started", "but db failed: no such program"),
        (process("db", "unhealthy", reason="refused", restart="never"), "ready", "but db is unhealthy: refused"),
        (None, "ready", "and there is no process db any more"),
    ],
)
def test_what_will_never_come_blocks_and_says_why(needed, need, reason):
    kind, said = told(needed, need)
    assert kind == "blocked"
    assert said.startswith(f"needs db: {need}, ")
    assert reason in said


def test_only_an_exit_with_0_is_ok():
    assert told(ended(0), "exited_ok") == ("go", "")
    assert told(ended(0), "started") == ("go", "")
