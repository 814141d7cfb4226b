"""What the kernel tells of our children: they ended, stopped, went on, or want to be traced.

Ends become exits of runs. A leader that stopped is continued at once, unless our own `suspend` keeps it so: there is
no shell above it that would bring it back, and a Ctrl-Z in an agent would freeze it for good. A SIGSTOP from outside
cannot be told from its own, so that is undone as well. Whoever else stops (a job of an interactive shell) is the
business of the shell above it.

Above it stands keeper.py, which makes an end known; beside it suspend.py, which keeps trees stopped.
"""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import suppress

from wezparallel.keeper import tree
from wezparallel.keeper.log import now_ms
from wezparallel.wire.frames import NOTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.keeper.keeper import Keeper
    from wezparallel.keeper.processes import Run
    from wezparallel.types import RunId, Seconds

MOST_A_TURN = 500  # news taken in one turn; children that stop and go on all the time must not keep the loop
CALM_S = 5.0  # who stops itself again within that time is continued later each time
FIRST_WAIT_S = 0.02
LONGEST_WAIT_S = 1.0

_CHANGES = os.WSTOPPED | os.WCONTINUED
_ENDS = frozenset({os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED})
_PTRACE_DETACH = 17  # of Linux


class Reaper:
    """Waits for all children of one keeper, without ever blocking."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self.helpers: dict[int, Callable[[int], object]] = {}
        """short children of our own and what is to be called with their status"""
        self._restless: dict[RunId, tuple[int, Seconds]] = {}
        """how often in a row a run stopped itself, and when it did last"""

    def reap(self) -> None:
        """Take all that is new of children. Pids that we do not know are orphans of our trees."""
        ended = False
        for _ in range(MOST_A_TURN):
            try:
                news = os.waitid(os.P_ALL, 0, os.WEXITED | _CHANGES | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                break
            if news is None:
                break
            if news.si_code in _ENDS:
                ended = True
                self._reap_one(news.si_pid)
            else:
                self._changed(news.si_pid)
        else:
            self._keeper.loop.soon(self.reap)
        if ended:
            self._keeper.stops.look_soon()

    def look_at(self, run: Run) -> None:
        """Find out how a run is that the program before this one held; its news may have been taken there."""
        if run.status is None:
            if run.suspended:
                self._keeper.suspends.take_up(run)
            elif _is_stopped(run):
                self._stopped(run)

    def _reap_one(self, pid: int) -> None:
        # Until it is reaped, its pid and group cannot be another's.
        if pid == self._keeper.hub.pid:
            self._keeper.hub.died()
        _, status = os.waitpid(pid, 0)
        helper = self.helpers.pop(pid, None)
        run = self._leader(pid)
        if helper is not None:
            helper(status)
        elif run is not None:
            self._leader_ended(run, status)

    def _leader_ended(self, run: Run, status: int) -> None:
        run.status = status
        self._restless.pop(run.run_id, None)
        try:
            run.drain()
            run.let_go()
            self._keeper.suspends.release(run)
        except Exception as error:  # noqa: BLE001  an exit must become known, whatever its output does
            self._keeper.say(f"bug: {run.process.process_id}: {error!r}")
        run.ended_at = {
            "at": now_ms(),
            "ran_s": round(self._keeper.loop.now() - run.started_mono, 3),
            "offset": run.process.log.writer.end,
        }
        if not run.stopping:
            self._keeper.finish(run)

    def _changed(self, pid: int) -> None:
        """Take a child's stop or going on, which WNOWAIT left there; it may be another by now, or have ended."""
        news = None
        with suppress(ChildProcessError):
            news = os.waitid(os.P_PID, pid, _CHANGES | os.WNOHANG)
        if news is None:
            return
        if news.si_code == os.CLD_TRAPPED:
            _detach(news.si_pid, news.si_status)
            return
        run = self._leader(news.si_pid)
        if run is None:
            return
        if news.si_code == os.CLD_CONTINUED:
            self._keeper.suspends.went_on(run)
        elif not run.suspended:
            self._stopped(run)

    def _stopped(self, run: Run) -> None:
        now = self._keeper.loop.now()
        count, last = self._restless.get(run.run_id, (0, -CALM_S))
        count = 0 if now - last >= CALM_S else count + 1
        self._restless[run.run_id] = (count, now)
        if count == 0:
            self._go_on(run, True)
        else:
            wait = min(FIRST_WAIT_S * 2 ** min(count, 10), LONGEST_WAIT_S)
            self._keeper.loop.after(wait, self._go_on, run, False)

    def _go_on(self, run: Run, says_so: bool) -> None:
        """Continue a leader, with those who were stopped together with it."""
        if run.suspended or run.status is not None or not _is_stopped(run):
            return
        tree.send_one(run.pid, signal.SIGCONT, group=True)
        if says_so:
            process_id = run.process.process_id
            text = f"{process_id} stopped itself and was continued; `wezparallel suspend {process_id}` keeps it so"
            for viewer in list(run.process.viewers):
                viewer.send(NOTE, text.encode())

    def _leader(self, pid: int) -> Run | None:
        return next((run for run in self._keeper.runs.values() if run.pid == pid and run.status is None), None)


def _is_stopped(run: Run) -> bool:
    entry = tree.read_entry(run.pid)
    return entry is not None and entry.start == run.start and entry.state == "T"


def _detach(pid: int, number: int) -> None:
    """Let a child go on that asked its parent to trace it (PTRACE_TRACEME); the parent it meant is not there."""
    passed = 0 if number & 0xFF == signal.SIGTRAP else number & 0xFF
    ctypes.CDLL(None).ptrace(
        ctypes.c_long(_PTRACE_DETACH), ctypes.c_long(pid), ctypes.c_void_p(0), ctypes.c_void_p(passed)
    )
