"""Who waits for a process: `wait: ready` of the commands that start, and ProcessWait."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import anyio

from wezparallel.errors import RequestError
from wezparallel.hub.pool import dependencies, lines
from wezparallel.hub.pool.telling import alive
from wezparallel.protocol import waiting as words

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process

MAX_WAITING = 500
_waiting: set[object] = set()


async def until_ready(hub: Hub, process: Process, *, done_counts: bool = False) -> None:
    """Wait until a process is ready; with `done_counts` one that has done its work and ended well is too.

    Raises RequestError `process.bad_state` when nothing makes it so any more.
    """
    await hub.pool.until(process, lambda: dependencies.is_ready(process) or _is_in_vain(process))
    if not dependencies.is_ready(process) and not (done_counts and dependencies.is_met(process, "exited_ok")):
        why = f": {process.reason}" if process.reason else ""
        raise RequestError(
            "process.bad_state",
            f"{process.process_id} is {process.state.replace('_', ' ')}, not ready{why}; see its log, then start it",
            process=process.process_id, state=process.state, reason=process.reason,
        )  # fmt: skip


async def wait(hub: Hub, command: words.ProcessWait) -> words.ProcessWaited:
    """Wait for what is asked, for so long."""
    process = hub.process(command.process)
    pattern = _pattern(command)
    if len(_waiting) >= MAX_WAITING:
        raise RequestError("hub.busy", f"{MAX_WAITING} clients wait already; try again when some have ended")
    me = object()
    _waiting.add(me)
    line: str | None = None
    outcome = "timeout"
    try:
        with anyio.move_on_after(command.timeout_s):
            if command.what == "ready":
                outcome = await _ready(hub, process)
            elif command.what == "exited":
                await _exited(hub, process)
                outcome = "met"
            elif pattern is not None:
                line = await _line(hub, process, pattern)
                outcome = "in_vain" if line is None else "met"
    finally:
        _waiting.discard(me)
    from wezparallel.hub.handlers.process import record  # noqa: PLC0415  it asks this module to wait

    return words.ProcessWaited.model_validate(
        {"process": record(hub, process), "outcome": outcome, "line": line if line is None else line[:4096]}
    )


def _pattern(command: words.ProcessWait) -> re.Pattern[str] | None:
    if (command.regex is not None) != (command.what == "output"):
        raise RequestError(
            "command.bad_value", "`regex` goes with `for: output`, and `for: output` with a `regex`", field="regex"
        )
    try:
        return re.compile(command.regex) if command.regex is not None else None
    except re.error as error:
        raise RequestError(
            "command.bad_value", f"{command.regex!r} is no regular expression: {error}", field="regex"
        ) from None


def _is_in_vain(process: Process) -> bool:
    """Tell whether it is not on its way to be ready."""
    if process.removed:
        return True
    if process.planned is not None or process.state == "backoff":
        return False
    if process.state == "unhealthy":
        return process.settings.restart == "never"
    return not alive(process.run)


async def _ready(hub: Hub, process: Process) -> str:
    await hub.pool.until(process, lambda: dependencies.is_ready(process) or _is_in_vain(process))
    return "met" if dependencies.is_ready(process) else "in_vain"


async def _exited(hub: Hub, process: Process) -> None:
    """Wait until the run that there is, or is to come, has ended; or never will be."""
    run = process.planned or process.run

    def ended() -> bool:
        return run is None or (process.planned is not run and not (process.run is run and alive(run)))

    await hub.pool.until(process, ended)


async def _line(hub: Hub, process: Process, pattern: re.Pattern[str]) -> str | None:
    """Return the first line that matches, or None once the run has ended without one."""
    if process.settings.log == "disk" or alive(process.run):
        await hub.pool.until(process, lambda: process.planned is None or alive(process.run))
    run = process.run
    if run is None:
        return None
    offset = await hub.pool.health.offset(process, run)
    found: list[str] = []
    async with anyio.create_task_group() as tasks:

        async def look() -> None:
            found.append((await lines.until_line(process.process_id, offset, pattern))[0])
            tasks.cancel_scope.cancel()

        tasks.start_soon(look)
        await hub.pool.until(process, lambda: not (process.run is run and alive(run)))
        await anyio.sleep(2 * lines.QUIET_S)  # what it wrote last is on its way
        tasks.cancel_scope.cancel()
    return found[0] if found else None
