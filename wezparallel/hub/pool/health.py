"""When each run's probes look, and what follows from what they see.

A run with a `ready` probe is looked at soon and then ever more rarely, until it passes; from then on, or from its
start, a `health` probe looks every `interval_s`. What fails too often is unhealthy, and its restart policy decides.
Nothing is looked at while it stands still.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import anyio
import structlog

from wezparallel.errors import RequestError
from wezparallel.hub.pool import lines, probes
from wezparallel.hub.pool.keeper_link import close_all
from wezparallel.keeper import messages

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process, Run
    from wezparallel.protocol.process import ProcessSettings
    from wezparallel.protocol.supervision import Probe
    from wezparallel.types import Seconds

log = structlog.get_logger()

PROGRAMS = 8  # that run at once
CONNECTIONS = 64
FIRST_S = 0.01  # before the first look, and at least between two
PART = 0.1  # of what it has taken so far, until the next look: so little is lost, whether it takes 0.1 s or a minute


class Health:
    """The probes of all runs."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._scopes: dict[str, anyio.CancelScope] = {}
        self._offsets: dict[str, int] = {}
        self._programs, self._connections = anyio.Semaphore(PROGRAMS), anyio.Semaphore(CONNECTIONS)
        self._seen: dict[str, str] = {}

    def text(self, process: Process) -> str | None:
        """Return what was seen last of the present run: `port 5432`, or why a look failed; None if unknown."""
        run, settings = process.run, process.settings
        if run is None or run.status != "spawned":
            return None
        ready = probes.describe(settings.ready) if settings.ready is not None and run.ready else None
        return self._seen.get(run.run_id, ready)

    async def prepare(self, process: Process, run: Run) -> None:
        """Note where the output of a run begins that is not on disk, before there is any."""
        if process.settings.log == "disk" or not _reads_lines(process.settings):
            return
        try:
            told, fds = await self._hub.link.call({"m": messages.LOG_READ, "process_id": process.process_id})
        except RequestError:
            return  # its first run: all that there will be is the run's
        close_all(fds)
        self._offsets[run.run_id] = int(told.get("end", 0))

    def begin(self, process: Process, run: Run) -> None:
        """Look at a run from now on."""
        settings = process.settings
        if settings.ready is None and settings.health is None:
            return
        self.end(run, keeps_offset=True)
        scope = self._scopes[run.run_id] = anyio.CancelScope()
        self._hub.tasks.start_soon(self._watch, process, run, scope)

    def end(self, run: Run, *, keeps_offset: bool = False) -> None:
        """Look no more."""
        scope = self._scopes.pop(run.run_id, None)
        if scope is not None:
            scope.cancel()
        self._seen.pop(run.run_id, None)
        if not keeps_offset:
            self._offsets.pop(run.run_id, None)

    async def _watch(self, process: Process, run: Run, scope: anyio.CancelScope) -> None:
        with scope:
            try:
                if process.settings.ready is not None and not run.ready:
                    await self._until_ready(process, run, process.settings.ready)
                if process.settings.health is not None:
                    await self._keep_looking(process, run, process.settings.health)
            except Exception:  # one run's probe must not end the hub
                log.exception("probe.failed", process=process.process_id)

    async def _until_ready(self, process: Process, run: Run, probe: Probe) -> None:
        began = anyio.current_time()
        deadline = began + self._left(run, probe)
        eye = _Eye(self, process, run, probe)
        delay, failures = FIRST_S, 0
        while True:
            grace = deadline - anyio.current_time()
            await anyio.sleep(max(0, min(delay, grace)) if grace > 0 and failures else delay)
            deadline += await self._until_it_goes_on(process)
            why = await eye.look(deadline - anyio.current_time())
            if why is None:
                self._seen[run.run_id] = probes.describe(probe)
                self._hub.pool.passed(process, run)
                return
            failures += 1
            self._seen[run.run_id] = why
            is_over = anyio.current_time() >= deadline
            if is_over and (failures >= probe.threshold or probe.log_line is not None):
                self._hub.pool.failing(process, run, why)
            delay = probe.interval_s if is_over else _soon(began, probe)

    async def _keep_looking(self, process: Process, run: Run, probe: Probe) -> None:
        began = anyio.current_time()
        deadline = began + self._left(run, probe)
        eye = _Eye(self, process, run, probe)
        delay = min(FIRST_S, probe.interval_s)
        failures, has_passed = 0, False
        while True:
            await anyio.sleep(delay)
            deadline += await self._until_it_goes_on(process)
            why = await eye.look(probe.interval_s)
            if why is None:
                has_passed, failures = True, 0
                self._seen[run.run_id] = probes.describe(probe)
                self._hub.pool.passed(process, run)
            elif has_passed or anyio.current_time() >= deadline:
                failures += 1
                self._seen[run.run_id] = f"{why} ({min(failures, probe.threshold)} of {probe.threshold})"
                if failures >= probe.threshold:
                    self._hub.pool.failing(process, run, why)
            delay = probe.interval_s if has_passed or failures else _soon(began, probe)

    def _left(self, run: Run, probe: Probe) -> Seconds:
        """Return what is left of the time in which failures are none; a hub before this one may have begun."""
        ran_s = max(0, self._hub.now_ms() - (run.started_at or 0)) / 1000
        return max(0.0, probe.start_s - ran_s)

    async def _until_it_goes_on(self, process: Process) -> Seconds:
        """Wait while it stands still; return for how long."""
        if process.state != "suspended":
            return 0.0
        since = anyio.current_time()
        await self._hub.pool.until(process, lambda: process.state != "suspended")
        return anyio.current_time() - since

    async def look(self, process: Process, probe: Probe) -> str | None:
        """Look once, when there is a place."""
        settings, environments = process.settings, self._hub.environments
        if probe.exec is not None and settings.of_agent:
            return "an `exec` probe would run outside of its agent's tree, so it does not"
        env: dict[str, str] = {}
        if probe.exec is not None:
            env = dict(await environments.get(await environments.ready(process.env_id)))
            for name, value in (*settings.env.items(), ("WORKSPACE", process.workspace or "")):
                if value is None:
                    env.pop(name, None)
                else:
                    env[name] = value
        async with self._connections if probe.exec is None else self._programs:
            return await probes.look(probe, self._hub.worktrees.folder(process) or settings.cwd, env)

    async def offset(self, process: Process, run: Run) -> int:
        """Return where a run's output begins."""
        known = self._offsets.get(run.run_id)
        return known if known is not None else await lines.beginning(process, run)


class _Eye:
    """How one probe of one run looks; for lines it remembers where it was."""

    def __init__(self, health: Health, process: Process, run: Run, probe: Probe) -> None:
        self._health = health
        self._process, self._run, self._probe = process, run, probe
        self._pattern = re.compile(probe.log_line) if probe.log_line is not None else None
        self._offset: int | None = None

    async def look(self, within_s: Seconds) -> str | None:
        """Look; a line may come within that time, anything else is answered by the probe's own bound."""
        if self._pattern is None:
            return await self._health.look(self._process, self._probe)
        if self._offset is None:
            self._offset = await self._health.offset(self._process, self._run)
        with anyio.move_on_after(max(within_s, lines.QUIET_S)):
            _, self._offset = await lines.until_line(self._process.process_id, self._offset, self._pattern)
            return None
        return f"no line matched /{self._probe.log_line}/"


def _soon(began: float, probe: Probe) -> Seconds:
    return min(max(FIRST_S, PART * (anyio.current_time() - began)), probe.interval_s)


def _reads_lines(settings: ProcessSettings) -> bool:
    return any(probe is not None and probe.log_line is not None for probe in (settings.ready, settings.health))
