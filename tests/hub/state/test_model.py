"""What clients see of the model."""

from __future__ import annotations

import pytest

from wezparallel.hub.state.model import Process, State, Workspace, process_record, rfc3339, workspace_record
from wezparallel.protocol.process import ProcessRecord, ProcessSettings
from wezparallel.protocol.workspace import WorkspaceRecord


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_000_000_007, "2026-11-18T11:06:40.007Z"),
        (1_795_000_000_999, "2026-11-18T11:06:40.999Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_rfc_3339_with_milliseconds(ms, text):
    assert rfc3339(ms) == text


def test_a_process_record_is_what_the_protocol_says(make_process):
    process = make_process(state="running", restart_count=2, waits_for="viewer")
    record = process_record(process, viewers=1, cpu_percent=1.5, memory_bytes=10)
    assert ProcessRecord.model_validate(record).model_dump() == record
    assert set(record) == set(ProcessRecord.model_fields)
    assert (record["pid"], record["command"], record["run"], record["restarts"]) == (42, "npm run dev", 1, 2)
    assert record["created_at"] == "2023-11-14T22:13:20.250Z"
    assert record["next_start_at"] is None


def test_a_process_that_never_ran_has_nulls():
    process = Process("a", None, ProcessSettings(name="a", argv=["a"], cwd="/"))
    record = process_record(process)
    assert ProcessRecord.model_validate(record).model_dump() == record
    assert [record[name] for name in ("pid", "run_id", "started_at", "ended_at", "exit_code", "cpu_percent")] == [
        None
    ] * 6


def test_an_ended_run_has_its_exit_and_no_pid(make_process):
    process = make_process(state="backoff", backoff_until=1_795_000_000_007)
    process.run.status, process.run.exit_code, process.run.ended_at = "exited", 3, 1_795_000_000_000
    record = process_record(process)
    assert (record["pid"], record["exit_code"], record["ended_at"]) == (None, 3, "2026-11-18T11:06:40.000Z")
    assert record["next_start_at"] == "2026-11-18T11:06:40.007Z"


def test_a_workspace_counts_what_lives_and_hides_what_is_being_removed(make_process):
    state = State({"shop": Workspace("shop", "/srv")})
    for number, (life, removed) in enumerate(
        [("ready", False), ("stopping", False), ("failed", False), ("ready", True)]
    ):
        process = make_process(f"shop/{number}", state=life, removed=removed, order=-number)
        state.processes[process.process_id] = process
    state.processes["bare"] = make_process("bare", state="ready")
    members = state.members("shop")
    assert [process.process_id for process in members] == ["shop/2", "shop/1", "shop/0"]
    record = workspace_record(state.workspaces["shop"], members)
    assert WorkspaceRecord.model_validate(record).model_dump() == record
    assert (record["processes"], record["running"]) == (3, 2)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"argv": ["/bin/zsh"]}, "stop"),
        ({"argv": ["bash", "-l"]}, "stop"),
        ({"argv": ["sh", "-c", "npm run dev"]}, "keep"),
        ({"argv": ["postgres"]}, "keep"),
        ({"argv": ["bash"], "agent": "claude_code"}, "keep"),
        ({"argv": ["bash"], "on_close": "ask"}, "ask"),
        ({"argv": ["postgres"], "on_close": "stop"}, "stop"),
    ],
)
def test_shells_stop_with_their_pane_and_all_else_is_kept_unless_it_says_otherwise(fields, expected):
    process = Process("a", None, ProcessSettings(name="a", cwd="/", **fields))
    assert process_record(process)["on_close"] == expected
