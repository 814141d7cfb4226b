"""The snapshot file's content: what it says, and how it stays below its size."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.hub.gui import example
from wezparallel.hub.gui import snapshot
from wezparallel.hub.state.model import State, Workspace


def many(workspaces: int, processes: int, text: str = "exited 1, again in 4 s") -> State:
    """Return a state with so many workspaces of so many processes."""
    state = State()
    for number in range(workspaces):
        name = f"workspace-{number:02d}"
        pane = {"pane": "p", "process_id": f"{name}/p", "title": "p", "focus": False, "direct": False}
        plan = {"tabs": [{"title": "t", "focus": None, "first": "p", "splits": [], "panes": [pane] * 4}]}
        state.workspaces[name] = Workspace(name, f"/code/{name}", plan=plan, open=number != 1)
        for order in range(processes):
            one = example.process(f"{name}/process-{order:03d}", "backoff", order, reason=text)
            state.processes[one.process_id] = one
    return state


def written(state: State, **more: Any) -> dict[str, Any]:
    """Return the snapshot of a state as a reader has it."""
    data = snapshot.encode(snapshot.build(state, facts=example.FACTS, **more))
    assert len(data) <= snapshot.MAX_BYTES
    found: dict[str, Any] = json.loads(data)
    return found


def test_the_example_for_the_plugins_tests_is_what_is_written() -> None:
    assert example.FILE.read_text() == example.text(), "run `python -m tests.hub.gui.example`"


def test_who_waits_longest_comes_first() -> None:
    state = example.example_state()
    state.processes["api/shell"].notified = {
        "text": "done", "at": "2026-11-24T11:59:00.000Z", "run_id": f"{0:032x}",
    }  # fmt: skip
    assert [one["process_id"] for one in written(state)["waiting"]] == ["api/shell", "shop/coder"]


def test_what_an_earlier_run_had_to_say_waits_no_more() -> None:
    state = example.example_state()
    state.processes["shop/coder"].notified = {"text": "old", "at": "2026-11-24T11:59:00.000Z", "run_id": "another"}
    found = written(state)
    assert found["waiting"] == []
    assert found["counts"]["waiting"] == 0


def test_what_is_being_removed_is_not_there() -> None:
    state = example.example_state()
    state.processes["backup"].removed = True
    found = written(state)
    assert found["loose"] == []
    assert found["counts"]["processes"] == 7


def test_processes_stand_in_the_order_of_their_definition() -> None:
    names = [one["name"] for one in written(example.example_state())["workspaces"][2]["processes"]]
    assert names == ["coder", "server", "tests", "log", "db"]


def test_three_hundred_processes_fit_uncut() -> None:
    found = written(many(6, 50))
    assert "cut" not in found
    assert sum(len(one["processes"]) for one in found["workspaces"]) == 300


def test_descriptions_go_first() -> None:
    templates = [{"name": f"t{number}", "description": "d" * 4000} for number in range(80)]
    found = written(many(2, 20), templates=templates)
    assert found["cut"] is True
    assert [one["name"] for one in found["templates"]] == [one["name"] for one in templates]
    assert len(found["workspaces"]) == 2


def test_then_texts_are_cut() -> None:
    found = written(many(4, 50, "x" * 2000))
    reasons = {one["reason"] for workspace in found["workspaces"] for one in workspace["processes"]}
    assert reasons == {"x" * (snapshot.SHORT_TEXT - 1) + "…"}
    assert len(found["workspaces"]) == 4


def test_then_closed_workspaces_go() -> None:
    found = written(many(2, 700))
    assert [one["name"] for one in found["workspaces"]] == ["workspace-00"]


@pytest.mark.parametrize("count", [1500, 4000])
def test_then_processes_beyond_the_first_go(count: int) -> None:
    found = written(many(1, count, ""))
    kept = len(found["workspaces"][0]["processes"])
    assert 100 < kept <= snapshot.MANY_PROCESSES
    assert found["counts"]["processes"] == count


def test_even_the_worst_case_is_below_the_limit() -> None:
    state = many(100, 20, "\U0001f9ea" * 300)
    for one in state.processes.values():
        one.notified = {"text": "\x01" * 500, "at": "2026-11-24T12:00:00.000Z", "run_id": one.run.run_id}  # type: ignore[union-attr]
    assert written(state)["cut"] is True


def test_a_lone_surrogate_does_not_keep_the_file_from_being_written() -> None:
    state = example.example_state()
    state.workspaces["api"].root = "/code/\udcff"
    assert written(state)["workspaces"][0]["root"] == "/code/?"


def test_the_page_about_the_file_names_every_field() -> None:
    page = (example.FILE.parents[2] / "docs" / "reference" / "gui-snapshot.md").read_text()
    found = example.example() | {"cut": True}
    processes = [one for workspace in found["workspaces"] for one in workspace["processes"]]
    for name in (*found, *found["counts"], *processes[0], *found["workspaces"][0], *found["requests"][0]):
        assert f"`{name}`" in page, name
