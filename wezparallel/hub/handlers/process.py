"""Handlers of the process commands."""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
from typing import TYPE_CHECKING, Any

from wezparallel.errors import RequestError
from wezparallel.hub.handlers import waiting
from wezparallel.hub.handlers.instantiating import from_template
from wezparallel.hub.pool import checks, dependencies, kinds, notices, showing
from wezparallel.hub.pool.admission import check_room
from wezparallel.hub.pool.supervise import alive
from wezparallel.hub.state.model import Process, process_record
from wezparallel.keeper import messages
from wezparallel.protocol import process as words
from wezparallel.protocol.process import NAME_PATTERN, ProcessRecord, ProcessSettings

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted

_NAME = re.compile(NAME_PATTERN)
MAX_DEFINITION = 384 * 1024  # bytes as JSON
MAX_PAGE = 896 * 1024  # bytes of records in one reply; a line has 1 MiB
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
    told["cwd"] = hub.worktrees.folder(process) or told["cwd"]
    return ProcessRecord.model_validate(told)


def size_of(told: ProcessRecord) -> int:
    """Return how many bytes a record is as it is told, or more."""
    if sum(map(len, told.argv)) < SMALL:
        return 2 * SMALL
    return len(told.model_dump_json())


def check_size(settings: ProcessSettings) -> None:
    """Refuse a definition that no list could show. Raises RequestError `process.bad_command`."""
    size = len(settings.model_dump_json())
    if size > MAX_DEFINITION:
        raise RequestError(
            "process.bad_command",
            f"the command and environment of {settings.name} take {size} bytes, and {MAX_DEFINITION} may be; "
            "put what is long into a file",
            limit_bytes=MAX_DEFINITION,
        )


def add(hub: Hub, command: words.ProcessAdd) -> Accepted:
    """Write the process down and, unless told otherwise, have it up."""
    workspace, slash, name = command.id.rpartition("/")
    if not _NAME.fullmatch(name) or (slash and not _NAME.fullmatch(workspace)):
        raise RequestError(
            "command.bad_value",
            f"{command.id!r} is no id; write `workspace/name` or a bare name, at most 64 characters each",
            field="id",
        )
    home = os.path.expanduser("~")
    owner = hub.state.workspaces.get(workspace) if workspace else None
    process_id = _free_id(hub, command.id, command.unique)
    checks.check_command(command.command)
    env, dropped = checks.safe_env(command.env)
    own_name = process_id.rpartition("/")[2]
    settings = from_template(hub, command, own_name, owner, env) if command.template else ProcessSettings(
        name=own_name, argv=[command.command, *command.args], cwd=_cwd(command, owner, home),
        command=" ".join([command.command, *command.args]), env=dict(env), tty=command.tty,
        restart=command.restart, backoff_s=command.backoff_s, stop=command.stop, agent=command.agent,
        log=command.log, log_cap_bytes=command.log_cap_bytes, depends_on=command.depends_on, ready=command.ready,
        health=command.health, give_up=command.give_up, limits=command.limits, watch=command.watch,
        on_close=command.on_close, isolate=command.isolate,
    )  # fmt: skip
    said = None if command.template else command.model_fields_set
    settings = kinds.with_defaults(settings, hub.settings, said)
    check_size(settings)
    check_room(hub, workspace or None)
    _check_needs(hub, workspace, settings)
    if workspace and owner is None:  # only now: a request that is refused must change nothing
        hub.workspaces.check_former(workspace)
        hub.workspaces.add(workspace, command.root or home)
    process = Process(
        process_id, workspace or None, settings, desired="down", created_at=hub.now_ms(),
        order=len(hub.state.members(workspace)), env_id=checks.put_environment(hub, command.environment),
        auto_start_on_restore=command.auto_start_on_restore,
    )  # fmt: skip
    hub.workspaces.put(process)
    showing.expect(hub, process, command.terminal)
    run_id = hub.pool.want_up(process) if command.auto_start else None
    return {"process_id": process_id, "run_id": run_id, "dropped": dropped}


async def added(hub: Hub, _command: words.ProcessAdd, accepted: Accepted) -> words.ProcessAdded:
    """Answer once it is spawned or known to wait, or why it is not."""
    process = accepted_one(hub, accepted)
    now, error = "added" if accepted["run_id"] is None else "spawned", None
    if now == "spawned" and process.waits_for != "process":
        try:
            await until_up(hub, process, accepted["run_id"])
        except RequestError as refused:
            now, error = "refused", refused.to_json()
    if now == "spawned" and process.waits_for in ("process", "admission"):
        now = "waits"
    dropped = accepted.get("dropped") or []
    return words.ProcessAdded(process=record(hub, process), now=now, error=error, dropped=dropped)


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


def type_(hub: Hub, command: words.ProcessType) -> Accepted:
    """Check that there is someone to type to."""
    process = hub.process(command.process)
    if not alive(process.run):
        raise RequestError(
            "process.not_running",
            f"{process.process_id} does not run; start it with ProcessStart",
            state=process.state,
        )
    _bytes_to_type(command)
    notices.clear(hub, process)
    return {"process_id": process.process_id, "write_key": command.key or secrets.token_hex(8)}


async def typed(hub: Hub, command: words.ProcessType, accepted: Accepted) -> words.ProcessTyped:
    """Hand the bytes to the keeper, which remembers the key: a repetition types nothing."""
    data = _bytes_to_type(command)
    await hub.link.call(
        {"m": messages.WRITE, "process_id": accepted["process_id"], "key": accepted["write_key"],
         "data": base64.b64encode(data).decode()}
    )  # fmt: skip
    return words.ProcessTyped(process_id=accepted["process_id"], bytes=len(data))


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
    """Wait until a run was spawned. Raises RequestError when it never will be."""

    def settled() -> bool:
        return process.waits_for == "admission" or not (process.planned and process.planned.run_id == run_id)

    await hub.pool.until(process, settled)
    if process.waits_for == "admission":
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


def _free_id(hub: Hub, wanted: str, unique: bool) -> str:
    workspace, _, name = wanted.rpartition("/")
    named = next((p for p in hub.state.members(workspace) if p.settings.name == name), None) if workspace else None
    if named is not None:  # in a renamed workspace its id begins otherwise
        wanted = named.process_id
    if wanted not in hub.state.processes:
        return wanted
    if not unique:
        raise RequestError(
            "process.bad_state", f"{wanted!r} exists already; choose another name, or start it with ProcessStart"
        )
    number = 2
    while f"{wanted}-{number}" in hub.state.processes:
        number += 1
    return f"{wanted}-{number}"


def _check_needs(hub: Hub, workspace: str, settings: ProcessSettings) -> None:
    """Refuse needs that cannot be met, and what an agent may not have run. Raises RequestError."""
    by = hub.bus.by
    probes = [probe for probe in (settings.ready, settings.health) if probe is not None]
    if by is not None and by["role"] != "person" and any(probe.exec is not None for probe in probes):
        raise RequestError(
            "caller.agent_not_allowed",
            "an `exec` probe runs outside of an agent's tree, so only a person may ask for one; take http, tcp or "
            "log_line",
        )
    if not settings.depends_on:
        return
    beside = (p for p in hub.state.processes.values() if p.workspace == (workspace or None) and not p.removed)
    needs = {process.settings.name: process.settings.depends_on for process in beside}
    wrong = dependencies.problem(needs | {settings.name: settings.depends_on}, settings.name)
    if wrong is not None:
        raise RequestError("command.bad_value", wrong[1], field="depends_on", process=wrong[0])


def _cwd(command: words.ProcessAdd, owner: Any, home: str) -> str:
    root = owner.root if owner is not None else command.root
    cwd = command.cwd or root or home
    checks.check_cwd(cwd, root)
    if not cwd.startswith("/"):
        raise RequestError("process.bad_directory", f"{cwd!r} is not absolute; give the whole path", cwd=cwd)
    return str(cwd)


def _bytes_to_type(command: words.ProcessType) -> bytes:
    if command.encoding == "base64":
        try:
            data = base64.b64decode(command.text, validate=True)
        except (binascii.Error, ValueError):
            raise RequestError("command.bad_value", "ProcessType.text is not base64", field="text") from None
    else:
        data = command.text.encode("utf-8", "surrogatepass")
    return data + b"\r" if command.enter else data
