"""Answers what a program asks its terminal while no terminal looks that could: with what the last one was like.

Exactly one answers. A viewer that may type answers by itself: from its hello on (a program that waited for it asks
before it looks) until its client takes the terminal back. From then on we do, and what a client that comes back has
missed meanwhile is shown to it without the queries (display.py). A query that the terminal had no time to answer
before it went is answered here, too. Between runs nobody looks, but the next run's queries are the terminals'.

lead.py says who looks, keeper.py hands the output in; wire/queries.py knows queries and answers. What is known of the
terminal comes from asking.py.
"""

from __future__ import annotations

from wezparallel.keeper.asking import Asking, may_be_asked
from wezparallel.keeper.cursor import Cursor
from wezparallel.wire.queries import Facts, Queries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.loop import Loop
    from wezparallel.keeper.processes import Process, Run
    from wezparallel.keeper.viewer import Viewer
    from wezparallel.types import JsonObject

SKIPPED = 64 * 1024  # bytes of skipped output that are looked through; who asked before, asked in vain
IN_FLIGHT_S = 1.0  # a query older than that was answered, or never will be


class Answers:
    """The queries of one process."""

    __slots__ = (
        "_asking",
        "_carried",
        "_loop",
        "_process",
        "_queries",
        "_run",
        "alone",
        "facts",
        "recent",
        "recent_at",
    )

    def __init__(self, loop: Loop, process: Process) -> None:
        self._loop = loop
        self._process = process
        self._run: Run | None = None
        self._queries = Queries()
        self._asking: dict[Viewer, Asking] = {}
        self._carried: dict[str, JsonObject] = {}
        self.facts = Facts()
        """Of the terminal that looked last."""
        self.alone = True
        """Nobody looks who could answer; `answer` must see all output. Else `recent` gets it."""
        self.recent = b""
        """The last output that a terminal was shown, until something is typed."""
        self.recent_at = 0.0

    def answer(self, run: Run, data: bytes) -> None:
        """Answer what a program asks; its modes are known already."""
        if not run.tty:
            return
        if run is not self._run:
            if self._run is not None:
                self._queries = Queries()
            self._run = run
        modes = self._process.log.modes
        if not (modes.quiet and self._queries.skip(modes.unfinished)):
            self._write(run, self._queries.answers(data, self._facts(), modes))

    def watched(self, by_somebody: bool) -> None:
        """Somebody looks from now on, or nobody any more."""
        if by_somebody != self.alone:
            return
        self.alone = not by_somebody
        run = self._process.run
        recent, self.recent = self.recent, b""
        if by_somebody or run is None or not run.tty:
            return
        modes = self._process.log.modes
        self._run = run
        self._queries = Queries(modes.unfinished)
        if recent and self._loop.now() - self.recent_at < IN_FLIGHT_S:
            self._write(run, Queries().answers(recent, self._facts(), modes))

    def skipped(self, viewer: Viewer, size: int) -> None:
        """A terminal skips the last bytes of the output: it cannot answer what is asked there."""
        process = self._process
        run = process.run
        if run is None or not run.tty or process.lead.leader is not viewer:
            return
        cursor = Cursor(process.log, process.log.writer.end)
        try:
            self._write(run, Queries().answers(cursor.recent(min(size, SKIPPED)), self._facts(), process.log.modes))
        finally:
            cursor.close()

    # The terminals

    def came(self, viewer: Viewer) -> None:
        """A terminal that may type begins to look: it is the one that is known from now on, and is asked soon."""
        strings = viewer.about.strings
        self.facts.program = " ".join(word for word in strings[3:5] if word)
        if viewer not in self._asking and may_be_asked(viewer):
            self._asking[viewer] = Asking(self._loop, self._process, viewer, self.facts)

    def goes_on(self, viewer: Viewer) -> None:
        """A terminal looks, and did so before the upgrade."""
        carried = self._carried.pop(str(viewer.viewer_id), None)
        if carried is not None:
            self._asking[viewer] = asking = Asking(self._loop, self._process, viewer, self.facts)
            asking.resume(carried)

    def went(self, viewer: Viewer) -> None:
        """A terminal looks no more; what it was asked is asked again when it comes back."""
        asking = self._asking.pop(viewer, None)
        if asking is not None:
            asking.close()

    def awaits(self, viewer: Viewer) -> bool:
        """Tell whether answers to our own question are on their way from a terminal."""
        asking = self._asking.get(viewer)
        return asking is not None and asking.is_awaiting

    def dump(self) -> JsonObject:
        """Return what is known as JSON, for the program after this one."""
        asking = {str(viewer.viewer_id): asking.dump() for viewer, asking in self._asking.items()}
        return {"facts": self.facts.dump(), "asking": asking, "unfinished": self._queries.unfinished.hex()}

    def load(self, value: JsonObject) -> None:
        """Go on from what `dump` told, before the viewers do."""
        self.facts = Facts.load(value.get("facts") or {})
        self._carried = value.get("asking") or {}
        self._queries = Queries(bytes.fromhex(value.get("unfinished", "")))

    def _facts(self) -> Facts:
        self.facts.size = self._process.size
        return self.facts

    @staticmethod
    def _write(run: Run, answers: bytes) -> None:
        if answers:
            run.write(answers)
