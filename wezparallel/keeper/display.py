"""What a handed-over terminal shows: from the log to the terminal, as fast as it takes it, and nobody waits for it.

terminals.py stands above and says when it begins and ends; below are the cursor in the log and the loop.
"""

from __future__ import annotations

import os
import termios

from wezparallel.keeper.cursor import PIECE, Cursor
from wezparallel.keeper.hold import restore_terminal
from wezparallel.keeper.loop import TURN_BYTES
from wezparallel.wire.replay import Cleaner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.keeper.hold import Attributes
    from wezparallel.keeper.loop import Loop
    from wezparallel.keeper.processes import Process
    from wezparallel.types import JsonObject
    from wezparallel.wire.terminal import Modes

MAX_BEHIND = 8 * 1024 * 1024  # bytes; a terminal further behind jumps to the end
_HALVES = 16 * 1024  # bytes in which the beginning of a sequence that is cut is looked for
_CANCEL = b"\x18"  # CAN: ends a sequence that was cut in its middle


class Display:
    """One terminal's descriptor, and where it is in the log."""

    __slots__ = (
        "_cleaned",
        "_cleaner",
        "_cleans_to",
        "_gapless",
        "_loop",
        "_on_typed",
        "_piece",
        "_process",
        "_raw",
        "_watched_for",
        "cursor",
        "ends",
        "fd",
        "insert",
        "on_caught_up",
        "on_gone",
        "on_jump",
        "writing",
    )

    def __init__(self, loop: Loop, process: Process, fd: int, gapless: bool) -> None:
        os.set_blocking(fd, False)
        self.fd = fd
        self.cursor: Cursor | None = None
        self.insert = b""
        """Bytes of our own that go to the terminal before the log goes on."""
        self.writing = False
        """The terminal took no more; the loop calls when it does."""
        self.ends = False
        """Nothing of the log is shown any more, only what is inserted."""
        self.on_gone: Callable[[], object] = lambda: None
        self.on_caught_up: Callable[[], object] = lambda: None
        self.on_jump: Callable[[int], object] = lambda _: None
        self._loop = loop
        self._process = process
        self._gapless = gapless
        self._piece: memoryview = memoryview(b"")
        self._cleaner: Cleaner | None = None
        self._cleaned: tuple[int, Cleaner, bytes, int] | None = None
        """What `insert` was made of: where that is in the log, the cleaner before it, the bytes, what came of them"""
        self._cleans_to = 0
        """Up to there the log is shown as a replay is: what was asked in it was answered by us."""
        self._raw: list[object] | None = None
        """The terminal's attributes as the client made them."""
        self._on_typed: Callable[[], object] | None = None
        self._watched_for: tuple[bool, bool] = (False, False)

    @property
    def offset(self) -> int:
        """What of the log was shown; 0 before anything was."""
        return self.cursor.offset if self.cursor is not None else 0

    def begin(self, offset: int, cleans_to: int = 0) -> None:
        """Go on in the log from there; what it holds up to `cleans_to` is the past."""
        log = self._process.log
        self.cursor = Cursor(log, max(min(offset, log.writer.end), log.writer.start))
        self._raw = _attributes(self.fd)
        if self.cursor.offset < cleans_to:
            self._cleaner = Cleaner()
            self._cleans_to = cleans_to

    def carry(self) -> JsonObject:
        """Return where it is, for the program after this one, which begins there and inserts the same."""
        held = self._cleaner.held if self._cleaner is not None else 0
        return {
            "terminal": self.fd,
            "offset": self.offset - held,
            "insert": self.insert,
            "cleans_to": self._cleans_to if self._cleaner is not None else 0,
        }

    def listen(self, on_typed: Callable[[], object] | None) -> None:
        """Call that while keys wait; None: let them wait."""
        self._on_typed = on_typed
        self._watch()

    def show(self, data: bytes = b"") -> None:
        """Show what is new in the log; `data` are the last bytes of it."""
        if not (self.writing or (data and self._echo(data))):
            self.pump()

    def interpose(self, data: bytes) -> bool:
        """Show bytes of our own; False when the terminal is not where the program is, or within a sequence of it."""
        log = self._process.log
        if self.writing or self.insert or self.ends or self.cursor is None or self.cursor.behind:
            return False
        if log.modes.synchronized or not log.modes.at_ground:
            return False
        self.insert = data
        self.pump()
        return True

    def reset(self) -> None:
        """Show nothing more but what brings the terminal out of the program's modes."""
        within = self._piece or self.insert or not self._process.log.modes.at_ground
        self._back_to_shown()
        self.insert = (_CANCEL if within else b"") + self._modes_shown().leave()
        self._piece = memoryview(b"")
        self.ends = True

    def restore(self, attributes: Attributes, unless_changed: bool) -> None:
        """Give the terminal the attributes that it had. With `unless_changed` only if it still has the client's:

        a shell that found its job dead or stopped has set its own by now, and needs them.
        """
        if unless_changed and self._raw is not None and _attributes(self.fd) != self._raw:
            return
        restore_terminal(self.fd, attributes)

    def close(self) -> None:
        """Close the terminal as it is."""
        if self.cursor is not None:
            self.cursor.close()
            self.cursor = None
        if self.fd >= 0:
            self._loop.unwatch(self.fd)
            os.close(self.fd)
            self.fd = -1

    def pump(self) -> None:
        """Write to the terminal what it takes, within this turn's bound."""
        if self.fd < 0:
            return  # a turn that was asked for before the end
        budget = TURN_BYTES
        took_all = True
        while budget > 0 and took_all:
            data = self._next()
            if not data:
                break
            try:
                written = os.write(self.fd, data)
            except BlockingIOError:
                written = 0
            except OSError:
                self.on_gone()
                return
            took_all = written == len(data)
            budget -= written
            self._wrote(written)
        self.writing = not took_all or budget <= 0
        self._watch()
        if not self.writing:
            self.on_caught_up()

    def _echo(self, data: bytes) -> bool:
        """Write output that is all this terminal lacks, without reading it back; return whether that was done."""
        cursor = self.cursor
        if cursor is None or self.insert or self._piece or cursor.behind != len(data):
            return False
        try:
            written = os.write(self.fd, data)
        except OSError:
            return False  # the long way finds out what it is
        cursor.advance(written)
        return written == len(data)

    def _next(self) -> bytes | memoryview:
        if self.insert or self.ends or self.cursor is None:
            return self.insert
        if not self._piece:
            if not self.cursor.behind:
                return b""
            too_far = self.cursor.behind > MAX_BEHIND and not self._gapless
            if too_far or self.cursor.expired:
                self._jump()
                return self.insert
            if self._cleaner is not None:
                self._clean(self._cleaner)
                if self.insert:
                    return self.insert
            self._piece = memoryview(self.cursor.read(PIECE))
            if self.cursor.hole:
                self._jump()
                return self.insert
        return self._piece

    def _clean(self, cleaner: Cleaner) -> None:
        """Take the next of the past to be shown; at its end go on in the log, at the sequence that is cut there."""
        assert self.cursor is not None
        while not self.insert and self._cleaner is not None:
            data = self.cursor.read(min(PIECE, self._cleans_to - self.cursor.offset))
            before = cleaner.copy()
            self.insert = cleaner.feed(data)
            if self.insert:
                self._cleaned = (self.cursor.offset, before, data, len(self.insert))
            self.cursor.advance(len(data))
            if not data or self.cursor.offset >= self._cleans_to:
                self._cleaner = None
                self.cursor.jump(self.cursor.offset - cleaner.held)

    def _back_to_shown(self) -> None:
        """Put the cursor where the terminal is, before a sequence that is cut: it comes whole the next time.

        Of what is shown cleaned it stands behind all that was taken from the log.
        """
        if self.cursor is None:
            return
        if self._cleaned is not None and self.insert:
            offset, before, data, size = self._cleaned
            self.cursor.jump(offset + _shown(before, data, size - len(self.insert)))
        elif self._cleaner is not None:
            self.cursor.jump(self.cursor.offset - self._cleaner.held)
        elif self._piece or not self._process.log.modes.at_ground:
            cleaner = Cleaner()
            cleaner.feed(self.cursor.recent(_HALVES))
            self.cursor.jump(self.cursor.offset - cleaner.held)
        self._cleaner = self._cleaned = None

    def _wrote(self, count: int) -> None:
        if self.insert:
            self.insert = self.insert[count:]
            if not self.insert:
                self._cleaned = None
        elif self.cursor is not None:
            self.cursor.advance(count)
            self._piece = self._piece[count:]

    def _jump(self) -> None:
        """Skip what this terminal cannot take in time."""
        assert self.cursor is not None
        behind = self.cursor.behind
        self._cleaner = None
        modes = self._modes_shown()
        self.cursor.jump(self.cursor.offset + behind)
        self.insert = skipped(behind, modes, self._process.log.modes)
        self.on_jump(behind)

    def _modes_shown(self) -> Modes:
        """Return the modes that the terminal is in: the log's, unless it lags behind."""
        return self._process.log.modes if self.cursor is None else self.cursor.modes()

    def _watch(self) -> None:
        wanted = (self._on_typed is not None, self.writing)
        if self.fd >= 0 and wanted != self._watched_for:
            self._watched_for = wanted
            self._loop.watch(self.fd, self._on_typed, self.pump if self.writing else None)


def skipped(count: int, shown: Modes, modes: Modes) -> bytes:
    """Return what tells a terminal in the modes `shown` how much is left out, and brings it into the modes of now."""
    note = f"\r\n\x1b[2m[{count} bytes skipped; they are in the log]\x1b[0m\r\n"
    return _CANCEL + shown.leave() + note.encode() + modes.enter()


def _shown(before: Cleaner, data: bytes, count: int) -> int:
    """Return after how many bytes of `data` not more than `count` were shown, and nothing is cut; negative if all of

    them are the rest of something that began before.
    """
    low, high = 0, len(data)
    while low < high:
        middle = (low + high + 1) // 2
        if len(before.copy().feed(data[:middle])) <= count:
            low = middle
        else:
            high = middle - 1
    cleaner = before.copy()
    cleaner.feed(data[:low])
    return low - cleaner.held


def _attributes(fd: int) -> list[object] | None:
    try:
        return list(termios.tcgetattr(fd))
    except termios.error:
        return None
