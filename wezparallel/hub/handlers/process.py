"""Handlers of the process commands; `adding` and `keyboard` have modules of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.errors import RequestError
from wezparallel.hub.handlers import waiting
from wezparallel.hub.pool import checks
from wezparallel.hub.pool.supervise import alive
from wezparallel.hub.state.model import Process, process_record
from wezparallel.protocol import process as words
from wezparallel.protocol.process import ProcessRecord

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted

MAX_PAGE = 896 * 1024  # bytes of records in one reply; a line has 1 MiB
WAITS_LONG = ("process", "admission")  # for another process or a free place: as long as that takes
SMALL = 800  # characters of a command; up to there a record is not measured


def record(hub: Hub, process: Process) -> ProcessRecord:
    """Return what clients see of a process."""
    usage = hub.usage.get(process.process_id) if alive(process.run) else None
    told = process_record(
        process,
        viewers=sum(seen == process.process_id for seen in hub.viewers.values()),
        cpu_percent=usage.cpu_percent if usage else None,
        memory_bytes=usage.memory_bytes if usage else None,
        max_tries=process.settings.give_up.tries,
        health=hub.pool.health.text(process),
        last_heartbeat=hub.heartbeats.of(process),
    )
    told["cwd"] = hub.direct.folder(process) or hub.worktrees.folder(process) or told["cwd"]
    return ProcessRecord.model_validate(told)


def size_of(told: ProcessRecord) -> int:
    """Return how many bytes a record is as it is told, or more."""
    if sum(map(len, told.argv)) < SMALL:
        return 2 * SMALL
    return len(told.model_dump_json())


def start(hub: Hub, command: words.ProcessStart) -> Accepted:
    """Have it up."""
    process = hub.process(command.process)
    checks.check_held(process.process_id, process.settings)
    if process.state == "suspended":
        raise RequestError(
            "process.bad_state",
            f"{process.process_id} is suspended; let it go on with ProcessResume",
            state="suspended",
        )
    _renew_environment(hub, process, command.environment)
    return {"process_id": process.process_id, "run_id": hub.pool.want_up(process)}


async def started(hub: Hub, command: words.ProcessStart, accepted: Accepted) -> words.ProcessStarted:
    """Answer once the run is there. Raises RequestError with the reason when it is not."""
    process = accepted_one(hub, accepted)
    hub.drop_unused_environments()
    await until_up(hub, process, accepted["run_id"])
    if command.wait == "ready":
        await waiting.until_ready(hub, process)
    return words.ProcessStarted(process=record(hub, process))


def restart(hub: Hub, command: words.ProcessRestart) -> Accepted:
    """Plan a new run; the present one is stopped first."""
    process = hub.process(command.process)
    checks.check_held(process.process_id, process.settings)
    _renew_environment(hub, process, command.environment)
    return {"process_id": process.process_id, "run_id": hub.pool.want_restart(process)}


async def restarted(hub: Hub, command: words.ProcessRestart, accepted: Accepted) -> words.ProcessRestarted:
    """Answer once the new run is there."""
    process = accepted_one(hub, accepted)
    hub.drop_unused_environments()
    await until_up(hub, process, accepted["run_id"])
    if command.wait == "ready":
        await waiting.until_ready(hub, process)
    return words.ProcessRestarted(process=record(hub, process))


def stop(hub: Hub, command: words.ProcessStop) -> Accepted:
    """Have it down."""
    process = _of_run(hub, command.process, command.run_id)
    return {"process_id": process.process_id, "run_id": hub.pool.want_down(process, command.grace_s)}


async def stopped(hub: Hub, _command: words.ProcessStop, accepted: Accepted) -> words.ProcessStopped:
    """Answer when nothing of it is left."""
    return words.ProcessStopped(process=await _until_down(hub, accepted))


def kill(hub: Hub, command: words.ProcessKill) -> Accepted:
    """Have it down at once. Raises RequestError `process.not_running`."""
    process = _of_run(hub, command.process, command.run_id)
    if not alive(process.run):
        raise RequestError(
            "process.not_running", f"{process.process_id} does not run; it is {process.state}", state=process.state
        )
    return {"process_id": process.process_id, "run_id": hub.pool.want_down(process, kill=True)}


async def killed(hub: Hub, _command: words.ProcessKill, accepted: Accepted) -> words.ProcessKilled:
    """Answer when nothing of it is left."""
    return words.ProcessKilled(process=await _until_down(hub, accepted))


def remove(hub: Hub, command: words.ProcessRemove) -> Accepted:
    """Have it gone."""
    process = hub.process(command.process)
    hub.pool.want_gone(process)
    return {"process_id": process.process_id}


async def removed(hub: Hub, _command: words.ProcessRemove, accepted: Accepted) -> words.ProcessRemoved:
    """Answer when it is."""
    await until_gone(hub, accepted["process_id"])
    return words.ProcessRemoved(process_id=accepted["process_id"])


def list_(hub: Hub, command: words.ProcessList) -> words.Processes:
    """Return a page of processes."""
    if command.workspace is not None:
        hub.workspaces.get(command.workspace)
    ids = sorted(
        process_id
        for process_id, process in hub.state.processes.items()
        if not process.removed
        and (command.workspace is None or process.workspace == command.workspace)
        and (command.after is None or process_id > command.after)
    )
    page: list[ProcessRecord] = []
    size = 0
    for process_id in ids[: command.limit]:
        told = record(hub, hub.state.processes[process_id])
        size += size_of(told)
        if page and size > MAX_PAGE:
            break
        page.append(told)
    return words.Processes(processes=page, next=page[-1].process_id if len(ids) > len(page) else None)


def get(hub: Hub, command: words.ProcessGet) -> words.ProcessReply:
    """Return one process."""
    return words.ProcessReply(process=record(hub, hub.process(command.process)))


def accepted_one(hub: Hub, accepted: Accepted) -> Process:
    """Return the process that was accepted, also while it is removed, and never another of the same bare name.

    Raises RequestError `process.not_found` when it was removed meanwhile.
    """
    found = hub.state.processes.get(accepted["process_id"])
    if found is None:
        raise RequestError(
            "process.not_found", f"{accepted['process_id']} was removed meanwhile; add it again",
            process=accepted["process_id"],
        )  # fmt: skip
    return found


async def until_up(hub: Hub, process: Process, run_id: str) -> None:
    """Wait until a run was spawned or is known to wait longer. Raises RequestError when it never will be."""

    def is_planned() -> bool:
        return process.planned is not None and process.planned.run_id == run_id

    await hub.pool.until(process, lambda: process.waits_for in WAITS_LONG or not is_planned())
    if is_planned():
        return
    refused = hub.pool.refusals.get(run_id)
    if refused is not None:
        raise RequestError(refused.code, refused.message, **refused.data)
    if process.run is not None and process.run.run_id == run_id:
        return
    # After a crash of ours a later run may be the present one already.
    if not any(run.run_id == run_id and run.started_at for run in hub.store.runs_of(process.process_id)):
        raise RequestError(
            "process.superseded",
            f"{process.process_id} was stopped before it had started",
            process=process.process_id,
        )


async def until_gone(hub: Hub, process_id: str) -> None:
    """Wait until a process is forgotten."""
    process = hub.state.processes.get(process_id)
    if process is not None and process.removed:  # else it is gone, and its name has been given to another
        await hub.pool.until(process, lambda: hub.state.processes.get(process_id) is not process)


async def until_down(hub: Hub, process: Process, run_id: str) -> None:
    """Wait until a run has ended, or will never be.

    Raises RequestError `process.superseded` when a later start wants this very run: nobody stops it any more.
    """

    def ended() -> bool:
        planned = process.planned is not None and process.planned.run_id == run_id
        return not planned and not (alive(process.run) and process.run.run_id == run_id)

    def overtaken() -> bool:
        return process.desired == "up" and not hub.pool.stops(run_id) and not ended()

    await hub.pool.until(process, lambda: ended() or overtaken())
    if overtaken():
        raise RequestError(
            "process.superseded",
            f"{process.process_id} was started again before this stop had its turn; stop it again",
            process=process.process_id,
        )


async def _until_down(hub: Hub, accepted: Accepted) -> ProcessRecord:
    process = accepted_one(hub, accepted)
    if accepted["run_id"] is not None:
        await until_down(hub, process, accepted["run_id"])
    return record(hub, process)


def _of_run(hub: Hub, process_id: str, run_id: str | None) -> Process:
    process = hub.process(process_id)
    if run_id is not None and (process.run is None or process.run.run_id != run_id):
        raise RequestError(
            "process.not_running",
            f"that run of {process.process_id} is over; ask without `run_id` to mean the present one",
            run_id=process.run.run_id if process.run else None,
        )
    return process


def _renew_environment(hub: Hub, process: Process, environment: dict[str, str] | None) -> None:
    """Have its next runs start with another environment, which the keeper holds before its name is written down."""
    if environment is not None:
        process.env_id = checks.put_environment(hub, environment)
