"""Goes on with what processes write: read-only, gapless `frames` viewers of the keeper.

So nothing is missed and nothing is slowed, over restarts of a process, of the hub and of the keeper.
"""

from __future__ import annotations

import select
import sys

from wezparallel.client import states, sync, text
from wezparallel.client.frames import FROM_START, FramesViewer
from wezparallel.errors import LinkError, RequestError
from wezparallel.frontends.cli.log_reading import STREAMS, Piece
from wezparallel.wire import frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wezparallel.client.sync import Subscription
    from wezparallel.frontends.cli.context import Context
    from wezparallel.frontends.cli.log_reading import HubLog
    from wezparallel.types import JsonObject, ProcessId

QUIET_MS = 700  # after so long something is done about what did not go on
_EVENTS = ["process.added", "process.running", "process.removed"]


class Following:
    """All viewers of one `logs -f`."""

    def __init__(self, context: Context, take: Callable[[Piece], object], quiet: Callable[[], object]) -> None:
        self._context = context
        self._take = take
        self._quiet = quiet
        """Called now and then, also when nothing comes."""
        self._viewers: dict[ProcessId, FramesViewer] = {}
        self._offsets: dict[ProcessId, int] = {}
        self._runs: dict[ProcessId, str | None] = {}
        self._client: sync.Client | None = None
        self._events: Subscription | None = None
        self._join: Callable[[], list[ProcessId]] | None = None

    def follow(self, logs: Iterable[HubLog], join: Callable[[], list[ProcessId]] | None = None) -> None:
        """Go on behind what was read, until all processes are removed. `join` says who belongs to them by now."""
        self._join = join
        if join is not None:
            self._subscribe()
        try:
            for log in logs:
                self._offsets[log.process_id] = log.end
                self._runs[log.process_id] = log.run_id
                self._look_at(log.process_id)
            while self._viewers or self._events is not None:
                self._turn()
        finally:
            for viewer in self._viewers.values():
                viewer.close()
            if self._client is not None:
                self._client.close()

    def _look_at(self, process_id: ProcessId) -> None:
        """Begin to read a process; one that has not run yet is waited for."""
        try:
            viewer = FramesViewer.connect(process_id, self._offsets[process_id], path=self._context.keeper_socket)
        except RequestError as error:
            if error.code != "process.not_found":
                raise
            self._subscribe()
            return
        self._viewers[process_id] = viewer

    def _subscribe(self) -> None:
        if self._events is None:
            self._client = self._context.connect()
            self._events = self._client.subscribe(_EVENTS)

    def _turn(self) -> None:
        """Wait for what comes next. Raises BrokenPipeError when our reader goes away: a quiet log would not tell."""
        waiting = [process_id for process_id, viewer in self._viewers.items() if viewer.has_more]
        if not waiting:
            poll, out = select.poll(), sys.stdout.fileno()
            poll.register(out, 0)
            by_fd = {viewer.fileno(): process_id for process_id, viewer in self._viewers.items()}
            events_fd = -1 if self._client is None or self._events is None else self._client.fileno()
            for fd in (*by_fd, events_fd):
                if fd >= 0:
                    poll.register(fd, select.POLLIN)
            ready = dict(poll.poll(QUIET_MS))
            if ready.get(out, 0) & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
                raise BrokenPipeError
            if events_fd in ready:
                self._hear()
            waiting = [by_fd[fd] for fd in ready if fd in by_fd]
        for process_id in waiting:
            self._read(process_id)
        self._quiet()

    def _read(self, process_id: ProcessId) -> None:
        """Take the frames of one process that have come."""
        viewer = self._viewers.get(process_id)
        if viewer is None:
            return
        for kind, at, stream, data, fields in viewer:
            if kind == frames.DATA:
                run_id = self._runs.get(process_id)
                self._take(Piece(self._context.now, process_id, at, STREAMS.get(stream, "tty"), data, run_id))
            elif kind == frames.STARTED:
                self._runs[process_id] = fields.get("run_id")
            self._note(process_id, kind, at, fields)
            if not viewer.has_more:
                return
        viewer.close()
        self._offsets[process_id] = viewer.offset
        del self._viewers[process_id]
        if not viewer.is_final:
            self._wait_for_keeper()
            self._look_at(process_id)

    def _hear(self) -> None:
        """Look at who has come, or has run for the first time."""
        assert self._events is not None
        try:
            while self._events.next(0) is not None:
                pass
            found = self._join() if self._join is not None else list(self._offsets)
        except RequestError:
            return
        except LinkError:  # no hub any more: who is there is followed all the same
            self._events = None
            return
        for process_id in found:
            if process_id not in self._viewers:
                self._offsets.setdefault(process_id, FROM_START)
                self._look_at(process_id)
        if self._join is None and all(process_id in self._viewers for process_id in self._offsets):
            self._events = None

    def _note(self, process_id: ProcessId, kind: int, count: int, fields: JsonObject) -> None:
        """Say what is no output: on stderr, so that a pipe gets the program's words alone."""
        context = self._context
        if kind == frames.EXITED:
            how = states.how_it_ended(fields) or "ended"
            context.note(context.screen.paint(f"── {process_id} {how}, following goes on ──", "dim"))
        elif kind == frames.STARTED:
            context.note(context.screen.paint(f"── {process_id} started, pid {fields.get('pid')} ──", "dim"))
        elif kind == frames.LOST:
            context.note(f"wezparallel: {text.size(count)} of output of {process_id} are lost here")
        elif kind == frames.REMOVED:
            context.note(f"{process_id} was removed")

    def _wait_for_keeper(self) -> None:
        for _ in range(100):
            try:
                sync.connect(self._context.keeper_socket).close()
            except ConnectionError:
                sync.wait(0.1)
            else:
                return
        raise LinkError("the daemon went away; `wezparallel daemon start` starts it again")
