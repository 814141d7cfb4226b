"""How a change of a process is told: to the store, to subscribers, to whoever waits for one.

Below `pool/supervise.py`, which decides what changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

import anyio

from wezparallel.hub.pool import lifecycle

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.pool.admission import Admission
    from wezparallel.hub.pool.needs import Needs
    from wezparallel.hub.pool.watching import Watching
    from wezparallel.hub.state.model import Process, Run


def alive(run: Run | None) -> TypeGuard[Run]:
    """Tell whether the keeper holds this run."""
    return run is not None and run.status == "spawned"


class Telling:
    """The part of the pool that writes down and tells."""

    needs: Needs
    admission: Admission
    watching: Watching

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._changed: dict[str, anyio.Event] = {}
        self._told: dict[str, int] = {}

    async def until(self, process: Process, condition: Any) -> None:
        """Wait until `condition()` holds; looked at after each change of the process."""
        while not condition():
            event = self._changed.setdefault(process.process_id, anyio.Event())
            await event.wait()

    def told(self, run_id: str) -> int:
        """Return how often the keeper has said of a run whether it stands still."""
        return self._told.get(run_id, 0)

    def waits(self, process: Process, reason: str) -> None:
        """Say what it waits for."""
        if process.reason != reason:
            process.reason = reason
            self._tell(process, "waiting", reason=reason)
            self._save(process)

    def passed(self, process: Process, run: Run) -> None:
        """Its probe passes."""
        if run is process.run and alive(run) and lifecycle.allows(process.state, "passed"):
            if not run.ready:
                run.ready = True
                self._hub.store.put_run(run)
            if process.state != "ready":
                self._move(process, "passed", "ready", reason=None, pid=run.pid)
                self._save(process)

    def _move(self, process: Process, event: lifecycle.Event, name: str, **data: Any) -> None:
        process.state = lifecycle.next_state(process.state, event)
        if "reason" in data:
            process.reason = data["reason"]
        self._tell(process, name, **data)

    def _tell(self, process: Process, name: str, **data: Any) -> None:
        run = process.run if process.planned is None or alive(process.run) else process.planned
        run_id = run.run_id if run is not None else None
        body = {"process_id": process.process_id, "workspace": process.workspace, "run_id": run_id,
                "state": process.state, **data}  # fmt: skip
        self._hub.bus.publish(f"process.{name}", body, cause=run_id)
        self._notify(process.process_id)
        self.needs.changed(process.process_id)
        self.admission.changed()
        self._hub.spares.changed()

    def _notify(self, process_id: str) -> None:
        event = self._changed.pop(process_id, None)
        if event is not None:
            event.set()

    def _save(self, process: Process) -> None:
        if process.process_id in self._hub.state.processes:
            self._hub.store.put_process(process)
        self.watching.look(process)
        self._notify(process.process_id)
