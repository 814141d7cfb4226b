"""Runs that nobody holds: programs in a pane of WezTerm itself, known by pid and start time.

Their wrapper tells how they end; where it cannot (its pane was closed, it was killed) the pid's end is seen here.
What is signalled is named by a pidfd, so that no other process ever gets it. Above: `handlers/direct.py`, the pool.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

import anyio

from wezparallel.hub.comms.callers import start_time
from wezparallel.hub.pool.telling import alive
from wezparallel.hub.state.model import Run

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process
    from wezparallel.types import RunId, Seconds

WORD_S = 2.0  # after a program's end, in which its wrapper may still say how
LOOK_S = 1.0  # between two looks where a pid cannot be waited for


class Direct:
    """All of them that are alive."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._pidfds: dict[RunId, int] = {}
        self._asked: set[RunId] = set()
        """runs that we told to end"""

    def began(self, process: Process, run_id: RunId, pid: int, start: int) -> None:
        """A wrapper has started its program."""
        process.runs += 1
        process.desired = "up"
        run = Run(run_id, process.process_id, process.runs, stored_at=self._hub.now_ms(), boot_id=self._hub.boot_id)
        self._hub.pool.spawned(process, run, {"pid": pid, "start": start}, [])
        self._hub.tasks.start_soon(self._watch, process, run)

    def ended(self, process: Process, run: Run, exit_code: int | None, signal_: int | None) -> None:
        """A program has ended; both null: nobody saw how."""
        now = self._hub.now_ms()
        asked = run.run_id in self._asked
        self._asked.discard(run.run_id)
        told = {"exit_code": exit_code, "signal": signal_, "at": now, "asked": asked}
        self._hub.pool.ended(process, run, {**told, "ran_s": (now - (run.started_at or now)) / 1000})

    @staticmethod
    def folder(process: Process) -> str | None:
        """Return the folder in which a program that nobody holds is now; None for any other, or if it is not seen."""
        if not process.running_settings.direct or not alive(process.run):
            return None
        try:
            return os.readlink(f"/proc/{process.run.pid}/cwd")
        except OSError:
            return None

    def adopt(self, process: Process, run: Run) -> None:
        """Look again at a run that an earlier hub looked at; after a reboot it is over."""
        if run.boot_id == self._hub.boot_id and run.pid is not None and start_time(run.pid) == run.start:
            self._hub.tasks.start_soon(self._watch, process, run)
        else:
            self.ended(process, run, None, None)

    def stop(self, process: Process, run: Run, grace_s: Seconds | None, kill: bool) -> None:
        """Have it end: its stop signal, SIGKILL after the grace period."""
        self._asked.add(run.run_id)
        rules = process.settings.stop
        self._send(run, signal.SIGKILL if kill else signal.Signals[rules.signal])
        if not kill:
            delay_s = rules.grace_s if grace_s is None else grace_s
            self._hub.timers.after(delay_s, lambda: self._send(run, signal.SIGKILL))

    def _send(self, run: Run, number: signal.Signals) -> None:
        if not alive(run) or run.pid is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if run.run_id in self._pidfds:
                signal.pidfd_send_signal(self._pidfds[run.run_id], number)
            elif start_time(run.pid) == run.start:
                os.kill(run.pid, number)

    async def _watch(self, process: Process, run: Run) -> None:
        assert run.pid is not None  # it is a live run
        await self._until_gone(run, run.pid)
        with anyio.move_on_after(WORD_S):
            await self._hub.pool.until(process, lambda: not alive(run))
        if alive(run) and process.run is run:
            self.ended(process, run, None, None)

    async def _until_gone(self, run: Run, pid: int) -> None:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        except (AttributeError, OSError):  # a system without them
            while start_time(pid) == run.start and alive(run):
                await anyio.sleep(LOOK_S)
            return
        try:
            if start_time(pid) == run.start:
                self._pidfds[run.run_id] = fd
                await anyio.wait_readable(fd)
        finally:
            self._pidfds.pop(run.run_id, None)
            os.close(fd)
