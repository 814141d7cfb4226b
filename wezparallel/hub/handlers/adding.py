"""`ProcessAdd`: what a new process is, whether it may be, and its first start."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from wezparallel.errors import RequestError
from wezparallel.hub.handlers.instantiating import from_template
from wezparallel.hub.handlers.process import WAITS_LONG, accepted_one, record, until_up
from wezparallel.hub.pool import checks, dependencies, kinds, showing
from wezparallel.hub.pool.admission import check_room
from wezparallel.hub.pool.spares import Wanted
from wezparallel.hub.state.model import Process
from wezparallel.protocol import process as words
from wezparallel.protocol.process import NAME_PATTERN, ProcessSettings

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted

_NAME = re.compile(NAME_PATTERN)
MAX_DEFINITION = 384 * 1024  # bytes as JSON


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
            f"{command.id!r} is no id; write `workspace/name` or a bare name, at most 64 characters each, "
            "and none begins with `-`",
            field="id",
        )
    home = os.path.expanduser("~")
    owner = hub.state.workspaces.get(workspace) if workspace else None
    process_id = _free_id(hub, command.id, command.unique)
    checks.check_command(command.command)
    env, dropped = checks.safe_env(command.env)
    own_name = process_id.rpartition("/")[2]
    settings, back = from_template(hub, command, own_name, owner, env) if command.template else (ProcessSettings(
        name=own_name, argv=[command.command, *command.args], cwd=_cwd(command, owner, home),
        command=" ".join([command.command, *command.args]), env=dict(env), tty=command.tty,
        restart=command.restart, backoff_s=command.backoff_s, stop=command.stop, agent=command.agent,
        log=command.log, log_cap_bytes=command.log_cap_bytes, depends_on=command.depends_on, ready=command.ready,
        health=command.health, give_up=command.give_up, limits=command.limits, watch=command.watch,
        on_close=command.on_close, isolate=command.isolate,
    ), False)  # fmt: skip
    said = None if command.template else command.model_fields_set
    settings = kinds.with_defaults(settings, hub.settings, said)
    check_size(settings)
    check_room(hub, workspace or None)
    _check_needs(hub, workspace, settings)
    if workspace and owner is None:  # only now: a request that is refused must change nothing
        hub.workspaces.check_former(workspace)
        hub.workspaces.add(workspace, command.root or home)
    spare, not_reused = _spare(hub, command, name, settings)
    if spare is not None:
        run_id = hub.spares.give(spare, settings, settings.agent or name, command.auto_start_on_restore or back)
        return {"process_id": spare.process_id, "run_id": run_id, "dropped": dropped, "reused": True}
    process = Process(
        process_id, workspace or None, settings, desired="down", created_at=hub.now_ms(),
        order=len(hub.state.members(workspace)), env_id=checks.put_environment(hub, command.environment),
        auto_start_on_restore=command.auto_start_on_restore or back,
    )  # fmt: skip
    hub.workspaces.put(process)
    showing.expect(hub, process, command.terminal)
    first_id = hub.pool.want_up(process) if command.auto_start else None
    return {"process_id": process_id, "run_id": first_id, "dropped": dropped, "not_reused": not_reused}


async def added(hub: Hub, _command: words.ProcessAdd, accepted: Accepted) -> words.ProcessAdded:
    """Answer once it is spawned or known to wait, or why it is not."""
    process = accepted_one(hub, accepted)
    now, error = "added" if accepted["run_id"] is None else "spawned", None
    if now == "spawned":
        try:
            await until_up(hub, process, accepted["run_id"])
        except RequestError as refused:
            now, error = "refused", refused.to_json()
    if now == "spawned" and process.waits_for in WAITS_LONG:
        now = "waits"
    dropped = accepted.get("dropped") or []
    return words.ProcessAdded(
        process=record(hub, process), now=now, error=error, dropped=dropped, reused=bool(accepted.get("reused")),
        not_reused=accepted.get("not_reused"),
    )  # fmt: skip


def _spare(
    hub: Hub, command: words.ProcessAdd, name: str, settings: ProcessSettings
) -> tuple[Process | None, str | None]:
    """Return a spare that is what is asked for, or why there is none that is."""
    wants = command.unique if command.reuse is None else command.reuse
    if not (wants and command.auto_start):
        return None, None
    given = checks.of_caller(command.environment, hub.bus.by)
    wanted = Wanted(checks.as_callers(settings, hub.bus.by), given, command.terminal)
    return hub.spares.take(command.id.rpartition("/")[0] or None, settings.agent or name, wanted)


def _free_id(hub: Hub, wanted: str, unique: bool) -> str:
    workspace, _, name = wanted.rpartition("/")
    beside = {one.settings.name: one for one in _beside(hub, workspace)}
    named = beside.get(name)
    if named is not None and named.process_id.endswith(f"/{name}"):  # in a renamed workspace its id begins otherwise
        wanted = named.process_id
    if named is None and wanted not in hub.state.processes:
        return wanted
    if not unique:
        raise RequestError(
            "process.bad_state", f"{wanted!r} exists already; choose another name, or start it with ProcessStart"
        )
    number = 2
    while f"{wanted}-{number}" in hub.state.processes or f"{name}-{number}" in beside:
        number += 1
    return f"{wanted}-{number}"


def _beside(hub: Hub, workspace: str) -> list[Process]:
    """Return the processes of a workspace, or those without one, that have names."""
    return [
        one for one in hub.state.processes.values()
        if one.workspace == (workspace or None) and not one.removed and not one.is_spare
    ]  # fmt: skip


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
    needs = {process.settings.name: process.settings.depends_on for process in _beside(hub, workspace)}
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
