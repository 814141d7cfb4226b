"""A snapshot and what there is, compared."""

from __future__ import annotations

import pytest

from tests.hub.state.test_snapshot import PLAN, a_process, a_state
from wezparallel.hub import restoring
from wezparallel.hub.state import snapshot, snapshot_reading
from wezparallel.hub.state.model import Process, Run, State
from wezparallel.hub.state.snapshot import Snapshot
from wezparallel.protocol.snapshot import SnapshotChange


def said_of(state: State) -> Snapshot:
    return snapshot_reading.read(snapshot.encode(snapshot.document(state)), "/home/alice")


def changes(state: State, said: Snapshot, *, prune: bool = True) -> list[SnapshotChange]:
    return [step.change for step in restoring.compare(state, said, prune=prune)]


def runs(process: Process) -> Process:
    process.run, process.state = Run("r-1", process.process_id, 1, "spawned"), "running"
    return process


def test_what_is_as_it_was_is_no_change_whatever_runs() -> None:
    said = said_of(a_state(a_process(env={"API_KEY": "hush"}), runs(a_process("shop/db"))))
    now = a_state(runs(a_process(env={"API_KEY": "hush"})), a_process("shop/db"))
    now.workspaces["shop"].open, now.workspaces["shop"].focus = False, "shop/db"
    assert changes(now, said) == []


def test_what_came_back_starts_only_if_it_was_wanted_where_it_is_shown() -> None:
    state = a_state(*(a_process(f"shop/{name}") for name in ("up", "down", "by-hand", "direct")), a_process("loose"))
    for process in state.processes.values():
        process.auto_start_on_restore = process.name != "by-hand"
    state.processes["shop/down"].desired = "down"
    state.processes["shop/direct"].settings = a_process("shop/direct", direct=True).settings
    said = said_of(state)
    found = {one.name: one.starts for one in changes(a_state(), said)}
    assert found == {
        "loose": True, "shop/by-hand": False, "shop/direct": False, "shop/down": False, "shop/up": True,
    }  # fmt: skip
    said.workspaces["shop"].open = False
    assert [one.name for one in changes(a_state(), said) if one.starts] == ["loose", "shop/up"]
    assert [one.name for one in changes(State(), said) if one.starts] == ["loose"]


def test_only_names_of_variables_are_told() -> None:
    said = said_of(a_state(a_process(env={"PORT": "1", "NEW": "2"})))
    (change,) = changes(a_state(runs(a_process(env={"PORT": "7", "OLD": "3"}))), said)
    assert [(one.field, one.before, one.after) for one in change.fields] == [("env", "OLD, PORT", "NEW, PORT")]
    assert (change.kind, change.running, change.needs_restart) == ("changed", True, True)


def test_a_secret_is_told_nowhere() -> None:
    said = said_of(a_state(a_process(argv=["run", "--token=one"], command="run --token=one")))
    (change,) = changes(a_state(a_process(argv=["walk", "--token=two"], command="walk --token=two")), said)
    assert "one" not in change.model_dump_json() or "done" in change.model_dump_json()
    assert "two" not in change.model_dump_json()
    assert change.skipped == "an argument is a secret, which snapshots leave out"


@pytest.mark.parametrize("state", ["backoff", "starting", "running"])
def test_what_is_on_its_way_is_not_forgotten(state: str) -> None:
    there = a_process("shop/extra")
    there.state = state  # type: ignore[assignment]
    (change,) = changes(a_state(there), said_of(a_state()))
    assert change.skipped == "it runs; stop it to have it forgotten"


def test_a_workspace_that_is_named_by_a_process_only_is_made() -> None:
    said = said_of(a_state(a_process()))
    said.workspaces.clear()
    assert [(one.what, one.name) for one in changes(State(), said)] == [
        ("workspace", "shop"),
        ("process", "shop/web"),
    ]
    assert [one.name for one in changes(a_state(), said)] == ["shop/web"]


def test_a_workspaces_plan_and_folder_are_compared_and_its_secret_variables_stay() -> None:
    said = said_of(a_state())
    now = a_state()
    now.workspaces["shop"].variables = {"TOKEN": "hush"}
    assert changes(now, said) == []
    now.workspaces["shop"].root, now.workspaces["shop"].plan = "/other", {"tabs": [*PLAN["tabs"], *PLAN["tabs"]]}
    (change,) = changes(now, said)
    assert [(one.field, one.before, one.after) for one in change.fields] == [
        ("root", "/other", "/code/shop"), ("plan", "2 tabs", "1 tabs"),
    ]  # fmt: skip


def test_a_name_that_another_has_is_left_to_it() -> None:
    now = a_state(a_process("old/web"))
    now.processes["old/web"].workspace = "shop"
    found = {one.name: one.skipped for one in changes(now, said_of(a_state(a_process())), prune=False)}
    assert found == {"shop/web": "old/web has its name in shop"}
