"""Which processes wait for others, and who is looked at again when one changes.

Whether one may start is decided in `act`, once all that is decided with it has been, so that it makes no difference
in which order the processes of a workspace were asked for. Above it `pool/supervise.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.errors import RequestError
from wezparallel.hub.pool import dependencies

if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.hub.pool.supervise import Pool
    from wezparallel.hub.state.model import Process, State


class Needs:
    """What is awaited of whom."""

    def __init__(self, pool: Pool, state: State, soon: Callable[[Callable[[], None]], object]) -> None:
        """`soon` calls back at the end of this turn of the loop."""
        self._pool = pool
        self._state = state
        self._soon = soon
        self._waiters: dict[str, set[str]] = {}
        """process id -> ids of those that wait for it"""
        self._due: dict[str, None] = {}
        self._is_called = False

    def named(self, process: Process, name: str) -> Process | None:
        """Return the process of a name beside this one."""
        usual = self._state.processes.get(_id(process, name))
        if usual is not None and usual.workspace == process.workspace:
            return usual
        members = self._state.members(process.workspace) if process.workspace else ()
        return next((one for one in members if one.settings.name == name), None)  # its workspace was renamed

    def raise_needed(self, process: Process) -> None:
        """Have up what it needs, and what that needs, unless it has done already what is awaited of it."""
        for name, need in process.settings.depends_on.items():
            needed = self.named(process, name)
            if needed is None or needed.planned is not None or needed.removed:
                continue
            if not (dependencies.is_met(needed, need) or (needed.desired == "up" and needed.state == "backoff")):
                self._pool.want_up(needed)

    def follow(self, process: Process) -> None:
        """Look at it again whenever what it needs changes."""
        for name in process.settings.depends_on:
            needed = self.named(process, name)
            process_id = needed.process_id if needed is not None else _id(process, name)
            self._waiters.setdefault(process_id, set()).add(process.process_id)

    def changed(self, process_id: str) -> None:
        """Look again at those that wait for it, once all that changes with it has."""
        for waiter_id in list(self._waiters.get(process_id, ())):
            waiter = self._state.processes.get(waiter_id)
            if waiter is not None and waiter.waits_for == "process":
                self._due.setdefault(waiter_id)
            else:
                self._waiters[process_id].discard(waiter_id)
        if not self._waiters.get(process_id, True):
            del self._waiters[process_id]
        if self._due and not self._is_called:
            self._is_called = True
            self._soon(self._look)

    def _look(self) -> None:
        """Decide in the turn of the change, so that both are one commit; the start itself waits for that."""
        due, self._due, self._is_called = list(self._due), {}, False
        for process_id in due:
            process = self._state.processes.get(process_id)
            if process is not None and process.waits_for == "process":
                self._pool.act(process)

    def settle(self, process: Process) -> None:
        """Start a process that waits, say what it waits for, or that it waits in vain."""
        verdict = dependencies.verdict(process, lambda name: self.named(process, name))
        if process.planned is None:  # it waited in vain, and what it needs has changed
            if process.desired == "up" and verdict.kind != "blocked":
                self._pool.start_again(process)
        elif verdict.kind == "go":
            self._pool.begin(process)
        elif verdict.kind == "wait":
            self._pool.waits(process, verdict.reason)
        else:
            error = RequestError(
                "process.bad_state", f"{process.process_id} {verdict.reason}; see to that, and it starts by itself",
                process=process.process_id, reason=verdict.reason,
            )  # fmt: skip
            self._pool.block(process, verdict.reason, error)


def _id(process: Process, name: str) -> str:
    return f"{process.workspace}/{name}" if process.workspace else name
