"""Suspends whole trees, and lets them go on.

SIGSTOP goes from the leader down, over and over, until one look finds the same members as the look before and all of
them stopped: so a child that was forked meanwhile is caught. Nobody is stopped before the parent has come to rest: a
shell that is woken in its wait by the signal would else still see its child stopped, and take it for a job that a
user stopped. SIGCONT goes from the leaves up for the same reason (other orders leave jobs stopped).

What stood still before (a job under a shell, a program in a debugger) is left alone both ways. One look serves all
runs that are being suspended. The hub is told when all is still, and again when it goes on; in between
`run.suspended` says what was asked for, `run.still` whether it is so.
"""

from __future__ import annotations

import signal

from wezparallel.errors import RequestError
from wezparallel.keeper import tree
from wezparallel.keeper.messages import SUSPENDED
from wezparallel.keeper.tree import Table
from wezparallel.wire.frames import NOTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wezparallel.keeper.keeper import Keeper
    from wezparallel.keeper.loop import Timer
    from wezparallel.keeper.processes import Run
    from wezparallel.keeper.tree import Entry
    from wezparallel.keeper.viewer import Viewer

QUICK_LOOKS = 12  # one brings rest to one level of a tree
LEVEL_LOOKS = 40  # about 2 s, long for a parent to come to rest; in a tree that grows faster, all have SIGSTOP then
MOST_LOOKS = 60  # together about 4 s; then it is said how many still run
FIRST_LOOK_S = 0.002
LAST_LOOK_S = 0.1
AGAIN_S = 0.1  # before a tree that somebody continued from outside is stopped again


class Suspends:
    """The runs that are suspended, and how far that is."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._looks: dict[str, int] = {}
        """runs that are not still yet, and how often they were looked at"""
        self._table: Table | None = None
        self._timer: Timer | None = None

    def begin(self, run: Run) -> bool:
        """Suspend a run; return whether all of it stands still already, else `suspended` is told later."""
        _check(run)
        if run.stopping:
            raise RequestError("process.bad_state", f"{run.process.process_id} is being stopped; wait for its end")
        if not run.suspended:
            run.suspended, run.still = True, False
            run.frozen = {}
            self._looks[run.run_id] = 0
            self._look()
        return run.still

    def end(self, run: Run) -> None:
        """Let a run go on; one that was not suspended goes on as it did."""
        _check(run)
        if not run.suspended:
            return
        self.release(run)
        self._tell(run, 0)
        for seen in run.process.viewers:
            if seen.hinted and not run.process.log.modes.alternate:
                seen.interpose(b"\x1b7\x1b[B\x1b[2K\x1b8")
            seen.hinted = False
        # Who came meanwhile saw no picture, and what we wrote over the last row is to go.
        lead = run.process.lead
        viewer = lead.leader or next(iter(run.process.viewers), None)
        if viewer is not None:
            lead.redraw(viewer)

    def release(self, run: Run, *, go_on: bool = True) -> None:
        """Keep a run suspended no longer: it goes on, is stopped (after its signal) or its leader was killed."""
        if not run.suspended:
            return
        frozen, run.frozen = run.frozen, {}
        run.suspended = run.still = False
        self._looks.pop(run.run_id, None)
        if not run.stopping:
            run.members = {}
        if go_on:
            entries = {}
            for pid, start in frozen.items():
                entry = tree.read_entry(pid)
                if entry is not None and entry.start == start:
                    entries[pid] = entry
            for pid in reversed(from_leader(run.pid, entries, entries)):
                tree.send_one(pid, signal.SIGCONT)

    def went_on(self, run: Run) -> None:
        """The kernel says that a leader was continued: by us, or by somebody who may not."""
        if run.suspended and run.still:
            self._looks[run.run_id] = 0
            if self._timer is None:
                self._timer = self._keeper.loop.after(AGAIN_S, self._look)

    def take_up(self, run: Run) -> None:
        """Go on with what the program before this one began."""
        run.frozen = {int(pid): start for pid, start in run.frozen.items()}
        self._looks[run.run_id] = 0
        self._look()

    def hint(self, viewer: Viewer) -> None:
        """Tell a viewer of a suspended process why nothing moves; what it shows gets a line for it."""
        process = viewer.process
        if process is None or process.run is None or not process.run.suspended:
            return
        text = f"{process.process_id} is suspended; `wezparallel resume {process.process_id}` lets it go on"
        viewer.send(NOTE, text.encode())
        columns = viewer.about.size[1] or process.size[1]
        if viewer.interpose(_line(text[: max(0, columns - 2)], alternate=process.log.modes.alternate)):
            viewer.hinted = True

    def _look(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        began = self._keeper.loop.now()
        table = self._table = Table(self._table)
        for run_id in list(self._looks):
            run = self._keeper.runs.get(run_id)
            if run is None or not run.suspended:
                del self._looks[run_id]
                continue
            self._looks[run_id] += 1
            settled, left = self._freeze(run, table, self._looks[run_id] <= LEVEL_LOOKS)
            if settled or self._looks[run_id] >= MOST_LOOKS:
                self._settled(run, left)
        if self._looks:
            late = max(0, min(self._looks.values()) - QUICK_LOOKS)
            # With thousands of processes a look takes long; between two, everybody else has as much time.
            wait = max(min(FIRST_LOOK_S * 2**late, LAST_LOOK_S), self._keeper.loop.now() - began)
            self._timer = self._keeper.loop.after(wait, self._look)
        else:
            self._table = None

    def _freeze(self, run: Run, table: Table, by_level: bool) -> tuple[bool, int]:
        """Stop whoever runs; return whether nobody did and nobody is new, and how many are left running."""
        before = run.members
        members = run.members = table.members(run, self._keeper.never_members())
        left = foreign = 0
        moving = set()
        for pid in from_leader(run.pid, members, table.entries):
            entry = table.entries[pid]
            if by_level and entry.parent in moving:
                moving.add(pid)
                left += 1
            elif entry.state == "T":
                if entry.group == run.pid:  # it stopped itself, with its group: there is no shell that did
                    run.frozen[pid] = entry.start
            elif entry.state == "t":
                pass  # a debugger holds it, and lets it go on
            elif tree.send_one(pid, signal.SIGSTOP):
                # In the kernel (D), from where it comes back stopped: the parent of a vfork waits like that. It has
                # the signal each time, because somebody outside may have taken the last one back.
                at_rest = entry.state == "D" and run.frozen.get(pid) == entry.start
                run.frozen[pid] = entry.start
                if not at_rest:
                    moving.add(pid)
                    left += 1
            elif tree.is_alive(pid, entry.start):
                foreign += 1  # another user's: it may not be stopped, and would be waited for in vain
        return left == 0 and members == before, left + foreign

    def _settled(self, run: Run, left: int) -> None:
        del self._looks[run.run_id]
        was_still, run.still = run.still, True
        if left:
            self._keeper.say(f"{run.process.process_id}: {left} of its processes could not be suspended")
        self._tell(run, left)
        if not was_still:
            for viewer in list(run.process.viewers):
                self.hint(viewer)

    def _tell(self, run: Run, left: int) -> None:
        self._keeper.tell(
            SUSPENDED, run_id=run.run_id, process_id=run.process.process_id, suspended=run.suspended, left=left
        )


def from_leader(leader: int, members: Mapping[int, object] | set[int], entries: Mapping[int, Entry]) -> list[int]:
    """Return the members, the leader first and each parent before its children."""
    depths: dict[int, int] = {}
    for member in members:
        path = []
        pid = member
        while pid in members and pid not in depths:
            path.append(pid)
            depths[pid] = 0  # a table is no moment: a pid that was given again could make it a ring
            pid = entries[pid].parent
        depth = depths.get(pid, -1)
        for pid in reversed(path):
            depth += 1
            depths[pid] = depth
    return sorted(depths, key=lambda pid: (pid != leader, depths[pid], pid))


def _check(run: Run) -> None:
    if run.status is not None:
        raise RequestError("process.not_running", f"{run.process.process_id} has ended; start it first")


def _line(text: str, *, alternate: bool) -> bytes:
    """Return what shows one line without moving the program's cursor; it must fit, a second one would stay behind."""
    said = f"\x1b[0;7m {text} \x1b[0m"
    if alternate:  # over the last row: the program draws everything again when it goes on
        return f"\x1b7\x1b[999;1H{said}\x1b[K\x1b8".encode()
    return f"\n\x1b[A\x1b7\r\n{said}\x1b[K\x1b8".encode()  # below the cursor, with room made there
