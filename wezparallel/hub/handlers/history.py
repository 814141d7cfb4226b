"""Handler of `HistoryList`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.errors import RequestError
from wezparallel.hub.handlers.log import moment
from wezparallel.hub.state.model import rfc3339
from wezparallel.hub.state.past import Wanted
from wezparallel.protocol import history as words

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Run
    from wezparallel.types import Millis


def list_(hub: Hub, command: words.HistoryList) -> words.HistoryReply:
    """Return a page of runs."""
    since = None if command.since is None else moment(command.since, hub.now_ms(), "since")
    found = hub.store.history(Wanted(_of(hub, command), since, command.failed, _place(command), command.limit + 1))
    runs = [_record(hub, run) for run in found[: command.limit]]
    following = None
    if len(found) > command.limit:
        last = found[command.limit - 1]
        following = f"{last.stored_at}:{last.number}:{last.run_id}"
    return words.HistoryReply(runs=runs, next=following)


def _of(hub: Hub, command: words.HistoryList) -> list[str] | None:
    """Return whose runs are wanted; None for everybody's. Raises RequestError for a name that is not known."""
    wanted = None if command.process is None else [hub.process(command.process).process_id]
    if command.workspace is None:
        return wanted
    hub.workspaces.get(command.workspace)
    members = [process.process_id for process in hub.state.members(command.workspace, spares=True)]
    return members if wanted is None else [process_id for process_id in members if process_id in wanted]


def _place(command: words.HistoryList) -> tuple[int, int, str] | None:
    if command.after is None:
        return None
    try:
        stored_at, number, run_id = command.after.split(":")
        return int(stored_at), int(number), run_id
    except ValueError:
        raise RequestError(
            "command.bad_value", "that is no place in a list; pass `next` as it came", field="after"
        ) from None


def _record(hub: Hub, run: Run) -> words.RunRecord:
    process = hub.state.processes.get(run.process_id)
    if process is not None and process.run is not None and process.run.run_id == run.run_id:
        run.peak_cpu_percent = process.run.peak_cpu_percent  # what is written of a run that goes on is a minute old
        run.peak_memory_bytes = process.run.peak_memory_bytes
    end = run.ended_at if run.status != "spawned" else hub.now_ms()
    is_known = run.started_at is not None and end is not None and run.status != "lost"
    ran_s = max(0, (end or 0) - (run.started_at or 0)) / 1000 if is_known else None
    return words.RunRecord(
        run_id=run.run_id, process_id=run.process_id, workspace=process.workspace if process is not None else None,
        number=run.number, status=run.status, pid=run.pid, started_at=_moment(run.started_at),
        ended_at=_moment(run.ended_at), ran_s=ran_s, exit_code=run.exit_code, signal=run.signal, asked=run.asked,
        peak_cpu_percent=run.peak_cpu_percent, peak_memory_bytes=run.peak_memory_bytes,
    )  # fmt: skip


def _moment(ms: Millis | None) -> str | None:
    return None if ms is None else rfc3339(ms)
