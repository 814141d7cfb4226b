"""Asks the keeper to suspend a run or to let it go on, and waits until it is so.

A process is `suspended` when the keeper says that all of it stands still, not when somebody asked for it; so a hub
that dies in between has nothing to remember: the next one is told at adoption. The keeper remembers the keys of what
was asked, so that asking again after a crash does nothing twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from wezparallel.errors import RequestError
from wezparallel.hub.pool.supervise import alive
from wezparallel.keeper import messages

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process


async def suspend(hub: Hub, process: Process, run_id: str, key: str) -> None:
    """Have a run and everything below it stand still.

    Raises RequestError `process.not_running` when it ended, `process.superseded` when it was resumed or stopped.
    """
    reply, count = await _ask(hub, messages.SUSPEND, run_id, key)
    if not reply["done"]:
        await hub.pool.until(process, lambda: hub.pool.told(run_id) != count or not _is_up(process, run_id))
    if not _is_up(process, run_id):
        raise RequestError("process.not_running", f"{process.process_id} ended before all of it was suspended")
    if process.state != "suspended" and not reply["already"]:
        raise RequestError(
            "process.superseded",
            f"{process.process_id} was resumed or stopped before all of it was suspended; suspend it again",
            process=process.process_id,
        )


async def resume(hub: Hub, run_id: str, key: str) -> None:
    """Have a run go on. Raises RequestError `process.not_running` when it ended."""
    await _ask(hub, messages.RESUME, run_id, key)


async def _ask(hub: Hub, name: str, run_id: str, key: str) -> tuple[dict[str, Any], int]:
    """Return the keeper's answer, and how many reports on the run had come before it."""
    answered = anyio.Event()
    answers: list[tuple[dict[str, Any], int]] = []

    def on_reply(reply: dict[str, Any], _fds: list[int]) -> None:
        answers.append((reply, hub.pool.told(run_id)))
        answered.set()

    hub.link.request({"m": name, "run_id": run_id, "key": key}, on_reply)
    await answered.wait()
    reply, count = answers[0]
    if reply["m"] != messages.OK:
        raise RequestError(
            reply.get("code", "internal.bug"), reply.get("message", "refused"), **reply.get("data", {})
        )
    return reply, count


def _is_up(process: Process, run_id: str) -> bool:
    return alive(process.run) and process.run.run_id == run_id
