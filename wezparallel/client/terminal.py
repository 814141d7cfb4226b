"""What the attach client does to its own terminal. C modules only: attach.py says why.

Once the keeper holds the terminal, nothing here is called on it until the keeper has given it back.
"""

from __future__ import annotations

import posix
import termios
from fcntl import ioctl
from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Termios = list[Any]

STDIN = 0
STDOUT = 1
PATIENCE_S = 5  # with a terminal that takes nothing: nobody reads it, or its window is being dragged
SIZE_S = 0.7  # less than a process waits for its viewer
_SIZE = Struct("4H")
_out = -1


def environment(name: str) -> str:
    """Return a variable of the environment, or an empty string (`os` would cost a millisecond)."""
    return posix.environ.get(name.encode(), b"").decode("utf-8", "surrogateescape")


def in_multiplexer() -> bool:
    """Tell whether tmux, screen or zellij shows this terminal; in them WezTerm's variables may be those of before."""
    return any(map(environment, ("TMUX", "STY", "ZELLIJ")))


def inside_wezterm() -> bool:
    """Tell whether WezTerm itself shows this terminal, so that closing the pane is how one leaves.

    An editor or another terminal that was started from a pane has that pane's variables, and says who it is.
    """
    is_own = environment("TERM_PROGRAM") in ("", "WezTerm")
    return bool(environment("WEZTERM_PANE")) and is_own and not in_multiplexer()


def window_size() -> tuple[int, int, int, int]:
    """Return rows, columns, x and y pixels; 24 by 80 where the terminal does not say."""
    try:
        rows, columns, x, y = _SIZE.unpack(ioctl(STDIN, termios.TIOCGWINSZ, bytes(_SIZE.size)))
    except OSError:
        rows = columns = x = y = 0
    return rows or 24, columns or 80, x, y


def wait_for_size(rows: int, columns: int) -> None:
    """Wait until this terminal has the size that its pane is about to get, for a moment at most.

    A pane that is cut further is too large at first, and what is drawn for that size is not drawn again by everybody.
    """
    from select import select  # noqa: PLC0415  only where panes are made one by one
    from time import monotonic  # noqa: PLC0415

    until = monotonic() + SIZE_S
    while window_size()[:2] != (rows, columns) and monotonic() < until:
        select([], [], [], 0.005)  # WezTerm tells nobody that it is done


def packed_termios(attributes: Termios) -> tuple[int, int, int, int, int, int, bytes]:
    """Return what `termios.tcgetattr` gave, in the form of the hello."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, cc = attributes
    return iflag, oflag, cflag, lflag, ispeed, ospeed, bytes(x if isinstance(x, int) else x[0] for x in cc)


def raw(attributes: Termios, program_has_tty: bool) -> Termios:
    """Return these attributes made raw, with VEOF = VEOL = 0.

    WezTerm types a newline and the VEOF character into a pane that it closes, nothing if that is 0; the held program
    must not get them. A program on pipes prints bare newlines and expects them, so for it their translation stays,
    and the echo too.
    """
    iflag, oflag, cflag, lflag, ispeed, ospeed, cc = attributes
    iflag &= ~(
        termios.IGNBRK
        | termios.BRKINT
        | termios.PARMRK
        | termios.ISTRIP
        | termios.INLCR
        | termios.IGNCR
        | termios.IXON
    )
    lflag &= ~(termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    if program_has_tty:
        iflag &= ~termios.ICRNL
        oflag &= ~termios.OPOST
        lflag &= ~termios.ECHO
    cflag = (cflag & ~(termios.CSIZE | termios.PARENB)) | termios.CS8
    cc = list(cc)
    cc[termios.VMIN] = 1
    cc[termios.VTIME] = cc[termios.VEOF] = cc[termios.VEOL] = 0
    return [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]


def one_key_at_a_time(attributes: Termios) -> Termios:
    """Return these attributes without line editing and echo; signals from keys and output stay as they are."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, cc = attributes
    cc = list(cc)
    cc[termios.VMIN] = 1
    cc[termios.VTIME] = cc[termios.VEOF] = cc[termios.VEOL] = 0
    return [iflag, oflag, cflag, lflag & ~(termios.ICANON | termios.ECHO), ispeed, ospeed, cc]


def open_anew() -> int:
    """Return a new, non-blocking descriptor of this terminal.

    Anew, because O_NONBLOCK belongs to the open file: set on the one that the shell shares, it would be the shell's.
    Raises OSError where the terminal has no name here (another mount namespace) and is not the controlling one.
    """
    flags = posix.O_RDWR | posix.O_NOCTTY | posix.O_NONBLOCK | posix.O_CLOEXEC
    try:
        return posix.open(posix.ttyname(STDIN), flags)
    except OSError:
        return posix.open("/dev/tty", flags)


def can_be_opened() -> bool:
    """Tell whether `open_anew` works here, so that this terminal can be handed over."""
    try:
        posix.close(open_anew())
    except OSError:
        return False
    return True


def is_foreground() -> bool:
    """Tell whether this process may use its terminal now."""
    try:
        return posix.tcgetpgrp(STDIN) == posix.getpgrp()
    except OSError:
        return True  # not our controlling terminal: there is no job control to break


def read_key() -> bytes:
    """Return what keys sent, or nothing when the terminal is gone."""
    try:
        return posix.read(STDIN, 64)
    except OSError:
        return b""


def write_all(data: bytes, patience_s: float | None = PATIENCE_S) -> None:
    """Write to the terminal. One that is gone swallows it, as does one that has taken nothing for so long."""
    from select import POLLOUT, poll  # noqa: PLC0415  not needed before the hello

    fd = _output()
    room = poll()
    room.register(fd, POLLOUT)
    while data:
        try:
            data = data[posix.write(fd, data) :]
        except BlockingIOError:
            if not room.poll(None if patience_s is None else patience_s * 1000):
                return  # whoever should read it sleeps; nobody who ends this program shall wait for him
        except OSError:
            return


def _output() -> int:
    """Return a non-blocking descriptor of the terminal that is written to; the shared one where there is no other."""
    global _out  # noqa: PLW0603  one terminal a program
    if _out < 0:
        try:
            flags = posix.O_WRONLY | posix.O_NOCTTY | posix.O_NONBLOCK | posix.O_CLOEXEC
            _out = posix.open(posix.ttyname(STDOUT), flags)
        except OSError:
            _out = STDOUT
    return _out
