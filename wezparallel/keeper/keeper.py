"""The keeper itself: which processes and runs there are, how a run begins and how its end becomes known.

Above it stand the links (hub, viewers, control), which ask and are told; below it one child's making (child.py), its
descriptors (processes.py), its tree (stops.py, tree.py) and its log (log.py).
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

from wezparallel import paths, peers
from wezparallel.errors import RequestError
from wezparallel.keeper import callers, child, environment, handover, limits, ssh_agent, together
from wezparallel.keeper.hub_child import HubChild
from wezparallel.keeper.listeners import Listeners
from wezparallel.keeper.log import DEFAULT_CAP, DISK, ProcessLog, now_ms
from wezparallel.keeper.log_room import LogRoom
from wezparallel.keeper.messages import EXITED, LOST, OUTPUT, VIEWER
from wezparallel.keeper.processes import Process, Run
from wezparallel.keeper.reaper import Reaper
from wezparallel.keeper.stops import Stops
from wezparallel.keeper.suspend import Suspends
from wezparallel.keeper.viewers import Viewers
from wezparallel.wire.bells import BELL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.keeper.hub_link import HubLink
    from wezparallel.keeper.loop import Loop, Timer
    from wezparallel.types import JsonObject, ProcessId, RunId

_QUIET_BYTES = 64 * 1024  # that a run may print while a hub starts; who prints more waits and leaves it the processor
_QUIET_S = 2.5  # after which nobody waits any more, whether the hub serves or not
_LAST_ACK_S = 5.0  # how long a keeper that ends waits for the hub to commit the last exits


class Keeper:
    """Everything the keeper holds. One per runtime directory."""

    def __init__(self, loop: Loop, around: child.Surroundings) -> None:
        self.loop = loop
        self.around = around
        self.started_at = now_ms()
        self.processes: dict[ProcessId, Process] = {}
        self.runs: dict[RunId, Run] = {}
        self.log_room = LogRoom(loop, self.processes)
        self.envs: dict[str, dict[str, str]] = {}
        self.viewer_reports: dict[int, JsonObject] = {}
        self.listeners = Listeners(self)
        self.hub = HubChild(self)
        self.link: HubLink | None = None
        self.stops = Stops(self)
        self.suspends = Suspends(self)
        self.reaper = Reaper(self)
        self.helpers = self.reaper.helpers
        self.reap = self.reaper.reap
        self.viewers = Viewers(self)
        self.upgrading: handover.Upgrade | None = None
        self.upgraded: JsonObject | None = None
        """How the last upgrade ended: `id`, and in `failed` why it came to nothing."""
        self._quiet: Timer | None = None
        self.open_door: Callable[[], object] = lambda: None
        """Begin to accept on the private socket; set by door.py."""
        self.ending: str | None = None
        """`hub`: exit when empty; `children`: end all processes, then the hub, then exit"""

    # Processes and runs

    def reserve(self, process_id: ProcessId, cap: int | None = None) -> Process:
        """Make a process known to viewers; a known one is returned as it is."""
        process = self.processes.get(process_id)
        if process is None:
            try:
                log = ProcessLog(paths.log_dir(process_id), cap or DEFAULT_CAP)
            except OSError as error:
                raise RequestError(
                    "disk.full", f"the log of {process_id} cannot be opened: {error.strerror}; repair its folder"
                ) from None
            process = self.processes[process_id] = Process(process_id, log, self.loop, self.tell)
        elif cap:
            process.log.set_cap(cap)
        return process

    def forget(self, process_id: ProcessId) -> None:
        """Remove a process and its log; its viewers are told."""
        process = self.processes.get(process_id)
        if process is None:
            return
        if process.run is not None:
            raise RequestError("process.bad_state", f"{process_id} still runs; stop it first")
        process.known = False
        del self.processes[process_id]
        ssh_agent.forget(process_id)
        together.leave((process,))
        self.viewers.removed(process_id)
        for run in [run for run in self.runs.values() if run.process is process]:
            run.told = True
            run.close()
            self.runs.pop(run.run_id, None)
        try:
            process.log.remove()
        except OSError as error:
            self.say(f"the log of {process_id} cannot be removed: {error.strerror}")

    def spawn(self, wish: JsonObject) -> Run:
        """Start a run. Raises RequestError."""
        run_id, process_id = wish["run_id"], wish["process_id"]
        known = self.runs.get(run_id)
        if known is not None:
            raise RequestError("run.exists", f"run {run_id} was started already", pid=known.pid, start=known.start)
        if self.ending == "children":
            raise RequestError("process.bad_state", "the daemon is ending; start it again first")
        int(run_id, 16)
        process = self.reserve(process_id, wish.get("log_cap"))
        if process.run is not None:
            raise RequestError(
                "process.bad_state", f"{process_id} still runs; stop it first", run_id=process.run.run_id
            )
        size = None
        if wish.get("tty"):
            process.lead.hurry()
            if not process.lead.members and wish.get("size"):
                rows, columns = wish["size"]
                process.size = (rows, columns, 0, 0)
            size = process.size
        around = self.around
        limited = limits.wanted(wish)
        if limited is not None:
            soft = around.soft if limited.nofile is None else limited.nofile
            around = child.Surroundings(around.umask, soft, around.hard, limited)
        mark = peers.mark() if wish.get("agent") else None
        env = environment.of_child(self.envs, wish, process)
        started = child.spawn(wish["argv"], wish["cwd"], env, size, around, mark)
        run = Run(process, wish, started, self.loop)
        self._adopt(run)
        process.log.began(run_id, size, wish.get("log") or DISK)
        self.viewers.started(process)
        return run

    def restore(self, process: Process, wish: JsonObject, started: child.Child) -> Run:
        """Take over a run from the program before this one."""
        run = Run(process, wish, started, self.loop)
        self._adopt(run)
        self.loop.soon(lambda: self.reaper.look_at(run))
        return run

    def _adopt(self, run: Run) -> None:
        run.on_output = self._on_output
        run.on_closed = self._on_closed
        self.runs[run.run_id] = run
        run.process.run = run
        run.listen()

    # Output and ends

    def _on_output(self, run: Run, stream: int, data: bytes) -> None:
        process = run.process
        lost = process.log.append(stream, data)
        if self.log_room.idle:
            self.log_room.look_soon()
        if self._quiet is not None:
            run.quota -= len(data)
            if run.quota < 0 and not run.paused:
                run.pause()
        if lost:
            self.tell(LOST, process_id=process.process_id, offset=process.log.writer.end - lost, bytes=lost)
        if process.viewers:
            self.viewers.output(process, b"" if lost else data)
        quiet = process.log.modes.quiet
        if run.tty and (BELL in data or not quiet or process.calling.is_open):
            process.calling.heard(data)
        answers = process.answers
        if answers.alone:
            answers.answer(run, data)
        else:
            answers.recent = b"" if quiet else data
            answers.recent_at = self.loop.now()
        if not run.had_output:
            run.had_output = True
            self.tell(OUTPUT, process_id=process.process_id)

    def _on_closed(self, run: Run) -> None:
        if run.process.run is None:
            run.process.log.rest()
        if run.told:
            self.runs.pop(run.run_id, None)
            self.end_if_done()

    def finish(self, run: Run) -> None:
        """Make a run's end known: its leader has gone and, if it was stopped, its whole tree."""
        if run.exit is not None or run.status is None:
            return
        code, number = child.exit_of(run.status)
        run.exit = {"exit_code": code, "signal": number, "asked": run.asked, **run.ended_at}
        process = run.process
        process.last_exit = {"run_id": run.run_id, **run.exit}
        if process.run is run:
            process.run = None
        process.log.ended(code, number)
        if not run.is_open:
            process.log.rest()
        self.tell(EXITED, run_id=run.run_id, process_id=process.process_id, **run.exit)
        self.viewers.exited(process, {"run_id": run.run_id, **run.exit})

    def acknowledge(self, run_id: RunId) -> None:
        """Forget an exit that the hub has committed."""
        run = self.runs.get(run_id)
        if run is None or run.exit is None:
            return
        run.told = True
        if not run.is_open and not run.stopping:
            del self.runs[run_id]
        self.end_if_done()

    def stop_done(self, run: Run) -> None:
        """A stopped run's tree is empty."""
        self.finish(run)
        if run.told and not run.is_open:
            self.runs.pop(run.run_id, None)
        self.end_if_done()

    # Who is who

    def never_members(self) -> frozenset[int]:
        """Return the pids that belong to no run, whatever their environment says."""
        return frozenset(pid for pid in (os.getpid(), self.hub.pid) if pid)

    def run_of(self, pid: int, start: int | None = None) -> tuple[bool, Run | None]:
        """Return whether it is known to whom a pid belongs, and to which run; None: to no run, so to a person."""
        return callers.run_of(self.runs, pid, start)

    def is_agent(self, peer: callers.Peer) -> bool:
        """Tell whether a peer may not type: in an agent's run without leave to, or nobody knows where."""
        known, run = self.run_of(peer.pid, peer.start)
        return not known if run is None else run.agent and not run.may_type

    # The hub

    def tell(self, name: str, **fields: object) -> None:
        """Say something to the hub, if there is one; what must not be lost is said again at adoption."""
        if self.link is not None:
            self.link.tell(name, fields)

    def report_viewer(self, process_id: ProcessId, viewer_id: int, state: str, **facts: object) -> None:
        """Tell the hub of a viewer: `attached` or `gone`; facts are pid, size, pane and read_only."""
        report = {"process_id": process_id, "viewer_id": viewer_id, "state": state, **facts}
        if state == "gone":
            self.viewer_reports.pop(viewer_id, None)
        else:
            self.viewer_reports[viewer_id] = report
        self.tell(VIEWER, **report)

    def quiet(self, on: bool) -> None:
        """While a hub starts, have floods wait: it needs the processor more. Other programs notice nothing."""
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None
        for run in self.runs.values():
            run.quota = _QUIET_BYTES
            if run.paused:
                run.listen()
        if on:
            self._quiet = self.loop.after(_QUIET_S, self.quiet, False)

    def drop_link(self) -> None:
        """Do what the hub asked for last (an environment may be named in its last commit), and close its link."""
        link, self.link = self.link, None
        if link is not None:
            link.connection.finish()

    def upgrade(self, payload: bytes, failed: handover.Failed, from_new_hub: bool = False) -> None:
        """Become another program; `failed` is told if that came to nothing."""
        try:
            handover.begin(self, payload, failed, from_new_hub)
        except RequestError as error:
            failed(error)

    # The end

    def end(self, children: bool) -> None:
        """End the hub, with `children` all processes first; exit when nothing is left."""
        self.ending = "children" if children else "hub"
        _touch(paths.stopped_mark())
        if not children:
            self._end_hub()
            return
        for run in list(self.runs.values()):
            if run.exit is None:
                self.stops.begin(run)
        self.end_if_done()

    def hub_stopped(self) -> None:
        """The hub has ended because it was told to."""
        if self.ending == "children":
            self._leave()
        else:
            self.listeners.start_at_connect()
            self.end_if_done()

    def start_hub(self) -> None:
        """Begin to serve again after a stop."""
        self.ending = None
        with suppress(FileNotFoundError):
            os.unlink(paths.stopped_mark())
        self.hub.start()

    def end_if_done(self) -> None:
        """Go on with an end that was asked for, if nothing stands in its way any more."""
        if self.ending is None:
            return
        if self.ending == "children":
            if any(run.exit is None for run in self.runs.values()):
                return
            if all(run.told for run in self.runs.values()):
                self._end_hub()
            else:
                self.loop.after(_LAST_ACK_S if self.link else 0, self._end_hub)
        elif not self.runs and not self.hub.pid:
            self._leave()

    def _end_hub(self) -> None:
        if self.ending is not None:
            self.hub.stop()

    def _leave(self) -> None:
        for run in self.runs.values():
            if not run.told:
                self.say(f"ends without a hub that knows: {run.process.process_id} {run.run_id} {run.exit}")
        self.viewers.close_all()
        self.drop_link()
        self.listeners.close()
        self.loop.stop()

    def may_end(self) -> None:
        """SIGTERM or Ctrl-C: end when there are no processes; they would die with us otherwise."""
        if self.runs:
            self.say("SIGTERM is not followed while processes run; use `wezparallel daemon stop --all`")
        else:
            self.end(children=True)

    def status(self) -> JsonObject:
        """Return what `daemon status` shows."""
        pid = self.hub.pid or (self.link.peer_pid if self.link else None)
        return {
            "pid": os.getpid(),
            "started_at": self.started_at,
            "hub": {"state": self.hub.state, "pid": pid, "deaths": self.hub.all_deaths},
            "runs": sum(run.exit is None for run in self.runs.values()),
            "unacknowledged": sum(run.exit is not None and not run.told for run in self.runs.values()),
            "processes": len(self.processes),
            "viewers": len(self.viewer_reports),
            "program": sys.executable,
            "upgrade": self.upgraded,
        }

    def say(self, text: str) -> None:
        """Write one line to the keeper's own log."""
        with suppress(OSError):  # a full disk is no reason to end
            sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")
            sys.stderr.flush()


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
