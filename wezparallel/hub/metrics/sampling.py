"""Looks at the process table and at the machine, for ever, and hands on what it sees.

To alerts, to subscribers of figures, to the peaks of each run, to the history. A look takes place in a worker's
thread; whoever wants figures that are no older than a moment (`fresh`) gets a look of his own.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio

from wezparallel import paths
from wezparallel.hub.metrics.history import MACHINE, Minutes
from wezparallel.hub.metrics.system import Looker, System
from wezparallel.hub.pool import figures
from wezparallel.hub.pool.sampler import Sampler, Usage
from wezparallel.hub.pool.telling import alive

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.types import ProcessId, Seconds

SAMPLE_EVERY_S = 10.0
FRESH_S = 2.0


class Sampling:
    """The hub's eye."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._sampler = Sampler()
        self._looker = Looker(paths.state_dir())
        self._lock = anyio.Lock()
        self._looked: Seconds = float("-inf")
        self._minutes = Minutes()
        self._risen: dict[ProcessId, str] = {}
        """Processes whose run has used more than what is written down, and that run."""
        self.system = System()

    async def run(self) -> None:
        """Look, for ever."""
        hub = self._hub
        while True:
            await self.look()
            hub.alerts.look(hub.state.processes.values(), hub.usage, hub.settings.alerts, self.system.disk_percent)
            hub.counts.mark(time.monotonic())
            figures.tell(hub)
            await figures.pause(hub, SAMPLE_EVERY_S)

    async def fresh(self) -> None:
        """Look, unless there was a look a moment ago."""
        if time.monotonic() - self._looked > FRESH_S:
            await self.look()

    async def look(self) -> None:
        """Look once."""
        async with self._lock:
            hub = self._hub
            runs = {
                process.process_id: process.run
                for process in hub.state.processes.values()
                if process.run and process.run.pid and alive(process.run)
            }
            roots = {process_id: (run.pid or 0, run.start or 0) for process_id, run in runs.items()}
            if roots:
                hub.usage, self.system = await anyio.to_thread.run_sync(self._take, roots)
            else:  # 0.2 ms, for which a hub without processes needs no thread
                hub.usage, self.system = self._take(roots)
            self._looked = time.monotonic()
        self._remember({process_id: run.run_id for process_id, run in runs.items()})

    def write(self) -> None:
        """Write down the minute that goes on; at the end."""
        self._hub.store.put_figures(self._minutes.finish())
        self._write_peaks()

    def _take(self, roots: dict[ProcessId, tuple[int, int]]) -> tuple[dict[ProcessId, Usage], System]:
        return self._sampler.sample(roots) if roots else {}, self._looker.look()

    def _remember(self, runs: dict[ProcessId, str]) -> None:
        """Take the sample into the history and into the peaks of those runs that still are the same."""
        hub = self._hub
        rows = self._minutes.turn(hub.now_ms())
        if rows:
            hub.store.put_figures(rows)
            self._write_peaks()
        self._minutes.add(MACHINE, self.system.cpu_percent, self.system.memory_used)
        for process_id, usage in hub.usage.items():
            self._minutes.add(process_id, usage.cpu_percent, usage.memory_bytes)
            process = hub.state.processes.get(process_id)
            run = process.run if process is not None else None
            if run is None or run.run_id != runs[process_id]:
                continue
            cpu, memory = run.peak_cpu_percent, run.peak_memory_bytes
            if usage.cpu_percent is not None and (cpu is None or usage.cpu_percent > cpu):
                run.peak_cpu_percent = round(usage.cpu_percent, 1)
                self._risen[process_id] = run.run_id
            if usage.memory_bytes is not None and (memory is None or usage.memory_bytes > memory):
                run.peak_memory_bytes = usage.memory_bytes
                self._risen[process_id] = run.run_id

    def _write_peaks(self) -> None:
        """Write down what has risen; an end writes its run anyway."""
        risen, self._risen = self._risen, {}
        for process_id, run_id in risen.items():
            process = self._hub.state.processes.get(process_id)
            if process is not None and process.run is not None and process.run.run_id == run_id:
                self._hub.store.put_run(process.run)
