"""Handed-over terminals: the keeper itself reads and writes what a client's pane shows.

The client sends its terminal and waits. From then on the keeper alone may restore it, and does on every way out but
one: a terminal that hung up is only closed, because whoever closes it may be typing into it. Giving back is a state
of its own (the resets may have to wait for a terminal that takes nothing), bounded in time.

A client that somebody stopped (state T: `kill -STOP`, or a debugger that let go of it) has lost its terminal to the
shell above it, which reads there now. Nobody tells us; so before keys are read and before output is shown, at most
once a second, we look, and give the terminal back: what is typed from then on is the shell's, or waits in the
terminal. Keys of the last second before we look may be the program's, as they were while the client ran. What the
shell has made of the terminal's attributes stays. Once the client goes on, it hands over again from its offset.

Above it stands viewers.py; below it display.py (output), keyboard.py (keys) and lead.py (whose size counts).
"""

from __future__ import annotations

import base64
import os
from struct import Struct
from struct import error as struct_error

from wezparallel.keeper.asking import is_last_answer
from wezparallel.keeper.display import Display
from wezparallel.keeper.failpoints import kill_at
from wezparallel.keeper.keyboard import Keyboard
from wezparallel.keeper.loop import READ_SIZE
from wezparallel.keeper.tree import read_entry
from wezparallel.keeper.viewer import Viewer
from wezparallel.keeper.whereabouts import TAKE_BACK
from wezparallel.wire import frames, hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.loop import Timer
    from wezparallel.types import JsonObject

RETURN_S = 0.5  # a terminal that takes no resets for so long is restored without them
LATE_S = 0.15  # for answers that are on their way when the terminal goes back; after 0.2 s its client asks aloud
LOOK_S = 1.0  # between two looks whether the client was stopped
LOST_S = 0.25  # a terminal whose descriptor was lost comes again: not at once, descriptors are short

_OFFSET = Struct("!Q")

AWAY = 0  # the client has its terminal
HELD = 1  # we have it, the client paints
LIVE = 2  # output and keys pass
RETURNING = 3  # the resets are on their way

Frames = tuple[tuple[int, bytes], ...]


class TerminalViewer(Viewer):
    """One terminal, over all runs of its process."""

    kind = hello.ROLE_TERMINAL
    types = True
    keyboard: Keyboard | None = None
    """Set while the terminal is live."""
    _state = AWAY
    _display: Display | None = None
    _went_before = False
    _exit: bytes | None = None
    """The payload of EXITED, to be told when the terminal has shown everything."""
    _started: bytes | None = None
    """The payload of STARTED, to be told when the terminal is back at its client."""
    _last_words: Frames = ()
    _leaves = False
    _late: bytes | None = None
    """Set on the way back while answers to our own question are awaited: what has come of them."""
    _lost = False
    """The terminal's descriptor did not arrive."""
    _look_at = 0.0
    _return_timer: Timer | None = None

    # What the keeper tells

    def output(self, data: bytes = b"") -> None:
        """Show what is new; `data` are the last bytes of it."""
        if self._state != LIVE or self._display is None:
            return
        if self.loop.now() < self._look_at or not self._lost_to_a_shell():
            self._display.show(data)

    def interpose(self, data: bytes) -> bool:
        """Show bytes of our own between the program's; False when that cannot be done now."""
        return self._state == LIVE and self._display is not None and self._display.interpose(data)

    def exited(self, exit_: JsonObject) -> None:
        """Give the terminal back once it has shown everything."""
        payload = self.keeper.viewers.exit_payload(exit_)
        if self._state == LIVE:
            self._exit = payload
            self.output()
        elif self._state != HELD:
            self.send(frames.EXITED, payload)

    def started(self, payload: bytes) -> None:
        """Tell the client, which hands its terminal over again."""
        self._exit = None
        if self._state == AWAY:
            self.send(frames.STARTED, payload)
        elif self._state == RETURNING:
            self._started = payload

    def removed(self) -> None:
        """Send the terminal home; there is nothing to look at any more."""
        self._give_back(((frames.REMOVED, b""),), leaves=True)

    def ended_by_keeper(self) -> None:
        """Give back at once, without waiting for a slow terminal."""
        self._give_back((), leaves=True)
        self._finish_return()

    # What the client says

    def frame(self, kind: int, payload: bytes) -> None:
        """Handle one frame of the client."""
        if kind == frames.TERMINAL:
            self._take(self.fds.popleft() if self.fds else -1)
        elif kind == frames.GO and self._state == HELD:
            self._go(payload)
        elif kind == frames.RESIZE:
            self.resized(payload)
        elif kind == frames.DETACH:
            self._give_back((), leaves=False)
        elif kind == frames.HANGUP:
            self._hang_up()

    def lost_peer(self) -> None:
        """The client was killed: nobody else restores its terminal."""
        if self._state == AWAY:
            self.close()
        else:
            self._give_back((), leaves=True)

    def close(self) -> None:
        """Close the connection; a terminal that is still held is closed as it is."""
        self._let_go()
        super().close()

    def _take(self, fd: int) -> None:
        if fd < 0:
            # Lost on its way (EMFILE): at the connection's end the client restores its terminal and comes again.
            self._lost = True
            self.loop.after(LOST_S, self.lost_peer)
            return
        if self._state != AWAY or not os.isatty(fd):
            os.close(fd)  # nothing that could be restored
            self.lost_peer()
            return
        assert self.process is not None
        self._display = Display(self.loop, self.process, fd, bool(self.about.flags & hello.GAPLESS))
        self._display.on_gone = self._hang_up
        self._display.on_caught_up = self._caught_up
        self._display.on_jump = self._jumped
        self._state = HELD
        kill_at("keeper.terminal", self.pid)

    def _go(self, payload: bytes) -> None:
        assert self.process is not None
        assert self._display is not None
        process = self.process
        log = process.log
        try:
            (offset,) = _OFFSET.unpack(payload)
        except struct_error:
            offset = log.writer.end
        kill_at("keeper.go", self.pid)
        self._display.begin(offset, log.writer.end if process.lead.is_away(self) else 0)
        self._display.insert = log.modes.enter() if self._went_before else b""
        self._went_before = True
        self._exit = None
        if process.run is None and process.last_exit is not None:
            self._exit = self.keeper.viewers.exit_payload(process.last_exit)
        self._live()
        process.lead.came(self)
        kill_at("keeper.size", self.pid)
        self._listen()
        self._display.pump()
        self.keeper.suspends.hint(self)
        kill_at("keeper.live", self.pid)

    def _live(self) -> None:
        assert self.process is not None
        self.keyboard = Keyboard(self.loop, self.process, self, self._listen)
        self._state = LIVE
        self._look_at = self.loop.now() + LOOK_S

    # The terminal

    def _on_typed(self) -> None:
        if self._display is None or (self.loop.now() >= self._look_at and self._lost_to_a_shell()):
            return
        try:
            # What is typed behind a late answer is the shell's: it stays in the terminal.
            data = os.read(self._display.fd, READ_SIZE if self._late is None else 1)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        elif self._late is not None:
            self._take_late_answer(data)
        elif self.keyboard is not None and self.keyboard.typed(data):
            self.end_reason = "detached"
            self._give_back(((frames.DETACH, b""),), leaves=False)

    def _listen(self) -> None:
        if self._display is not None:
            reads = self._state == LIVE and self.keyboard is not None and not self.keyboard.stuck
            self._display.listen(self._on_typed if reads or self._late is not None else None)

    def _caught_up(self) -> None:
        if self._state == RETURNING:
            if self._late is None:
                self._finish_return()
        elif self._exit is not None:
            self._give_back(((frames.EXITED, self._exit),), leaves=False)

    def _jumped(self, count: int) -> None:
        if self.process is not None:
            self.process.answers.skipped(self, count)
            self.process.lead.redraw(self)

    def _lost_to_a_shell(self) -> bool:
        """Look whether the client was stopped; then the terminal is not ours any more."""
        self._look_at = self.loop.now() + LOOK_S
        if not self._is_stopped():
            return False
        self._give_back((), leaves=False)
        return True

    def _is_stopped(self) -> bool:
        entry = read_entry(self.pid)
        return entry is not None and entry.state == "T"

    # The way back

    def _give_back(self, last_words: Frames, leaves: bool) -> None:
        """Restore the terminal and tell the client, with `leaves` as the last thing it hears."""
        self._leaves = self._leaves or leaves
        if self._state == RETURNING:
            self._last_words = last_words or self._last_words
            if leaves:
                self._no_more_answers()
            return
        self._last_words = last_words
        if self._display is None:
            self._say_last_words()
            return
        kill_at("keeper.returning", self.pid)
        self._state = RETURNING
        assert self.process is not None
        if not leaves and self.process.answers.awaits(self) and not self._is_stopped():
            self._late = b""
            self.loop.after(LATE_S, self._no_more_answers)
        self._stop_typing()
        self._display.reset()
        if self.told_title:
            self._display.insert += TAKE_BACK
            self.told_title = b""
        self._listen()
        self._return_timer = self.loop.after(RETURN_S, self._finish_return)
        self._display.pump()

    def _take_late_answer(self, data: bytes) -> None:
        """Take what our own question brings in: the shell that gets this terminal would have it typed."""
        self._late = (self._late or b"") + data
        if is_last_answer(self._late):
            self._no_more_answers()

    def _no_more_answers(self) -> None:
        if self._late is not None:
            self._late = None
            self._listen()
            if self._state == RETURNING and self._display is not None and not self._display.writing:
                self._finish_return()

    def _finish_return(self) -> None:
        if self._state != RETURNING or self._display is None:
            return
        kill_at("keeper.reset", self.pid)
        if self.about.termios is not None:
            self._display.restore(self.about.termios, unless_changed=self._deaf or self._is_stopped())
        kill_at("keeper.restored", self.pid)
        offset = self._display.offset
        self._let_go()
        kill_at("keeper.closed", self.pid)
        self._say_last_words((frames.RETURNED, _OFFSET.pack(offset)))
        kill_at("keeper.returned", self.pid)

    def _say_last_words(self, *returned: tuple[int, bytes]) -> None:
        for kind, payload in (*self._last_words, *returned):
            self.send(kind, payload)
        self._last_words = ()
        if self._leaves:
            self.close_after_sending()
        elif self._started is not None:
            self.send(frames.STARTED, self._started)
        self._started = None

    def _hang_up(self) -> None:
        """The terminal is gone: close only, restore nothing."""
        self.end_reason = "hangup"
        self._let_go()
        self.close_after_sending()

    def _let_go(self) -> None:
        """Close the terminal as it is."""
        if self._return_timer is not None:
            self._return_timer.cancel()
            self._return_timer = None
        self._stop_typing()
        self._late = None
        self._state = AWAY
        if self._display is not None:
            self._display.close()
            self._display = None

    def _stop_typing(self) -> None:
        if self.process is not None:
            self.process.lead.went(self)  # first: a key that waited passes
        if self.keyboard is not None:
            self.keyboard.close()
            self.keyboard = None

    # Over an upgrade

    def carry(self) -> JsonObject:
        """Return all of it for the program after this one; the terminal stays where it is."""
        carried = super().carry() | {
            "state": self._state,
            "went_before": self._went_before,
            "exit": None if self._exit is None else _text(self._exit),
            "started": None if self._started is None else _text(self._started),
            "last_words": [[kind, _text(payload)] for kind, payload in self._last_words],
            "leaves": self._leaves,
            "lost": self._lost,
        }
        if self._display is not None:
            carried |= self._display.carry()
            carried["insert"] = _text(carried["insert"])
        if self.keyboard is not None:
            carried["keyboard"] = self.keyboard.carry()
        return carried

    def resume(self, carried: JsonObject) -> None:
        """Go on where the program before this one was."""
        self._went_before = carried["went_before"]
        self._exit = None if carried["exit"] is None else base64.b64decode(carried["exit"])
        self._started = None if carried["started"] is None else base64.b64decode(carried["started"])
        self._last_words = tuple((kind, base64.b64decode(payload)) for kind, payload in carried["last_words"])
        self._leaves = carried["leaves"]
        if "terminal" in carried:
            self._take(carried["terminal"])
        elif carried["lost"]:
            self._take(-1)
        if carried["state"] in {LIVE, RETURNING} and self._display is not None:
            self._display.begin(carried["offset"], carried.get("cleans_to", 0))
            self._display.insert = base64.b64decode(carried["insert"])
            self._state = carried["state"]
        super().resume(carried)
        if self._state == LIVE and self.process is not None:
            self._live()
            self.process.lead.goes_on(self)
            if self.keyboard is not None:
                self.keyboard.resume(carried["keyboard"])
            self._listen()
        elif self._state == RETURNING and self._display is not None:
            self._display.ends = True
            self._return_timer = self.loop.after(RETURN_S, self._finish_return)
        if self._display is not None and self._state != HELD:
            self.loop.soon(self._display.pump)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
