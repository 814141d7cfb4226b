"""What WezTerm's plugin reads, as one JSON object: what runs and where it shows, who waits, what the GUI is asked.

Pure: built from the state and from facts that are handed in. `writing.py` writes it, `lua/wezparallel/state.lua`
reads it. A reader refuses a `format` that it does not know; within one format fields are only added.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wezparallel.hub.state.model import LIVE, on_close, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wezparallel.hub.state.model import Process, Run, State, Workspace
    from wezparallel.types import JsonObject

    ViewsOf = Mapping[str, Sequence[JsonObject]]
    """process id -> `pane` and `mux` of each of its views inside WezTerm"""

FORMAT = 1
MAX_BYTES = 256 * 1024
MANY_PROCESSES = 500
SHORT_TEXT = 80

RUNNING = frozenset({"running", "ready", "unhealthy"})
FAILED = frozenset({"failed", "backoff"})

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def build(
    state: State,
    *,
    facts: JsonObject,
    views: ViewsOf | None = None,
    requests: Iterable[JsonObject] = (),
    templates: Iterable[JsonObject] = (),
    synced: Iterable[str] = (),
) -> JsonObject:
    """Return the snapshot; nothing in it changes with the state, but for the plans.

    Args:
        state: All that there is.
        facts: What does not come from the state: versions, places, `ui`.
        views: Where each process is shown.
        requests: What the GUI is asked to do, newest last.
        templates: What can be opened, as `name` and `description`.
        synced: Ids of the processes that are typed into together.
    """
    views, together = views or {}, frozenset(synced)
    processes = [process for process in state.processes.values() if not process.removed and not process.is_spare]
    processes.sort(key=lambda process: (process.order, process.process_id))
    members: dict[str | None, list[JsonObject]] = {}
    for process in processes:
        entry = _process(process, views.get(process.process_id, ()))
        if process.process_id in together:
            entry["synced"] = True
        members.setdefault(process.workspace, []).append(entry)
    return {
        "format": FORMAT,
        **facts,
        "counts": counts(state.workspaces.values(), processes),
        "waiting": waiting(processes),
        "workspaces": [_workspace(one, members.get(name, [])) for name, one in sorted(state.workspaces.items())],
        "loose": members.get(None, []),
        "templates": list(templates),
        "requests": list(requests),
    }


def counts(workspaces: Iterable[Workspace], processes: Sequence[Process]) -> JsonObject:
    """Return how many there are of what."""
    return {
        "workspaces": sum(workspace.open for workspace in workspaces),
        "processes": len(processes),
        "running": sum(process.state in RUNNING for process in processes),
        "agents": sum(process.settings.agent is not None and process.state in LIVE for process in processes),
        "waiting": sum(process.notice is not None for process in processes),
        "failed": sum(process.state in FAILED for process in processes),
    }


def waiting(processes: Iterable[Process]) -> list[JsonObject]:
    """Return who asks for a look, who waits longest first."""
    found = [
        {
            "process_id": process.process_id,
            "name": process.name,
            "workspace": process.workspace,
            "kind": process.settings.agent,
            "text": notice["text"],
            "since": notice["at"],
        }
        for process in processes
        if (notice := process.notice) is not None
    ]
    return sorted(found, key=lambda entry: (entry["since"], entry["process_id"]))


def encode(snapshot: JsonObject) -> bytes:
    """Return it as it is written, at most MAX_BYTES: what is needed least goes first, and `cut` says so."""
    data = _encode(snapshot).encode("utf-8", "replace")
    if len(data) <= MAX_BYTES:
        return data
    snapshot = {**snapshot, "cut": True}
    for step in (_without_descriptions, _with_short_texts, _without_closed):
        snapshot = step(snapshot)
        data = _encode(snapshot).encode("utf-8", "replace")
        if len(data) <= MAX_BYTES:
            return data
    count = MANY_PROCESSES
    while len(data) > MAX_BYTES:
        snapshot = _with_processes(snapshot, count)
        data = _encode(snapshot).encode("utf-8", "replace")
        if len(data) > MAX_BYTES and count == MANY_PROCESSES:
            snapshot = {**snapshot, "workspaces": [{**one, "tabs": []} for one in snapshot["workspaces"]]}
            data = _encode(snapshot).encode("utf-8", "replace")
        if not count:
            break  # facts alone; they are ours, and short
        count //= 2
    return data


def _process(process: Process, views: Sequence[JsonObject]) -> JsonObject:
    settings, run, notice = process.settings, process.run, process.notice
    return {
        "id": process.process_id,
        "name": process.name,
        "state": process.state,
        "pane": settings.pane,
        "direct": settings.direct,
        "exit_code": run.exit_code if run is not None else None,
        "reason": process.reason,
        "waits": notice["text"] if notice is not None else None,
        "on_close": on_close(settings),
        "since": _since(notice, run),
        "views": list(views),
    }


def _since(notice: JsonObject | None, run: Run | None) -> str | None:
    """Return since when it waits; else since when it runs, or does not."""
    if notice is not None:
        return str(notice["at"])
    moment = None if run is None else run.ended_at or run.started_at
    return None if moment is None else rfc3339(moment)


def _workspace(workspace: Workspace, processes: list[JsonObject]) -> JsonObject:
    return {
        "name": workspace.name,
        "root": workspace.root,
        "open": workspace.open,
        "focus": workspace.focus,
        "switched_at": None if workspace.switched_at is None else rfc3339(workspace.switched_at),
        "tabs": workspace.plan.get("tabs", []),
        "processes": processes,
    }


def _without_descriptions(snapshot: JsonObject) -> JsonObject:
    return {**snapshot, "templates": [{**one, "description": ""} for one in snapshot["templates"]]}


def _with_short_texts(snapshot: JsonObject) -> JsonObject:
    def short(text: Any) -> Any:
        return text if not isinstance(text, str) or len(text) <= SHORT_TEXT else text[: SHORT_TEXT - 1] + "…"

    def processes(entries: list[JsonObject]) -> list[JsonObject]:
        return [{**one, "reason": short(one["reason"]), "waits": short(one["waits"])} for one in entries]

    return {
        **snapshot,
        "waiting": [{**one, "text": short(one["text"])} for one in snapshot["waiting"]],
        "workspaces": [{**one, "processes": processes(one["processes"])} for one in snapshot["workspaces"]],
        "loose": processes(snapshot["loose"]),
    }


def _without_closed(snapshot: JsonObject) -> JsonObject:
    return {**snapshot, "workspaces": [one for one in snapshot["workspaces"] if one["open"]]}


def _with_processes(snapshot: JsonObject, count: int) -> JsonObject:
    """Return it with the first `count` processes, those without a workspace last."""
    left, workspaces = count, []
    for one in snapshot["workspaces"]:
        taken = one["processes"][:left]
        left -= len(taken)
        workspaces.append({**one, "processes": taken})
    waits = snapshot["waiting"][:count]
    workspaces = workspaces if count else []
    return {**snapshot, "waiting": waits, "workspaces": workspaces, "loose": snapshot["loose"][:left]}
