"""Handlers of `ProcessPrepare` and `ProcessObserve`: programs that run in their panes themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.errors import RequestError
from wezparallel.hub.comms.callers import start_time
from wezparallel.hub.handlers.process import accepted_one, record
from wezparallel.hub.pool import kinds
from wezparallel.hub.pool.filling import filled
from wezparallel.hub.pool.starting import check_start
from wezparallel.hub.pool.telling import alive
from wezparallel.protocol import direct as words

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted
    from wezparallel.hub.state.model import Process


async def prepare(hub: Hub, command: words.ProcessPrepare) -> words.ProcessPrepared:
    """Put together what a start by the keeper would get. Raises RequestError with why it cannot be started."""
    process = _direct(hub, command.process)
    _check_free(process)
    env_id = await hub.environments.ready(process.env_id)
    given = await hub.environments.get(env_id)
    prepared, note = await filled(process.settings, given, process.runs + 1)
    prepared = kinds.prepared(prepared, hub.settings, given)
    prepared, told = await hub.worktrees.placed(process, prepared)
    prepared = await check_start(prepared, given)
    env = {**given, **prepared.env, "WORKSPACE": process.workspace or "", "WEZPARALLEL_PROCESS": process.process_id}
    return words.ProcessPrepared(
        process_id=process.process_id, argv=prepared.argv, cwd=prepared.cwd, note=note or told or None,
        env={name: value for name, value in env.items() if value is not None},
    )  # fmt: skip


def observe(hub: Hub, command: words.ProcessObserve) -> Accepted:
    """Write down that it runs, or how it ended."""
    process = _direct(hub, command.process)
    run = process.run
    if command.pid is None:
        if alive(run) and run.run_id == command.run_id:  # else the pid's end was seen first
            hub.direct.ended(process, run, command.exit_code, command.signal)
        return {"process_id": process.process_id}
    if run is None or run.run_id != command.run_id:
        _check_free(process)
        hub.direct.began(process, command.run_id, command.pid, start_time(command.pid))
        if command.pane and command.mux:
            hub.gui.bind(process.process_id, command.mux, command.pane, command.pid, by_plugin=False)
    return {"process_id": process.process_id}


async def observed(hub: Hub, _command: words.ProcessObserve, accepted: Accepted) -> words.ProcessObserved:
    """Answer with the record."""
    return words.ProcessObserved(process=record(hub, accepted_one(hub, accepted)))


def _direct(hub: Hub, name: str) -> Process:
    process = hub.process(name)
    if not (process.settings.direct or process.running_settings.direct):
        raise RequestError(
            "process.bad_state",
            f"{process.process_id} is held by the keeper; ProcessStart starts it, `wezparallel attach` shows it",
            direct=False,
        )
    return process


def _check_free(process: Process) -> None:
    if alive(process.run):
        raise RequestError(
            "process.bad_state", f"{process.process_id} runs in another pane already (pid {process.run.pid})",
            pid=process.run.pid,
        )  # fmt: skip
