"""Handed-over terminals: the keeper itself reads and writes what a client's pane shows.

The client sends its terminal and waits. From then on the keeper alone may restore it, and does on every way out but
one: a terminal that hung up is only closed, because whoever closes it may be typing into it. Giving back is a state
of its own (the resets may have to wait for a terminal that takes nothing), bounded in time.
"""

from __future__ import annotations

import os
from struct import Struct
from struct import error as struct_error

from wezparallel.keeper.cursor import PIECE, Cursor
from wezparallel.keeper.hold import restore_terminal
from wezparallel.keeper.keyboard import Keyboard
from wezparallel.keeper.loop import READ_SIZE, TURN_BYTES
from wezparallel.keeper.viewer import Viewer
from wezparallel.wire import frames, hello
from wezparallel.wire.terminal import Modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.loop import Timer
    from wezparallel.types import JsonObject

MAX_BEHIND = 8 * 1024 * 1024  # bytes; a terminal further behind jumps to the end
MODES_FROM = 256 * 1024  # bytes before a lagging terminal's position that tell its modes
RESIZE_S = 0.05  # a dragged window gives many sizes; also the pause in which a program sees the wiggle
RETURN_S = 0.5  # a terminal that takes no resets for so long is restored without them

_OFFSET = Struct("!Q")
_SIZE = Struct("!4H")
_CANCEL = b"\x18"  # CAN: ends a sequence that was cut in its middle

AWAY = 0  # the client has its terminal
HELD = 1  # we have it, the client paints
LIVE = 2  # output and keys pass
RETURNING = 3  # the resets are on their way

Frames = tuple[tuple[int, bytes], ...]


class TerminalViewer(Viewer):
    """One terminal, over all runs of its process."""

    _state = AWAY
    _fd = -1
    _cursor: Cursor | None = None
    _piece: memoryview = memoryview(b"")
    _insert = b""
    """Bytes of our own that go to the terminal before the log goes on."""
    _writing = False
    """The terminal took no more; the loop calls when it does."""
    _watched_for: tuple[bool, bool] = (False, False)
    _went_before = False
    _exit: bytes | None = None
    """The payload of EXITED, to be told when the terminal has shown everything."""
    _started: bytes | None = None
    """The payload of STARTED, to be told when the terminal is back at its client."""
    _last_words: Frames = ()
    _leaves = False
    _resize_timer: Timer | None = None
    _return_timer: Timer | None = None
    _keyboard: Keyboard | None = None

    @property
    def read_only(self) -> bool:
        """Tell whether nothing that is typed here reaches the program."""
        return bool(self.about.flags & hello.READ_ONLY)

    # What the keeper tells

    def output(self, data: bytes = b"") -> None:
        """Show what is new; `data` are the last bytes of it."""
        if self._state != LIVE or self._writing or (data and self._echo(data)):
            return
        self._pump()

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

    def taken_over(self) -> None:
        """Send the terminal home: a newer one has come."""
        note = f"another terminal has taken over {self.process.process_id if self.process else ''}".encode()
        self._give_back(((frames.NOTE, note), (frames.DETACH, b"")), leaves=True)

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
            self._resize(payload)
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
        if self._state != AWAY or fd < 0 or not os.isatty(fd):
            # Lost on its way, or nothing that could be restored: at the connection's end the client restores itself.
            if fd >= 0:
                os.close(fd)
            self.lost_peer()
            return
        os.set_blocking(fd, False)
        self._fd = fd
        self._state = HELD
        if not self.read_only:
            self.keeper.viewers.take_over(self)

    def _go(self, payload: bytes) -> None:
        assert self.process is not None
        process = self.process
        log = process.log
        try:
            (offset,) = _OFFSET.unpack(payload)
        except struct_error:
            offset = log.writer.end
        self._cursor = Cursor(log, max(min(offset, log.writer.end), log.writer.start))
        self._piece = memoryview(b"")
        self._insert = log.modes.enter() if self._went_before else b""
        self._went_before = True
        self._keyboard = Keyboard(self.loop, process, self.about, self._watch_terminal)
        self._state = LIVE
        self._exit = None
        if process.run is None and process.last_exit is not None:
            self._exit = self.keeper.viewers.exit_payload(process.last_exit)
        self._set_size(redraw=True)
        self._watch_terminal()
        self._pump()

    # Sizes

    def _resize(self, payload: bytes) -> None:
        try:
            self.about.size = _SIZE.unpack(payload)
        except struct_error:
            return
        if self._state == LIVE and self._resize_timer is None:
            self._resize_timer = self.loop.after(RESIZE_S, self._set_size)

    def _set_size(self, redraw: bool = False) -> None:
        """Give the program this terminal's size; with `redraw`, make one on the alternate screen draw again."""
        self._resize_timer = None
        process = self.process
        if process is None or self._state != LIVE or self.read_only:
            return
        run, size = process.run, self.about.size
        changed = process.size != size
        process.size = size
        if run is None or not run.tty:
            return
        if changed:
            process.log.resized(size)
        elif redraw and process.log.modes.alternate:
            # The kernel tells no program of a size that it has already (supervisors.md 6.17).
            rows, columns, x, y = size
            run.resize(rows - 1 if rows > 1 else 2, columns, x, y)
            self._resize_timer = self.loop.after(RESIZE_S, self._set_size)
            return
        run.resize(*size)

    # Keys

    def _on_typed(self) -> None:
        try:
            data = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        elif self._keyboard is not None and self._keyboard.typed(data):
            self._give_back(((frames.DETACH, b""),), leaves=False)

    # Output

    def _pump(self) -> None:
        """Write to the terminal what it takes, within this turn's bound."""
        budget = TURN_BYTES
        took_all = True
        while budget > 0 and took_all:
            data = self._next()
            if not data:
                break
            try:
                written = os.write(self._fd, data)
            except BlockingIOError:
                written = 0
            except OSError:
                self._hang_up()
                return
            took_all = written == len(data)
            budget -= written
            self._wrote(written)
        self._writing = not took_all or budget <= 0
        self._watch_terminal()
        if not self._writing:
            self._caught_up()

    def _echo(self, data: bytes) -> bool:
        """Write output that is all this terminal lacks, without reading it back; return whether that was done."""
        cursor = self._cursor
        if cursor is None or self._insert or self._piece or cursor.behind != len(data):
            return False
        try:
            written = os.write(self._fd, data)
        except OSError:
            return False  # the long way finds out what it is
        cursor.advance(written)
        return written == len(data)

    def _next(self) -> bytes | memoryview:
        if self._insert or self._state != LIVE or self._cursor is None:
            return self._insert
        if not self._piece:
            if not self._cursor.behind:
                return b""
            too_far = self._cursor.behind > MAX_BEHIND and not self.about.flags & hello.GAPLESS
            if too_far or self._cursor.expired:
                self._jump()
                return self._insert
            self._piece = memoryview(self._cursor.read(PIECE))
        return self._piece

    def _wrote(self, count: int) -> None:
        if self._insert:
            self._insert = self._insert[count:]
        elif self._cursor is not None:
            self._cursor.advance(count)
            self._piece = self._piece[count:]

    def _jump(self) -> None:
        """Skip what this terminal cannot take in time."""
        assert self._cursor is not None
        assert self.process is not None
        behind = self._cursor.behind
        modes = self._modes_shown()
        self._cursor.jump(self._cursor.offset + behind)
        note = f"\r\n\x1b[2m[{behind} bytes skipped; they are in the log]\x1b[0m\r\n"
        self._insert = _CANCEL + modes.leave() + note.encode() + self.process.log.modes.enter()
        self._set_size(redraw=True)

    def _caught_up(self) -> None:
        if self._state == RETURNING:
            self._finish_return()
        elif self._exit is not None:
            self._give_back(((frames.EXITED, self._exit),), leaves=False)

    def _modes_shown(self) -> Modes:
        """Return the modes that the terminal is in: the log's, unless it lags behind."""
        assert self.process is not None
        if self._cursor is None or not self._cursor.behind:
            return self.process.log.modes
        modes = Modes()
        modes.feed(self._cursor.recent(MODES_FROM))
        return modes

    # The way back

    def _give_back(self, last_words: Frames, leaves: bool) -> None:
        """Restore the terminal and tell the client, with `leaves` as the last thing it hears."""
        self._leaves = self._leaves or leaves
        if self._state == RETURNING:
            self._last_words = last_words or self._last_words
            return
        self._last_words = last_words
        if self._state == AWAY:
            self._say_last_words()
            return
        self._insert = (_CANCEL if self._piece else b"") + self._modes_shown().leave()
        self._piece = memoryview(b"")
        self._state = RETURNING
        self._return_timer = self.loop.after(RETURN_S, self._finish_return)
        self._pump()

    def _finish_return(self) -> None:
        if self._state != RETURNING:
            return
        if self.about.termios is not None:
            restore_terminal(self._fd, self.about.termios)
        offset = self._cursor.offset if self._cursor is not None else 0
        self._let_go()
        self._say_last_words((frames.RETURNED, _OFFSET.pack(offset)))

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
        self._let_go()
        self.close_after_sending()

    def _let_go(self) -> None:
        """Close the terminal as it is."""
        for timer in (self._resize_timer, self._return_timer):
            if timer is not None:
                timer.cancel()
        self._resize_timer = self._return_timer = None
        if self._keyboard is not None:
            self._keyboard.close()
            self._keyboard = None
        self._state = AWAY
        self._writing = False
        self._insert = b""
        self._piece = memoryview(b"")
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None
        if self._fd >= 0:
            self.loop.unwatch(self._fd)
            os.close(self._fd)
            self._fd = -1
        self._watched_for = (False, False)

    def _watch_terminal(self) -> None:
        if self._fd < 0:
            return
        reads = self._state == LIVE and self._keyboard is not None and not self._keyboard.stuck
        wanted = (reads, self._writing)
        if wanted != self._watched_for:
            self._watched_for = wanted
            self.loop.watch(self._fd, self._on_typed if wanted[0] else None, self._pump if wanted[1] else None)
