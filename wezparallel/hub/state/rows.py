"""How the model lies in the tables: statements, and rows there and back. Above it `state/store.py`."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wezparallel.hub.state.model import Process, Run, State, Workspace
from wezparallel.protocol.events import Event
from wezparallel.protocol.process import ProcessSettings

if TYPE_CHECKING:
    from wezparallel.types import JsonObject, Millis, RunId

RUN_COLUMNS = (
    "run_id", "process_id", "number", "status", "stored_at", "pid", "start", "started_at", "ended_at", "exit_code",
    "signal", "asked", "boot_id", "ready", "peak_cpu_percent", "peak_memory_bytes",
)  # fmt: skip
_DEFINITION = (
    "process_id", "workspace", "settings", "desired", "state", "reason", "created_at", "position", "run_id",
    "planned_run_id", "runs", "restarts", "streak", "restart_count", "backoff_until", "waits_for", "env_id",
    "auto_start_on_restore", "removed", "in_template", "ran_with", "notified", "spare",
)  # fmt: skip
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode  # dumps would make one at each call
_WORKSPACE = (
    "name", "root", "template", "created_at", "open", "focus", "plan", "env_id", "folder", "template_path",
    "variables", "switched_at",
)  # fmt: skip


def _upsert(table: str, columns: tuple[str, ...]) -> str:
    values = ", ".join("?" * len(columns))
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608


PUT_RUN = _upsert("runs", RUN_COLUMNS)
PUT_DEFINITION = _upsert("definitions", _DEFINITION)
PUT_WORKSPACE = _upsert("workspaces", _WORKSPACE)
PUT_EVENT = _upsert("journal", ("seq", "at", "name", "data", "by", "cause"))
PUT_KEY = _upsert("keys", ("key", "command", "request_hash", "accepted", "reply", "created_at"))
GET_KEY = "SELECT key, command, request_hash, accepted, reply, created_at FROM keys"
GET_RUN = f"SELECT {', '.join(RUN_COLUMNS)} FROM runs"  # noqa: S608
GET_EVENT = "SELECT seq, at, name, data, by, cause FROM journal"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """An idempotency key, the mutation that it stands for and, once known, its reply."""

    key: str
    command: str
    request_hash: str
    accepted: JsonObject
    reply: JsonObject | None
    created_at: Millis


def dump(value: Any) -> str:
    """Return compact JSON in ASCII, which any text column takes."""
    return _encode(value)


def run_row(run: Run) -> tuple[Any, ...]:
    """Return a run as the parameters of `PUT_RUN`."""
    return tuple(getattr(run, name) for name in RUN_COLUMNS)


def run_of(row: tuple[Any, ...]) -> Run:
    """Return a row of `GET_RUN` as a run."""
    run = Run(*row)
    run.asked, run.ready = bool(run.asked), bool(run.ready)
    return run


def process_row(process: Process, settings: str) -> tuple[Any, ...]:
    """Return a process as the parameters of `PUT_DEFINITION`."""
    return (
        process.process_id, process.workspace, settings, process.desired, process.state, process.reason,
        process.created_at, process.order, process.run.run_id if process.run else None,
        process.planned.run_id if process.planned else None, process.runs, dump(process.restarts), process.streak,
        process.restart_count, process.backoff_until, process.waits_for, process.env_id,
        process.auto_start_on_restore, process.removed, process.in_template, _ran_with_row(process.ran_with),
        None if process.notified is None else dump(process.notified),
        None if process.ahead is None else dump(process.ahead),
    )  # fmt: skip


def workspace_row(workspace: Workspace) -> tuple[Any, ...]:
    """Return a workspace as the parameters of `PUT_WORKSPACE`."""
    return (
        workspace.name, workspace.root, workspace.template, workspace.created_at, workspace.open, workspace.focus,
        dump(workspace.plan), workspace.env_id, workspace.folder, workspace.template_path, dump(workspace.variables),
        workspace.switched_at,
    )  # fmt: skip


def event_row(event: Event) -> tuple[Any, ...]:
    """Return an event as the parameters of `PUT_EVENT`."""
    by = None if event.by is None else dump(event.by)
    return (event.seq, event.at, event.name, dump(event.data), by, event.cause)


def event_of(row: tuple[Any, ...]) -> Event:
    """Return a row of `GET_EVENT` as an event."""
    seq, at, name, data, by, cause = row
    return Event(seq, at, name, json.loads(data), None if by is None else json.loads(by), cause)


def key_of(row: tuple[Any, ...]) -> KeyRow:
    """Return a row of `GET_KEY` as a key."""
    key, command, request_hash, accepted, reply, created_at = row
    return KeyRow(
        key, command, request_hash, json.loads(accepted), None if reply is None else json.loads(reply), created_at
    )


def load_state(connection: sqlite3.Connection) -> State:
    """Read workspaces and processes, with the current and the planned run of each."""
    state = State()
    for row in connection.execute(f"SELECT {', '.join(_WORKSPACE)} FROM workspaces ORDER BY name").fetchall():  # noqa: S608
        values = dict(zip(_WORKSPACE, row, strict=True))
        values |= {"plan": json.loads(values["plan"]), "variables": json.loads(values["variables"])}
        state.workspaces[values["name"]] = Workspace(**{**values, "open": bool(values["open"])})
    named = "run_id IN (SELECT run_id FROM definitions UNION SELECT planned_run_id FROM definitions)"
    runs = {row[0]: run_of(row) for row in connection.execute(f"{GET_RUN} WHERE {named}").fetchall()}
    query = f"SELECT {', '.join(_DEFINITION)} FROM definitions ORDER BY process_id"  # noqa: S608
    for row in connection.execute(query).fetchall():
        process = _process_of(dict(zip(_DEFINITION, row, strict=True)), runs)
        state.processes[process.process_id] = process
    return state


def _process_of(row: dict[str, Any], runs: dict[str, Run]) -> Process:
    return Process(
        process_id=row["process_id"],
        workspace=row["workspace"],
        settings=ProcessSettings.model_validate_json(row["settings"]),
        desired=row["desired"],
        state=row["state"],
        reason=row["reason"],
        created_at=row["created_at"],
        order=row["position"],
        run=runs.get(row["run_id"]),
        planned=runs.get(row["planned_run_id"]),
        runs=row["runs"],
        restarts=json.loads(row["restarts"]),
        streak=row["streak"],
        restart_count=row["restart_count"],
        backoff_until=row["backoff_until"],
        waits_for=row["waits_for"],
        env_id=row["env_id"],
        auto_start_on_restore=bool(row["auto_start_on_restore"]),
        removed=bool(row["removed"]),
        in_template=None if row["in_template"] is None else bool(row["in_template"]),
        ran_with=_ran_with_of(row["ran_with"]),
        notified=None if row["notified"] is None else json.loads(row["notified"]),
        ahead=None if row["spare"] is None else json.loads(row["spare"]),
    )


def _ran_with_row(ran_with: tuple[RunId, ProcessSettings] | None) -> str | None:
    return None if ran_with is None else dump([ran_with[0], ran_with[1].model_dump(mode="json")])


def _ran_with_of(text: str | None) -> tuple[RunId, ProcessSettings] | None:
    if text is None:
        return None
    run_id, settings = json.loads(text)
    return run_id, ProcessSettings.model_validate(settings)
