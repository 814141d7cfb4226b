"""When each agent last gave a sign of life: its newest output, as its log's files tell. Unknown is None.

One look at a folder per agent and interval (`health_check_interval` of its kind); the keeper is not asked.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from wezparallel import paths
from wezparallel.hub.pool.telling import alive

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process
    from wezparallel.types import Millis, Seconds

USUAL_S = 10.0


class Heartbeats:
    """The last sign of life of each agent."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._last: dict[str, Millis] = {}

    def of(self, process: Process) -> Millis | None:
        """Return when it gave one."""
        return self._last.get(process.process_id) if process.settings.agent is not None else None

    def note(self, process_id: str, at: Millis) -> None:
        """Take a sign of life that something else saw: a hook, a change in the registry."""
        self._last[process_id] = max(at, self._last.get(process_id, 0))

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await anyio.sleep(await self.look())

    async def look(self) -> Seconds:
        """Look once; return when to look again."""
        processes = self._hub.state.processes
        agents = {
            process_id: process.settings.agent
            for process_id, process in processes.items()
            if process.settings.agent is not None and alive(process.run)
        }
        if agents:
            for process_id, at in (await anyio.to_thread.run_sync(_newest, list(agents))).items():
                self.note(process_id, at)
        self._last = {process_id: at for process_id, at in self._last.items() if process_id in processes}
        kinds = (self._hub.settings.kind(kind) for kind in set(agents.values()))
        return min((kind.health_check_interval for kind in kinds), default=USUAL_S)


def _newest(process_ids: list[str]) -> dict[str, Millis]:
    """Return when each log was written to last."""
    found = {}
    for process_id in process_ids:
        try:
            with os.scandir(paths.log_dir(process_id)) as entries:
                times = [entry.stat().st_mtime_ns for entry in entries]
        except OSError:
            continue
        if times:
            found[process_id] = max(times) // 1_000_000
    return found
