"""One terminal, what it is like now, and who restores it.

Who restores the terminal is always settled before it is changed, and it is the keeper, because this program may be
killed. The keeper gets either the terminal itself (then it reads and writes it) or, for a relay and between two runs,
the right to restore it. It is restored here only when the connection ends without a `RETURNED`. viewer.py stands
above and says when; relay.py, link.py and terminal.py below.
"""

from __future__ import annotations

import os
import termios
from struct import Struct

from wezparallel.client import painting, terminal
from wezparallel.client.failpoints import fail_point
from wezparallel.wire import frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.client.link import Link
    from wezparallel.client.relay import Relay
    from wezparallel.wire.hello import Welcome

OFFSET = Struct("!Q")
HOLD = b"hold"  # of keeper/hold.py, which this program does not load

OURS = 0  # the terminal is as it was
KEPT = 1  # it is ours, changed, and the keeper would restore it
LIVE = 2  # it shows the program


class Screen:
    """The terminal of one viewer."""

    def __init__(self, attributes: terminal.Termios, link: Link, offset: int) -> None:
        self.attributes = attributes
        self.state = OURS
        self.offset = offset
        """Of the log: what this terminal shows next; -1 when nobody knows."""
        self.takes_keys = False
        """Kept, and without line editing."""
        self.relay: Relay | None = None
        """Set if what passes goes through this program."""
        self._link = link

    def connect(self, link: Link, wakeup: int) -> None:
        """Use a connection after its hello; relay if there is a descriptor that wakes who waits for the terminal."""
        self._link = link
        if wakeup >= 0 and self.relay is None:
            from wezparallel.client.relay import Relay  # noqa: PLC0415  few terminals need it, and each would pay

            self.relay = Relay(wakeup)

    @property
    def relays(self) -> bool:
        """Tell whether what is shown and typed passes through here now."""
        return self.relay is not None and self.state == LIVE

    @property
    def is_behind(self) -> bool:
        """Tell whether the terminal has not taken everything yet."""
        return self.relay is not None and not self.relay.idle

    def go_live(self, program_has_tty: bool, paint: Callable[[], None]) -> bool:
        """Let the program have the terminal, from our offset on; False when it cannot be handed over."""
        if self.relay is not None:
            self._keep()
        elif not self._hand_over():
            return False
        self.state = LIVE
        self.takes_keys = False
        fail_point("attach.descriptor")
        self.set(terminal.raw(self.attributes, program_has_tty))
        fail_point("attach.raw")
        paint()
        fail_point("attach.painted")
        # A relay that has looked all the time, between two runs, is not made to begin again by this.
        self._link.send(frames.GO, OFFSET.pack(self.offset))
        fail_point("attach.go")
        return True

    def keys_one_at_a_time(self) -> None:
        """Take keys without line editing, in a terminal that stays ours."""
        self._keep()
        fail_point("attach.kept")
        self.set(terminal.one_key_at_a_time(self.attributes))
        self.takes_keys = True
        fail_point("attach.keys")

    def ask_back(self) -> None:
        """Ask for the terminal as it was; `RETURNED` is the answer."""
        if self.relay is not None and self.state == LIVE:
            self.relay.leave()
        self._link.send(frames.DETACH)
        fail_point("attach.asked")

    def leave_program(self, *, over: bool) -> None:
        """Bring a relayed terminal out of the program's modes; if that is over, what is typed is ours."""
        if self.relay is not None and self.state == LIVE:
            self.relay.leave()
            self.offset = self.relay.offset
            self.state = KEPT if over else LIVE

    def returned(self, payload: bytes) -> None:
        """The keeper has restored the terminal."""
        if self.relay is not None:
            self.offset = self.relay.offset
        elif self.state == LIVE:
            (self.offset,) = OFFSET.unpack(payload)
        self.state = OURS
        self.takes_keys = False
        fail_point("attach.returned")

    def restore(self) -> None:
        """The keeper is gone without a word: put everything back as it was."""
        if self.state == LIVE:
            if self.relay is not None:
                self.relay.leave()
            else:
                terminal.write_all(painting.RESET)
            self.offset = -1
        if self.state != OURS:
            self.set(self.attributes)
            self.state = OURS
            self.takes_keys = False

    # What is shown

    def paint_past(self, welcome: Welcome) -> None:
        """Show the recent past of a program that runs, and be where it is."""
        painted, self.offset = painting.past(welcome)
        if self.relay is not None:
            # Frames come from the end on; half a sequence before it is passed as it is.
            painted += painting.raw(welcome, self.offset)
            self.offset = welcome.end
            self.relay.begin(welcome.modes, welcome.end)
        self._show(painted)

    def enter_modes(self, welcome: Welcome) -> None:
        """Bring a terminal that shows everything but the modes into these."""
        if self.relay is not None:
            self.relay.begin(welcome.modes, self.offset)
        self._show(welcome.modes)

    def enter_again(self) -> None:
        """Bring a relayed terminal into the program's modes again; any other the keeper does."""
        if self.relay is not None:
            self.relay.enter()
            self.offset = self.relay.offset

    def set(self, attributes: terminal.Termios) -> None:
        """Set the terminal's attributes; one that hung up is left alone."""
        try:
            termios.tcsetattr(terminal.STDIN, termios.TCSANOW, attributes)
        except termios.error:
            return  # the signal or the keeper tells of that

    def _show(self, data: bytes) -> None:
        if self.relay is not None:
            self.relay.paint(data)
        else:
            terminal.write_all(data)

    def _hand_over(self) -> bool:
        try:
            fd = terminal.open_anew()
        except OSError:
            return False
        self._link.send(frames.TERMINAL, fd=fd)
        os.close(fd)
        return True

    def _keep(self) -> None:
        if self.state == OURS:
            self._link.send(frames.TERMINAL, HOLD, terminal.STDIN)
            self.state = KEPT
