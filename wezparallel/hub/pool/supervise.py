"""The process pool: what is wanted of each process, and the one step that brings it there.

Handlers change what is wanted (`want_up`, `want_down`, `want_restart`, `want_gone`), the keeper reports what is
(`spawned`, `exited`); both end in `act`, which looks at a process and does the next thing, or nothing. It may be
called at any time and any number of times: recovery after a crash is the same call.

Nothing is sent to the keeper before its cause is committed.
"""

from __future__ import annotations

import random
import secrets
from typing import TYPE_CHECKING, Any

import structlog

from wezparallel.errors import RequestError
from wezparallel.hub.failpoints import failpoint
from wezparallel.hub.pool import kinds, lifecycle, removal, restarts
from wezparallel.hub.pool.admission import Admission
from wezparallel.hub.pool.filling import filled
from wezparallel.hub.pool.health import Health
from wezparallel.hub.pool.keeper_link import close_all
from wezparallel.hub.pool.needs import Needs
from wezparallel.hub.pool.starting import check_start, spawn_message
from wezparallel.hub.pool.telling import Telling, alive
from wezparallel.hub.pool.watching import Watching
from wezparallel.hub.state.model import Process, Run, rfc3339
from wezparallel.keeper import messages

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub

    Message = dict[str, Any]

__all__ = ["Pool", "alive"]

log = structlog.get_logger()

REFUSALS = 256  # kept for those who wait for a start; whoever waited for an older one was told long ago
VIEWER_WAIT_S = 1.0  # a process whose pane is being opened starts then at the latest


class Pool(Telling):
    """All processes, and what is going on with them."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.needs = Needs(self, hub.state, hub.soon)
        self.health = Health(hub)
        self.admission = Admission(hub, self)
        self.watching = Watching(hub)
        self._spawning: set[str] = set()
        self._stopping: set[str] = set()
        self.fds: dict[str, list[int]] = {}
        """run id -> duplicates of its descriptors, so that the keeper's death kills nothing"""
        self.refusals: dict[str, RequestError] = {}
        """run id -> why it was not spawned"""

    def want_up(self, process: Process) -> str:
        """Have it run; return the run that serves this, the present one if it runs already."""
        process.desired = "up"
        self._fresh(process)
        if process.planned is None and alive(process.run) and process.state != "stopping":
            self._save(process)
            return process.run.run_id
        run_id = self._plan(process)
        self.needs.raise_needed(process)
        return run_id

    def want_restart(self, process: Process) -> str:
        """Have a new run; return it. The present one is stopped first."""
        process.desired = "up"
        self._fresh(process)
        run_id = self._plan(process)
        self.needs.raise_needed(process)
        if alive(process.run):
            self._stop(process, process.run)
        return run_id

    def want_down(self, process: Process, grace_s: float | None = None, kill: bool = False) -> str | None:
        """Have it stopped; return the run that has to end, if one has."""
        process.desired = "down"
        process.backoff_until = None
        process.waits_for = None
        planned = process.planned
        if planned is not None and planned.run_id not in self._spawning:
            planned.status = "lost"
            self._hub.store.put_run(planned)
            process.planned = None
        waited = process.state == "backoff" or (process.state == "not_started" and planned is not None)
        if not alive(process.run) and process.planned is None and (waited or process.state == "starting"):
            self._move(process, "stop" if waited else "stopped", "stopped", reason=None)
        self._save(process)
        if alive(process.run):
            self._stop(process, process.run, grace_s, kill)
        self.act_after_commit(process)
        run = process.planned or process.run
        return run.run_id if run is not None and (alive(run) or run is process.planned) else None

    def want_gone(self, process: Process) -> None:
        """Have it stopped and forgotten, with its log."""
        process.removed = True
        self.want_down(process)

    def act_after_commit(self, process: Process) -> None:
        """Do the next thing once all that was decided so far is committed."""
        self._hub.store.when_committed(self._hub.store.ticket(), lambda: self.act(process))

    def act(self, process: Process) -> None:
        """Do the next thing that brings a process where it is wanted."""
        run = process.run
        if alive(run):
            if process.desired == "down" or process.planned is not None:
                self._stop(process, run)
            return
        if process.removed and process.planned is None:
            removal.forget(self._hub, process)
            self._notify(process.process_id)
            return
        planned = process.planned
        if planned is not None and planned.run_id in self._spawning:
            return
        if process.waits_for == "process":
            self.needs.settle(process)
            return
        if planned is None or process.waits_for == "viewer" or not self.admission.admits(process):
            return
        failpoint("stored")
        self._spawning.add(planned.run_id)
        self._hub.tasks.start_soon(self._spawn, process, planned)

    def reserve(self, process: Process) -> None:
        """Let a planned process wait for its viewer, 1 s at most."""
        if process.waits_for is not None:
            return
        process.waits_for = "viewer"
        self._hub.link.send({"m": messages.RESERVE, "process_id": process.process_id})
        self._hub.timers.after(VIEWER_WAIT_S, lambda: self.release(process))

    def release(self, process: Process) -> None:
        """A viewer came, or none will."""
        if process.waits_for == "viewer":
            process.waits_for = None
            self.act_after_commit(process)

    def begin(self, process: Process) -> None:
        """What it waited for is there."""
        process.waits_for = None
        self._move(process, "start", "starting", reason=None)
        self._save(process)
        self.act_after_commit(process)

    def block(self, process: Process, reason: str, error: RequestError) -> None:
        """Give up a start that waits in vain; `waits_for` stays, so that a change of what it needs is noticed."""
        if process.planned is not None:
            self._drop(process, process.planned, error)
        self._move(process, "give_up", "failed", reason=reason)
        self._save(process)

    def start_again(self, process: Process) -> None:
        """Plan a run of what is wanted up, waited in vain, and may go on."""
        self._plan(process)

    def failing(self, process: Process, run: Run, reason: str) -> None:
        """Its probe fails too often: say so, and by its policy start it again."""
        if run is not process.run or not alive(run) or not lifecycle.allows(process.state, "failed_check"):
            return
        if process.state != "unhealthy" or process.reason != reason:
            self._move(process, "failed_check", "unhealthy", reason=reason, pid=run.pid)
            self._save(process)
        if process.settings.restart != "never" and process.desired == "up" and process.planned is None:
            self._stop(process, run)

    def spawned(self, process: Process, run: Run, message: Message, fds: list[int], note: str = "") -> None:
        """The keeper holds this run: its answer to a spawn, or what it lists at adoption."""
        self._spawning.discard(run.run_id)
        self.fds[run.run_id] = fds
        run.pid, run.start, run.status = message["pid"], message["start"], "spawned"
        run.started_at = message.get("started_at") or self._hub.now_ms()
        if process.planned is run:
            process.planned = None
        process.run = run
        process.reason = note or None
        if process.state != "starting":  # an older store was restored, or a reply was lost with the hub that waited
            process.state = "starting"
        self._hub.store.put_run(run)
        self._move(process, "spawned", "running", pid=run.pid)
        self._save(process)
        self.health.begin(process, run)
        self.act_after_commit(process)

    def exited(self, message: Message) -> None:
        """A run ended. It is acknowledged after the commit."""
        run_id, process = message["run_id"], self._hub.state.processes.get(message["process_id"])
        if process is not None and alive(process.run) and process.run.run_id == run_id:
            self.ended(process, process.run, message)

        def acknowledge() -> None:
            failpoint("exited")
            self._hub.link.send({"m": messages.ACK, "run_id": run_id})
            close_all(self.fds.pop(run_id, []))

        self._hub.store.when_committed(self._hub.store.ticket(), acknowledge)

    def suspended(self, process: Process, run_id: str, suspended: bool, left: int = 0) -> None:
        """The keeper says whether all of a run stands still; `left` of it could not be stopped."""
        run = process.run
        if not alive(run) or run.run_id != run_id:
            return
        self._told[run_id] = self.told(run_id) + 1
        event: lifecycle.Event = "suspend" if suspended else "resume"
        if lifecycle.allows(process.state, event):
            reason = f"{left} of its processes could not be stopped" if left else None
            self._move(process, event, "suspended" if suspended else "resumed", reason=reason, pid=run.pid)
            self._save(process)
            if run.ready and not suspended:
                self.passed(process, run)
        self._notify(process.process_id)

    def lost(self, process: Process, run: Run, rebooted: bool) -> None:
        """Nobody holds a run that was there: say so, and bring back what is wanted."""
        went = "the machine restarted" if rebooted else "its keeper ended"
        reason = f"{went} while it ran; how it ended is not known"
        run.status = "lost"
        self.health.end(run)
        run.ended_at = self._hub.now_ms()
        self._hub.store.put_run(run)
        self._move(process, "lost", "exited", reason=reason, exit_code=None, signal=None)
        comes_back = process.auto_start_on_restore if rebooted else process.settings.restart != "never"
        if process.desired == "up" and comes_back:
            self._plan(process)
        self._save(process)

    @staticmethod
    def _fresh(process: Process) -> None:
        """A person starts it: what happened before does not count."""
        process.restarts.clear()
        process.streak = 0
        process.restart_count = 0

    def _plan(self, process: Process, *, waits: bool = True) -> str:
        """Store a run to come. By policy it comes back without waiting for others (`waits`) once more."""
        if process.planned is None:
            process.runs += 1
            process.planned = Run(
                run_id=secrets.token_hex(16), process_id=process.process_id, number=process.runs, status="planned",
                stored_at=self._hub.now_ms(), boot_id=self._hub.boot_id,
            )  # fmt: skip
            process.backoff_until = None
            self._hub.store.put_run(process.planned)
            if waits and process.settings.depends_on:
                process.waits_for = "process"
            if not alive(process.run):
                self._start_or_wait(process)
        self._save(process)
        self.act_after_commit(process)
        return process.planned.run_id

    def _start_or_wait(self, process: Process) -> None:
        if process.waits_for == "process":
            process.state = lifecycle.next_state(process.state, "wait")
            process.reason = None
            self.needs.follow(process)
            self._notify(process.process_id)  # what is awaited is said by `waits`
        else:
            self._move(process, "start", "starting")

    async def _spawn(self, process: Process, run: Run) -> None:
        try:
            env_id = await self._hub.environments.ready(process.env_id)
            with self._hub.environments.in_use(env_id):
                given = await self._hub.environments.get(env_id)
                prepared, note = await filled(process.settings, given, run.number)
                note = "; ".join(filter(None, (note, kinds.note(prepared, self._hub.settings, given))))
                prepared = kinds.prepared(prepared, self._hub.settings, given)
                prepared, told = await self._hub.worktrees.placed(process, prepared)
                prepared = await check_start(prepared, given)
                if process.planned is not run or process.desired == "down":
                    self._refused(process, run, RequestError("process.superseded", "a stop overtook this start"))
                    return
                await self.health.prepare(process, run)
                reply, fds = await self._hub.link.call(spawn_message(process, run, env_id, prepared))
        except RequestError as error:
            self._refused(process, run, error)
            return
        except Exception:  # else this hub and each that follows would end with it
            log.exception("spawn.failed", process=process.process_id)
            self._refused(process, run, RequestError("internal.bug", "it met a fault of ours; see the hub's log"))
            return
        failpoint("sent")
        self.spawned(process, run, reply, fds, note or told)

    def _drop(self, process: Process, run: Run, error: RequestError) -> None:
        self._spawning.discard(run.run_id)
        # Not the error itself: its traceback would keep every frame that it went through.
        self.refusals[run.run_id] = RequestError(error.code, error.message, **error.data)
        if len(self.refusals) > REFUSALS:
            del self.refusals[next(iter(self.refusals))]
        run.status = "lost"
        self._hub.store.put_run(run)
        if process.planned is run:
            process.planned = None

    def _refused(self, process: Process, run: Run, error: RequestError) -> None:
        self._drop(process, run, error)
        if process.desired == "down" or error.code == "process.superseded":
            self._move(process, "stopped", "stopped", reason=None)
        else:
            self._by_policy(process, restarts.Exit(refused=error.message))
        self._save(process)
        self.act_after_commit(process)

    def stops(self, run_id: str) -> bool:
        """Tell whether the keeper was asked to end this run."""
        return run_id in self._stopping

    def adopt_stop(self, run_id: str) -> None:
        """An earlier hub has asked for it: a second signal would be a second effect, and a new grace period."""
        self._stopping.add(run_id)

    def _stop(self, process: Process, run: Run, grace_s: float | None = None, kill: bool = False) -> None:
        if run.run_id in self._stopping and not kill and grace_s is None:
            return
        self._stopping.add(run.run_id)
        if process.state != "stopping":
            self._move(process, "stop", "stopping", reason=process.reason)
            self._save(process)
        if process.running_settings.direct:
            self._hub.direct.stop(process, run, grace_s, kill)
            return
        message: Message = {"m": messages.KILL if kill else messages.STOP, "run_id": run.run_id}
        if grace_s is not None:
            message["grace_s"] = grace_s
        ticket = self._hub.store.ticket()
        self._hub.store.when_committed(ticket, lambda: self._hub.link.request(message, lambda _reply, _fds: None))

    def ended(self, process: Process, run: Run, message: Message) -> None:
        """Note how a run ended, and do what follows."""
        self._stopping.discard(run.run_id)
        self._told.pop(run.run_id, None)
        self.health.end(run)
        run.status = "exited"
        run.exit_code, run.signal = message["exit_code"], message["signal"]
        run.ended_at = message["at"]
        is_unwanted = process.desired == "down" or process.planned is not None
        # Stopped by us and by nobody's wish: it was unhealthy, and its policy decides.
        unhealthy = process.reason if process.state == "stopping" and message["asked"] and not is_unwanted else None
        run.asked = is_unwanted or (bool(message["asked"]) and unhealthy is None)
        self._hub.store.put_run(run)
        ended = restarts.Exit(run.exit_code, run.signal, run.asked, message["ran_s"], unhealthy=unhealthy)
        told = {"exit_code": run.exit_code, "signal": run.signal, "ran_s": message["ran_s"]}
        if run.asked:
            self._move(process, "stopped", "stopped", reason=None, **told)
            if process.planned is not None:
                self._start_or_wait(process)
        else:
            self._by_policy(process, ended, told)
        self._save(process)
        self.act_after_commit(process)

    def _by_policy(self, process: Process, ended: restarts.Exit, told: Message | None = None) -> None:
        """Decide what follows an end, and tell it; `told` is the exit's data where there was a run."""
        now_ms = self._hub.now_ms()
        history = restarts.History(tuple(process.restarts), process.streak)
        settings = process.settings
        decision = restarts.decide(
            settings.restart, ended, history, now_ms / 1000, random.random, backoff_s=settings.backoff_s,
            give_up=settings.give_up,
        )  # fmt: skip
        process.restarts, process.streak = list(decision.history.times), decision.history.streak
        process.state = lifecycle.next_state(process.state, decision.event)
        process.reason = decision.reason
        if told is not None:
            self._tell(process, "exited", **told)
        if decision.kind == "restart":
            process.restart_count += 1
            process.backoff_until = now_ms + int((decision.delay_s or 0) * 1000)
            at = rfc3339(process.backoff_until)
            self._tell(process, "backoff", reason=decision.reason, next_start_at=at)
            self.start_later(process)
        elif decision.state == "failed":
            self._tell(process, "failed", reason=decision.reason)

    def start_later(self, process: Process) -> None:
        """Start a process that waits in backoff, when its time has come."""
        due = process.backoff_until
        if due is None:
            return

        def start() -> None:
            if process.state == "backoff" and process.backoff_until == due and process.desired == "up":
                self._plan(process, waits=False)

        delay_s = (due - self._hub.now_ms()) / 1000
        if delay_s <= 0:
            start()
        else:
            self._hub.timers.after(delay_s, start)
