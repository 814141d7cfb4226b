"""A terminal that cannot be handed over: this program passes on what is typed there and shows what the keeper sends.

Where a terminal has no name that could be opened (another mount namespace, another user's), only the descriptors that
a shell gave us reach it. They are shared with that shell, so they stay blocking, and a thread does the writing: a
terminal that takes nothing holds up that thread, and through `full` the keeper's output, but no signal and no key.
viewer.py stands above; it knows when the terminal is whose.
"""

from __future__ import annotations

import _thread
import os
from struct import Struct

from wezparallel.client import terminal
from wezparallel.wire import frames
from wezparallel.wire.terminal import Modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.client.link import Link

MOST_WAITING = 256 * 1024  # bytes that wait for the terminal before nothing more is taken from the keeper
LEAVE_S = 0.5  # a terminal that takes no resets for so long goes without them
_DATA = Struct("!QB")


class Relay:
    """One terminal whose bytes pass through here."""

    def __init__(self, wakeup: int) -> None:
        """A byte is written to `wakeup` when the terminal has taken everything."""
        self._writer = _Writer(wakeup)
        self._modes = Modes()
        self.offset = 0
        """Of the log: what comes next."""

    @property
    def full(self) -> bool:
        """Tell whether the keeper has to wait for the terminal."""
        return self._writer.waiting >= MOST_WAITING

    @property
    def idle(self) -> bool:
        """Tell whether the terminal has taken everything."""
        return not self._writer.waiting

    def begin(self, modes: bytes, offset: int) -> None:
        """The terminal is in its reset state, and will be shown `modes`; frames come from `offset` on."""
        self.offset = offset
        self._modes = Modes()
        self._modes.feed(modes)

    def paint(self, data: bytes) -> None:
        """Show something of our own."""
        self._writer.put(data)

    def data(self, payload: bytes) -> None:
        """Show what a DATA frame brought."""
        offset, _ = _DATA.unpack_from(payload)
        data = payload[_DATA.size :]
        self.offset = offset + len(data)
        self._modes.feed(data)
        self._writer.put(data)

    def typed(self, link: Link) -> bool:
        """Pass on what was typed; False when the terminal is gone."""
        try:
            data = os.read(terminal.STDIN, 4096)
        except OSError:
            return False
        if data:
            link.offer(frames.DATA, data)
        return bool(data)

    def enter(self) -> None:
        """Bring the terminal back into the program's modes, after `leave`."""
        self._writer.put(self._modes.enter())

    def leave(self) -> None:
        """Bring the terminal out of the program's modes, if it takes that in time."""
        cancel = b"" if self._modes.at_ground else b"\x18"
        self._writer.put(cancel + self._modes.leave())
        self._writer.wait(LEAVE_S)


class _Writer:
    """Writes to the terminal in a thread."""

    def __init__(self, wakeup: int) -> None:
        self._wakeup = wakeup
        self._guard = _thread.allocate_lock()
        self._work = _thread.allocate_lock()
        """Free while there is something to write."""
        self._idle = _thread.allocate_lock()
        """Free while there is nothing."""
        self._work.acquire()
        self._pending = bytearray()
        self.waiting = 0
        """Bytes that the terminal has not taken."""
        self._busy = False
        self._runs = False

    def put(self, data: bytes) -> None:
        """Have this written after everything else."""
        if not data:
            return
        if not self._runs:
            self._runs = True
            _thread.start_new_thread(self._run, ())
        with self._guard:
            if not self._busy:
                self._busy = True
                self._idle.acquire()
                self._work.release()
            self._pending += data
            self.waiting += len(data)

    def wait(self, timeout_s: float) -> bool:
        """Wait until all of it is written, so long at most; return whether it is."""
        done = self._idle.acquire(timeout=timeout_s)
        if done:
            self._idle.release()
        return done

    def _run(self) -> None:
        while True:
            self._work.acquire()
            while True:
                with self._guard:
                    data = bytes(self._pending)
                    self._pending.clear()
                    if not data:
                        self._busy = False
                        self._idle.release()
                        break
                terminal.write_all(data, patience_s=None)
                with self._guard:
                    self.waiting -= len(data)
            self._wake()

    def _wake(self) -> None:
        try:
            os.write(self._wakeup, b"\0")
        except OSError:
            return  # it is full, so somebody wakes already; or this program ends
