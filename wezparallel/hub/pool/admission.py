"""How many may run: a start above its kind's limit waits for a place, a process above its workspace's is refused.

Who waits goes on by itself when another of its kind ends or the limit is raised, the one that was planned first
before the others. Nothing is kept but what the model holds anyway, so a new hub goes on where the last one died.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.errors import RequestError
from wezparallel.hub.pool import lifecycle
from wezparallel.hub.pool.telling import alive

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.pool.supervise import Pool
    from wezparallel.hub.state.model import Process
    from wezparallel.protocol.process import ProcessSettings


def kind_of(settings: ProcessSettings) -> str:
    """Return the name under which the configuration's `processes:` has this kind of process."""
    return settings.agent or settings.name


def check_room(hub: Hub, workspace: str | None, more: int = 1) -> None:
    """Refuse more processes than a workspace may have. Raises RequestError `process.limit`."""
    limit = hub.settings.workspaces.max_processes
    processes = hub.state.processes.values()  # spares count, but they give way
    there = sum(one.workspace == workspace and not one.removed and not one.is_spare for one in processes)
    if there + more > limit:
        where = f"the workspace {workspace!r} has" if workspace else "outside workspaces there are"
        raise RequestError(
            "process.limit",
            f"{where} {there} processes and {limit} may be; remove some with `rm`, or raise "
            "`workspaces.max_processes` in the configuration",
            limit=limit, processes=there,
        )  # fmt: skip


class Admission:
    """Who may start now, and who waits for a place."""

    def __init__(self, hub: Hub, pool: Pool) -> None:
        self._hub = hub
        self._pool = pool
        self._waiting: set[str] = set()
        self._admitted: dict[str, str] = {}
        """run id -> process id of those that were let in and are not spawned yet"""
        self._is_due = False

    def admits(self, process: Process) -> bool:
        """Tell whether a planned run may be spawned now; else have it wait, and say for what."""
        planned = process.planned
        if planned is None or planned.run_id in self._admitted:
            return planned is not None
        kind = kind_of(process.settings)
        limit = self._hub.settings.kind(kind).max_instances
        running = self._running(kind) if limit is not None else 0
        if limit is not None and running + self._ahead(process, kind) >= limit:
            how = f"raise `processes.{kind}.max_instances` in the configuration"
            self._wait(
                process, f"waits for a place: {running} of {limit} {kind} run; it starts when one ends, or {how}"
            )
            return False
        if limit is not None:
            self._admitted[planned.run_id] = process.process_id
        if process.waits_for == "admission":
            self._waiting.discard(process.process_id)
            self._pool.begin(process)
            return False  # it is looked at again once that is committed
        return True

    def changed(self) -> None:
        """Look again at those that wait, once that something changed is committed."""
        if self._waiting and not self._is_due:
            self._is_due = True
            self._hub.store.when_committed(self._hub.store.ticket(), self.look)

    def look(self) -> None:
        """Let in whoever has a place now, in the order in which they were planned."""
        self._is_due = False
        found = (self._hub.state.processes.get(process_id) for process_id in self._waiting)
        waiting = [one for one in found if one is not None and one.waits_for == "admission" and one.planned]
        self._waiting = {one.process_id for one in waiting}
        for process in sorted(waiting, key=_turn):
            self._pool.act(process)

    def _wait(self, process: Process, reason: str) -> None:
        process.waits_for = "admission"
        self._waiting.add(process.process_id)
        if lifecycle.allows(process.state, "wait"):
            process.state = lifecycle.next_state(process.state, "wait")
        self._pool.waits(process, reason)

    def _running(self, kind: str) -> int:
        """Return how many of a kind run or are being started."""
        processes = self._hub.state.processes
        self._admitted = {
            run_id: process_id
            for run_id, process_id in self._admitted.items()
            if (one := processes.get(process_id)) is not None and one.planned and one.planned.run_id == run_id
        }
        starting = set(self._admitted.values())
        return sum(
            (alive(one.run) or one.process_id in starting) and kind_of(one.settings) == kind
            for one in processes.values()
        )

    def _ahead(self, process: Process, kind: str) -> int:
        """Return how many of its kind have waited longer."""
        turn = _turn(process)
        return sum(
            one.waits_for == "admission" and one.planned is not None and kind_of(one.settings) == kind
            and _turn(one) < turn
            for one in self._hub.state.processes.values()
        )  # fmt: skip


def _turn(process: Process) -> tuple[int, int, str]:
    stored_at = process.planned.stored_at if process.planned is not None else 0
    return stored_at, process.order, process.process_id
