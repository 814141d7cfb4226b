"""Handlers of ProcessSuspend and ProcessResume."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from wezparallel.errors import RequestError
from wezparallel.hub.handlers.process import accepted_one, record
from wezparallel.hub.pool import suspending
from wezparallel.hub.pool.checks import check_held
from wezparallel.hub.pool.supervise import alive
from wezparallel.protocol import process as words

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted


def suspend(hub: Hub, command: words.ProcessSuspend) -> Accepted:
    """Note which run is meant. Raises RequestError `process.not_running`, `process.bad_state`."""
    return _accept(hub, command)


async def suspended(hub: Hub, _command: words.ProcessSuspend, accepted: Accepted) -> words.ProcessSuspended:
    """Answer when all of it stands still."""
    process = accepted_one(hub, accepted)
    await suspending.suspend(hub, process, accepted["run_id"], accepted["effect_key"])
    return words.ProcessSuspended(process=record(hub, process))


def resume(hub: Hub, command: words.ProcessResume) -> Accepted:
    """Note which run is meant. Raises RequestError `process.not_running`, `process.bad_state`."""
    return _accept(hub, command)


async def resumed(hub: Hub, _command: words.ProcessResume, accepted: Accepted) -> words.ProcessResumed:
    """Answer when it goes on."""
    process = accepted_one(hub, accepted)
    await suspending.resume(hub, accepted["run_id"], accepted["effect_key"])
    return words.ProcessResumed(process=record(hub, process))


def _accept(hub: Hub, command: words.ProcessSuspend | words.ProcessResume) -> Accepted:
    process = hub.process(command.process)
    check_held(process.process_id, process.settings)
    if process.state == "stopping":
        raise RequestError(
            "process.bad_state", f"{process.process_id} is being stopped; start it again first", state=process.state
        )
    if not alive(process.run):
        raise RequestError(
            "process.not_running",
            f"{process.process_id} does not run; it is {process.state.replace('_', ' ')}",
            state=process.state,
        )
    key = f"{type(command).__name__} {command.key or secrets.token_hex(8)}"
    return {"process_id": process.process_id, "run_id": process.run.run_id, "effect_key": key}
