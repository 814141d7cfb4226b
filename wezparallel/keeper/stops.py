"""Stops whole trees: the signal, the grace period, then SIGKILL until nobody is left, and only then the exit is told.

One pass over the process table serves all runs that are being stopped at the moment. Between the signal and the end
of the grace period nothing is polled while the leader lives: SIGCHLD says when it ends.
"""

from __future__ import annotations

import os
import signal

from wezparallel.keeper import tree
from wezparallel.keeper.tree import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.keeper import Keeper
    from wezparallel.keeper.loop import Timer
    from wezparallel.keeper.processes import Run

_FIRST_LOOK_S = 0.02
_LAST_LOOK_S = 0.25
_GRACE_S = 10.0


class Stops:
    """The runs that are being stopped."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._runs: dict[str, Run] = {}
        self._timer: Timer | None = None
        self._delay = _FIRST_LOOK_S
        self._table: Table | None = None
        self._looked = 0.0
        """when the last look ended"""
        self._soon: Timer | None = None

    def begin(self, run: Run, number: int | None = None, grace_s: float | None = None) -> None:
        """Stop a run; a second stop may shorten the grace period or use a harder signal."""
        rules = run.stop_rules
        number = number or tree.signal_number(rules.get("signal")) or signal.SIGTERM
        grace = float(rules.get("grace_s", _GRACE_S) if grace_s is None else grace_s)
        run.stopping = True
        run.asked = run.asked or run.exit is None
        run.stop_signal = number
        run.signalled = run.swept = False
        if run.tty and run.master >= 0 and not run.foreground:
            run.foreground = _foreground(run.master)
        if run.grace is not None:
            run.grace.cancel()
        if number == signal.SIGKILL:
            run.kill = True
        else:
            run.grace = self._keeper.loop.after(grace, self._grace_over, run)
        self._runs[run.run_id] = run
        self.look_soon()

    def look_soon(self) -> None:
        """A stop began or a child has ended: look, but not more often than leaves time for everybody else."""
        self._delay = _FIRST_LOOK_S
        if self._runs and self._soon is None:
            wait = max(0.0, self._looked + _FIRST_LOOK_S - self._keeper.loop.now())
            self._soon = self._keeper.loop.after(wait, self._look)

    def resume(self, run: Run, left_s: float) -> None:
        """Go on with a stop that an earlier program began."""
        self._runs[run.run_id] = run
        if not run.kill:
            run.grace = self._keeper.loop.after(left_s, self._grace_over, run)
        self.look_soon()

    def _signal_leader(self, run: Run) -> None:
        run.signalled = True
        if run.status is None:
            tree.send_one(run.pid, run.stop_signal, group=True)
            if run.stop_signal not in {signal.SIGKILL, signal.SIGCONT}:
                tree.send_one(run.pid, signal.SIGCONT, group=True)
        self._keeper.suspends.release(run, go_on=run.stop_signal != signal.SIGKILL)

    def _grace_over(self, run: Run) -> None:
        run.kill = True
        self._look()

    def _look(self) -> None:
        for timer in (self._soon, self._timer):
            if timer is not None:
                timer.cancel()
        self._soon = self._timer = None
        if not self._runs:
            self._table = None
            return
        table = self._table = Table(self._table)
        polling = False
        for run in list(self._runs.values()):
            members = self._members(run, table)
            run.members = members
            if not run.signalled:
                # Only now: who is a member may not be visible any more once the leader is gone.
                self._signal_leader(run)
            if not members and run.status is not None:
                self._done(run)
            elif run.kill:
                tree.send(members.items(), signal.SIGKILL)
                polling = True
            elif run.status is not None:
                self._sweep(run)
                polling = True
        self._looked = self._keeper.loop.now()
        if polling:
            self._timer = self._keeper.loop.after(self._delay, self._look)
            self._delay = min(self._delay * 2, _LAST_LOOK_S)

    def _sweep(self, run: Run) -> None:
        """Pass the stop signal on to those whom the leader left behind, once."""
        if not run.swept:
            run.swept = True
            tree.send(run.members.items(), run.stop_signal)
            tree.send(run.members.items(), signal.SIGCONT)

    def _members(self, run: Run, table: Table) -> dict[int, int]:
        members = table.members(run, self._keeper.never_members())
        if run.stop_rules.get("kill") != "group":
            return members
        groups = {run.pid, run.foreground} - {0}
        return {pid: start for pid, start in members.items() if table.entries[pid].group in groups}

    def _done(self, run: Run) -> None:
        if run.grace is not None:
            run.grace.cancel()
            run.grace = None
        del self._runs[run.run_id]
        run.stopping = False
        run.members = {}
        self._keeper.stop_done(run)


def _foreground(master: int) -> int:
    try:
        return os.tcgetpgrp(master)
    except OSError:
        return 0
