"""A window: a terminal whose other side is the emulator, with the attach client in it, and a person before it."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import termios
import time

from tests.pictures.emulator import Emulator
from tests.pictures.picture import Picture
from tests.support.daemon import Daemon
from tests.support.viewing import PATIENCE_S, HeldKeeper, Pane
from tests.support.waiting import until

QUIET_S = 0.12  # longer than the keeper's wiggle of the size, in which a program draws twice


class Window(Pane):
    """One terminal that can be looked at."""

    def __init__(self, rows: int = 24, columns: int = 80) -> None:
        self.screen = Emulator(rows, columns)
        super().__init__(rows, columns)

    def open(self, keeper: HeldKeeper | Daemon, process_id: str, leads: bool = False) -> None:
        """Attach as in WezTerm: no hint stands on the screen, and no key detaches.

        With `leads` the client learns of a resize, which takes a terminal that is its own.
        """
        socket = f"{keeper.runtime}/keeper.sock"
        self.attach(keeper, process_id, "--socket", socket, leads=leads, WEZTERM_PANE="1")

    def detach(self) -> None:
        """Have the client give the terminal back and end."""
        assert self.client is not None
        os.kill(self.client.pid, signal.SIGTERM)
        assert self.wait() == 0
        self.read()

    @property
    def picture(self) -> Picture:
        """What is seen now."""
        return self.screen.picture()

    def read(self, timeout_s: float = 0) -> bytes:
        """Show what comes, and answer what is asked."""
        data = super().read(timeout_s)
        self.shown = b""
        self.screen.feed(data)
        if self.screen.answers:
            self.type(bytes(self.screen.answers))
            self.screen.answers.clear()
        return data

    def resize(self, rows: int, columns: int) -> None:
        """Give the window another size; a cell has 10 by 20 pixels."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, columns * 10, rows * 20))
        if (rows, columns) != (self.screen.lines, self.screen.columns):
            self.screen.resize(rows, columns)

    def sees(self, text: str) -> None:
        """Wait until a text is on the screen and nothing moves any more."""
        try:
            self.read_until(lambda: text in self.picture.text, text)
        except AssertionError as error:
            raise AssertionError(f"{error}; seen is\n{self.picture.text}") from None
        self.settle()

    def settle(self, quiet_s: float = QUIET_S) -> Picture:
        """Read until nothing comes for a moment; return what is seen then."""
        deadline = time.monotonic() + PATIENCE_S
        while select.select([self.master], [], [], quiet_s)[0] and time.monotonic() < deadline:
            self.read()
        return self.picture

    def becomes(self, expected: Picture, titled: bool = True) -> None:
        """Wait until the picture is as expected, and see that it stays so.

        Not `titled`: of a program that sets no title the keeper tells what runs, when it has had time to look.
        """
        deadline = time.monotonic() + PATIENCE_S / 2
        while True:
            seen = self.settle()
            if not titled:
                seen, expected = seen.untitled(), expected.untitled()
            if seen == expected or time.monotonic() > deadline:
                break
        assert seen == expected, "\n".join([*expected.differences(seen), seen.text])

    # What a person does

    def click(self, column: int, row: int) -> None:
        """Press and release the first mouse button, as far as the program has asked to be told."""
        private = self.screen.private
        assert private & {1000, 1002, 1003}, "no mouse mode is on"
        assert private & {1006, 1016}, "reports would come in an old encoding"
        at = (column * 10 + 5, row * 20 + 10) if 1016 in private else (column + 1, row + 1)
        self.type(b"\x1b[<0;%d;%dM\x1b[<0;%d;%dm" % (*at, *at))

    def paste(self, text: bytes) -> None:
        """Paste, in brackets if the program has asked for them."""
        bracketed = 2004 in self.screen.private
        self.type(b"\x1b[200~" + text + b"\x1b[201~" if bracketed else text)

    def press_up(self) -> None:
        """Press the arrow key."""
        self.type(b"\x1bOA" if 1 in self.screen.private else b"\x1b[A")


def gone(pid: int) -> None:
    """Wait for a process's end."""
    until(lambda: not os.path.exists(f"/proc/{pid}"), PATIENCE_S, f"the end of {pid}")
