"""What a new hub learns from the keeper, and how both are brought together.

The keeper lists runs (with descriptors), processes, viewers, environments and listeners, then says `adopt_end`. The
store says what was decided. Between the two an earlier hub may have died at any instruction, so each run is one of:
stored but never sent (spawn it now), sent but not answered (take the keeper's word), ended but not acknowledged (take
the exit), unknown to an older store (adopt its definition), or gone from the keeper (lost, said so).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from wezparallel.hub.failpoints import failpoint
from wezparallel.hub.pool.keeper_link import close_all
from wezparallel.hub.pool.removal import bury
from wezparallel.hub.pool.supervise import alive
from wezparallel.hub.state.model import Process, Run
from wezparallel.keeper import messages
from wezparallel.protocol.process import ProcessSettings

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub

    Message = dict[str, Any]

log = structlog.get_logger()


class Adoption:
    """Collects the keeper's list, then settles it with the store."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._runs: dict[str, tuple[Message, list[int]]] = {}
        self._exits: list[Message] = []
        self.done = False

    def take(self, message: Message, fds: list[int]) -> None:
        """Take one message of the list."""
        name = message["m"]
        if name == messages.RUN:
            self._runs[message["run_id"]] = (message, fds)
        elif name == messages.EXITED:
            self._exits.append(message)
        elif name == messages.ENV:
            self._hub.environments.held.update(message["env_ids"])
        elif name == messages.VIEWER:
            self._hub.viewer(message)
        elif name == messages.PROCESS and message.get("together"):
            self._hub.gui.listed_together(message["together"])
        elif name == messages.LISTENER:
            self._hub.listeners[message["name"]] = fds[0]
        elif name == messages.ADOPT_END:
            self._hub.keeper_facts = message
            self.done = True
        else:
            close_all(fds)

    def settle(self) -> None:
        """Bring the store and the keeper's list together, and go on from there."""
        failpoint("adopting")
        hub = self._hub
        hub.tell_log_room()
        tombs = set(hub.store.tombstones())
        for run_id, (message, fds) in self._runs.items():
            process_id = message["process_id"]
            process = hub.state.processes.get(process_id)
            if process_id in tombs:
                if process is None or process.planned is None or process.planned.run_id != run_id:
                    close_all(fds)
                    continue
                # Added again under its name: as it was spawned, the keeper has forgotten what was removed.
                tombs.discard(process_id)
                hub.store.clear_tombstone(process_id)
            process = process or self._unknown(message)
            if message.get("exit") and self._is_over(process, run_id):
                close_all(fds)  # an earlier hub committed this exit; `EXITED` below is only acknowledged
                continue
            self._settle_run(process, run_id, message, fds)
        self._settle_lost()
        for process_id in tombs:  # before a process that was added again under the same name is made known
            bury(hub, process_id)
        for process in list(hub.state.processes.values()):
            if process.waits_for == "process":
                hub.pool.needs.follow(process)
            elif process.waits_for != "admission":
                process.waits_for = None
            if not alive(process.run) and not process.settings.direct:
                hub.link.send({"m": messages.RESERVE, "process_id": process.process_id})
            hub.pool.watching.look(process)
            hub.pool.act_after_commit(process)
            hub.pool.start_later(process)
        for message in self._exits:
            hub.pool.exited(message)
        hub.drop_unused_environments()
        hub.spares.begin()
        hub.link.send({"m": messages.ADOPTED})

    def _settle_lost(self) -> None:
        """Say which runs nobody holds any more, because the keeper or the whole machine went down."""
        hub = self._hub
        lost = [
            (process, process.run)
            for process in hub.state.processes.values()
            if process.run is not None and alive(process.run) and process.run.run_id not in self._runs
        ]
        rebooted = any(run.boot_id != hub.boot_id for _, run in lost)
        if rebooted:
            hub.store.renew_epoch()  # a power cut may have taken the last commits with it
        for process, run in lost:
            if process.running_settings.direct:  # nobody ever held it
                hub.direct.adopt(process, run)
            else:
                hub.pool.lost(process, run, run.boot_id != hub.boot_id)

    def _settle_run(self, process: Process, run_id: str, message: Message, fds: list[int]) -> None:
        hub = self._hub
        known = next((run for run in (process.run, process.planned) if run and run.run_id == run_id), None)
        if known is None:
            if hub.store.set_aside is not None:  # what a snapshot says of it lacks its secrets
                definition = message["definition"]
                process.settings = ProcessSettings.model_validate(definition["settings"])
                process.env_id, process.runs = definition.get("env_id", ""), definition.get("number", 1) - 1
            known = Run(run_id, process.process_id, process.runs + 1, stored_at=hub.now_ms(), boot_id=hub.boot_id)
            process.runs += 1
            log.warning("run.unknown", process=process.process_id, run_id=run_id)
        if message.get("stopping"):
            hub.pool.adopt_stop(run_id)
        if known.status != "spawned":
            hub.pool.spawned(process, known, message, fds)
        else:
            hub.pool.fds[run_id] = fds
            if not message.get("exit"):
                hub.pool.health.begin(process, known)
        if not message.get("exit"):
            hub.pool.suspended(process, run_id, bool(message.get("suspended")))

    def _is_over(self, process: Process, run_id: str) -> bool:
        """Tell whether a run's exit is in the store already, or nobody waits for it any more."""
        if process.planned is not None and process.planned.run_id == run_id:
            return False
        if process.run is not None and process.run.run_id == run_id:
            return process.run.status != "spawned"
        stored = any(run.run_id == run_id for run in self._hub.store.runs_of(process.process_id))
        return stored or alive(process.run) or process.planned is not None

    def _unknown(self, message: Message) -> Process:
        """Adopt a process that the store does not know (an older store was restored)."""
        definition = message["definition"]
        process = Process(
            process_id=message["process_id"],
            workspace=definition.get("workspace"),
            settings=ProcessSettings.model_validate(definition["settings"]),
            state="starting",
            created_at=message["started_at"],
            env_id=definition.get("env_id", ""),
        )
        self._hub.state.processes[process.process_id] = process
        self._hub.store.put_process(process)
        log.warning("process.unknown", process=process.process_id)
        return process
