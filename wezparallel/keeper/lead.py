"""Who leads: of all that may type at one process, the one that typed last. Its size counts, and its reports alone.

A rank lives as long as the connection, the lead only while the viewer looks: a terminal that was given back (between
runs, or because its client was stopped) does not lead, and leads again once it is back if nobody typed meanwhile.
Before anybody typed, the first that came leads. Whoever may not type is no member, and never resizes anything.

Above it stand keyboard.py, which says who types, and the kinds of viewers; below it only the run's terminal.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.loop import Loop, Timer
    from wezparallel.keeper.processes import Process, Run
    from wezparallel.keeper.viewer import Viewer

    Size = tuple[int, int, int, int]

RESIZE_S = 0.05  # a dragged window gives many sizes; also the pause in which a program sees the wiggle


class Lead:
    """The writable viewers of one process."""

    __slots__ = ("_away", "_live", "_loop", "_process", "_ranks", "_redraw", "_timer", "leader")

    def __init__(self, loop: Loop, process: Process) -> None:
        self._loop = loop
        self._process = process
        self._ranks: list[Viewer] = []
        """All members; the last one typed last."""
        self._live: set[Viewer] = set()
        self._away: set[Viewer] = set()
        """Those whose client took its terminal back in the middle of a run: they answer no queries of the program."""
        self._timer: Timer | None = None
        self._redraw = False
        self.leader: Viewer | None = None
        """None while nobody who may type looks."""

    @property
    def members(self) -> tuple[Viewer, ...]:
        """All writable viewers, the one that typed last at the end."""
        return tuple(self._ranks)

    def join(self, viewer: Viewer) -> None:
        """Take in one that may type; it does not look yet."""
        self._ranks.insert(0, viewer)
        if self._process.run is None and len(self._ranks) == 1:
            self._process.size = self._known(viewer.about.size)  # a run that waits for it starts in its size
        self._count()

    def leave(self, viewer: Viewer) -> None:
        """Forget one whose connection has ended."""
        if viewer in self._ranks:
            self._ranks.remove(viewer)
            self._away.discard(viewer)
            self.went(viewer)
            self._count()

    def came(self, viewer: Viewer) -> None:
        """A viewer, a member or not, begins to look: it needs a picture."""
        self._process.whereabouts.came(viewer)
        if viewer not in self._ranks:
            self.redraw(viewer)
            return
        self._live.add(viewer)
        self._away.discard(viewer)
        self._count()
        self._process.answers.came(viewer)
        self._choose()
        self._redraw = True
        if len(self._ranks) == 1 and not self._process.log.modes.reports_size:
            self._apply()
        else:
            self._settle()  # the one that leads may be about to come, too, or the terminal's own report of its size

    def went(self, viewer: Viewer) -> None:
        """A viewer looks no more; the one that typed last before it leads."""
        self._process.answers.went(viewer)
        if viewer in self._ranks and self._process.run is not None:
            self._away.add(viewer)
            self._count()
        if viewer in self._live:
            self._live.remove(viewer)
            self._choose()

    def typed(self, viewer: Viewer) -> None:
        """Somebody typed who did not lead."""
        if viewer in self._live:
            self._ranks.remove(viewer)
            self._ranks.append(viewer)
            self._choose()

    def resized(self, viewer: Viewer) -> None:
        """A viewer has another size."""
        if viewer is self._foremost():
            self._settle()

    def hurry(self) -> None:
        """Do now what waits: a run is about to begin in the process's size."""
        if self._timer is not None:
            self._apply()

    def redraw(self, viewer: Viewer) -> None:
        """Have a program on the alternate screen draw everything again, for somebody who did not see it.

        For one that may not type nothing is resized: the program gets the signal alone, and most draw at that.
        """
        if viewer in self._ranks:
            self._redraw = True
            self._settle()
            return
        run = self._process.run
        if run is not None and run.master >= 0 and self._process.log.modes.alternate:
            with suppress(OSError):
                os.killpg(os.tcgetpgrp(run.master), signal.SIGWINCH)

    def resume(self, viewer: Viewer, away: bool = False) -> None:
        """Take in a member from the program before this one; they come in the order of `members`."""
        self._ranks.append(viewer)
        if away:
            self._away.add(viewer)
        self._count()

    def goes_on(self, viewer: Viewer) -> None:
        """A member looks, and did so before the upgrade: it needs no picture."""
        if viewer in self._ranks:
            self._live.add(viewer)
            self._choose()
            self._process.answers.goes_on(viewer)

    def is_away(self, viewer: Viewer) -> bool:
        """Tell whether a viewer was given back in the middle of a run, so that we answered what it missed."""
        return viewer in self._away

    def _count(self) -> None:
        self._process.answers.watched(any(viewer not in self._away for viewer in self._ranks))

    def _foremost(self) -> Viewer | None:
        """Return whose size counts: the leader's; of a run that is to come, that of the last typist."""
        if self._process.run is None and self._ranks:
            return self._ranks[-1]
        return self.leader

    def _choose(self) -> None:
        leader = next((viewer for viewer in reversed(self._ranks) if viewer in self._live), None)
        if leader is not self.leader:
            self.leader = leader
            if leader is not None:
                self._settle()

    def _settle(self) -> None:
        if self._timer is None:
            self._timer = self._loop.after(RESIZE_S, self._apply)

    def _apply(self) -> None:
        """Give the program the leader's size."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        redraw, self._redraw = self._redraw, False
        process = self._process
        run = process.run
        foremost = self._foremost()
        size = process.size if foremost is None else self._known(foremost.about.size)
        changed = process.size != size
        process.size = size
        if run is None or not run.tty:
            return
        if changed:
            process.log.resized(size)
        elif redraw and process.log.modes.alternate:
            # The kernel tells no program of a size that it has already (supervisors.md 6.17).
            rows, columns, x, y = size
            self._tell(run, (rows - 1 if rows > 1 else 2, columns, x, y))
            self._settle()
            return
        self._tell(run, size)

    def _tell(self, run: Run, size: Size) -> None:
        """Give a run its size, and say it in its input if the program has asked for that: then it heeds no signal.

        A terminal reports only when its own size changes, not when it is another's turn to lead.
        """
        run.resize(*size)
        if self._process.log.modes.reports_size:
            rows, columns, x, y = size
            run.write(b"\x1b[48;%d;%d;%d;%dt" % (rows, columns, y, x))

    def _known(self, size: Size) -> Size:
        """Return a size in which what a terminal does not tell (0) stays as it is."""
        rows, columns, x, y = size
        return rows or self._process.size[0], columns or self._process.size[1], x, y
