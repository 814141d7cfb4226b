"""Asks a handed-over terminal for its colours and attributes, and takes the answers out of what is typed there.

We ask a moment after the hand-over (many programs have ended by then) and only where no query of the program's can be
under way: so the first answers are ours, and what comes behind them is the program's. DA1 is asked last: every
terminal answers it, so nothing of ours comes after it. A terminal that answers nothing is listened to for a while;
no key waits longer for that than the Escape key does anyway, and none is lost when the terminal goes meanwhile.
"""

from __future__ import annotations

import re

from wezparallel.keeper.cursor import Cursor
from wezparallel.wire.queries import asks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.keyboard import Keyboard
    from wezparallel.keeper.loop import Loop, Timer
    from wezparallel.keeper.processes import Process
    from wezparallel.keeper.viewer import Viewer
    from wezparallel.types import JsonObject
    from wezparallel.wire.queries import Facts

ASK_S = 0.3  # after the hand-over, and between two tries; a query older than that was answered
TRIES = 10
GIVE_UP_S = 5.0
ROUND_TRIP_S = 1.0  # of question and answer, over a slow line
HELD_S = 0.05  # for what may be any key
HELD_ANSWER_S = 1.0  # for what can only be an answer
_ANY_KEY = 3  # bytes; what is longer and has not ended can only be an answer
_MAX_LOOK = 64 * 1024  # bytes of output that are looked through for the program's own queries
_QUESTION = b"\x1b]10;?\x1b\\\x1b]11;?\x1b\\\x1b[c"
_KINDS = ("10", "11", "c")
_ANSWER = re.compile(rb"\x1b(?:\](10|11);(rgba?:[0-9a-fA-F/]{1,40})(?:\x07|\x1b\\)|(\[\?[0-9;]{0,64}c))")
_CUT = re.compile(rb"\x1b(?:\](?:1[01]?)?(?:;[^\x07\x1b]{0,64}\x1b?)?|\[(?:\?[0-9;]{0,64})?)?\Z")
_NEVER = ("", "dumb", "linux", "cons25", "emacs")
_INSIDE = ("screen", "tmux", "vt1", "vt2")  # multiplexers answer in their own time, old ones with junk


def may_be_asked(viewer: Viewer) -> bool:
    """Tell whether a viewer's terminal understands what we ask, and answers in order."""
    strings = viewer.about.strings
    term, program = (strings[1], strings[3]) if len(strings) > 3 else ("", "")
    return term not in _NEVER and not term.startswith(_INSIDE) and program != "tmux"


def is_last_answer(data: bytes) -> bool:
    """Tell whether the answer that comes last is in what a terminal sent."""
    return any(match[3] for match in _ANSWER.finditer(data))


class Asking:
    """One terminal that is asked, once."""

    __slots__ = (
        "_asked_at",
        "_facts",
        "_held",
        "_held_since",
        "_keyboard",
        "_left",
        "_loop",
        "_offset",
        "_process",
        "_timer",
        "_tries",
        "_viewer",
    )

    def __init__(self, loop: Loop, process: Process, viewer: Viewer, facts: Facts) -> None:
        self._loop = loop
        self._process = process
        self._viewer = viewer
        self._facts = facts
        self._keyboard: Keyboard | None = None
        """Set while answers are awaited."""
        self._left: list[str] = []
        self._asked_at = 0.0
        self._held = b""
        self._held_since = 0.0
        self._tries = TRIES
        self._offset = process.log.writer.end
        self._timer: Timer | None = loop.after(ASK_S, self._ask)

    @property
    def is_awaiting(self) -> bool:
        """Tell whether an answer may still be on its way; a terminal that takes longer does not answer."""
        return self._keyboard is not None and self._loop.now() < self._asked_at + ROUND_TRIP_S

    def close(self) -> None:
        """Ask and await nothing more; a key that waited passes, half an answer does not."""
        keyboard, held = self._keyboard, self._held
        self._stop_awaiting()
        if keyboard is not None and 0 < len(held) <= _ANY_KEY:
            keyboard.let_through(held)

    def dump(self) -> JsonObject:
        """Return what is awaited, for the program after this one."""
        return {"left": self._left, "held": self._held.hex(), "tries": self._tries}

    def resume(self, carried: JsonObject) -> None:
        """Go on awaiting what the program before this one asked, or ask."""
        self._tries = carried["tries"]
        if self._tries <= 0:
            self._stop_timer()
        if carried["left"]:
            self._await(carried["left"])
            self._hold(bytes.fromhex(carried["held"]), b"")

    def _ask(self) -> None:
        self._timer = None
        self._tries -= 1
        offset, self._offset = self._offset, self._process.log.writer.end
        if self._is_quiet(offset) and self._viewer.interpose(_QUESTION):
            self._tries = 0
            self._await(list(_KINDS))
        elif self._tries > 0:
            self._timer = self._loop.after(ASK_S, self._ask)

    def _is_quiet(self, offset: int) -> bool:
        """Tell whether the program has asked nothing since the last look."""
        log = self._process.log
        size = log.writer.end - offset
        if not size:
            return True
        if size > _MAX_LOOK:
            return False
        cursor = Cursor(log, max(offset, log.writer.start))
        try:
            return not asks(cursor.read(size))
        finally:
            cursor.close()

    def _await(self, kinds: list[str]) -> None:
        self._stop_timer()
        keyboard: Keyboard | None = getattr(self._viewer, "keyboard", None)
        if keyboard is None:
            return
        self._left = kinds
        self._asked_at = self._loop.now()
        self._keyboard = keyboard
        keyboard.filter = self._filter
        self._wait()

    def _filter(self, data: bytes) -> bytes:
        """Take our answers out of what was typed."""
        if not self._held and b"\x1b" not in data:
            return data
        before, data, self._held = self._held, self._held + data, b""
        out = []
        at = 0
        for match in _ANSWER.finditer(data):
            kind = match[1].decode() if match[1] else "c"
            if kind not in self._left:
                continue
            out.append(data[at : match.start()])
            at = match.end()
            self._learn(kind, match)
            if kind == "c":
                self._stop_awaiting()
                return b"".join((*out, data[at:]))
        cut = _CUT.search(data, at)
        end = cut.start() if cut else len(data)
        self._hold(data[end:], b"" if end else before)
        return b"".join((*out, data[at:end]))

    def _learn(self, kind: str, match: re.Match[bytes]) -> None:
        self._left.remove(kind)
        if kind == "10":
            self._facts.foreground = match[2].decode()
        elif kind == "11":
            self._facts.background = match[2].decode()
        else:
            self._facts.attributes = match[3] and b"\x1b" + match[3]

    def _hold(self, held: bytes, before: bytes) -> None:
        """Hold the beginning of what may be an answer; with `before` it has grown, and waits no longer for that."""
        self._held = held
        if not before:
            self._held_since = self._loop.now()
        self._wait()

    def _wait(self) -> None:
        """Have what is held, or the wait for answers, end in time."""
        self._stop_timer()
        until = self._asked_at + GIVE_UP_S
        if self._held:
            until = self._held_since + (HELD_S if len(self._held) <= _ANY_KEY else HELD_ANSWER_S)
        self._timer = self._loop.after(max(0.0, until - self._loop.now()), self._give_up)

    def _give_up(self) -> None:
        """What is held was no answer; or, if nothing is, none comes any more."""
        self._timer = None
        keyboard, held = self._keyboard, self._held
        self._held = b""
        if not held:
            self._stop_awaiting()
        elif keyboard is not None:
            self._wait()
            keyboard.let_through(held)

    def _stop_awaiting(self) -> None:
        self._stop_timer()
        self._left, self._held = [], b""
        if self._keyboard is not None:
            self._keyboard.filter = None
            self._keyboard = None

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
