"""A terminal that stays its client's and is only to be restored should the client die.

The client reads its keys itself (between two runs) or relays them (where the terminal cannot be opened anew). What it
sent is the very file that its shell uses, so nothing here reads, writes or changes flags of it. Above it: viewer.py.
"""

from __future__ import annotations

import os
import termios

TYPE_CHECKING = False
if TYPE_CHECKING:
    Attributes = tuple[int, int, int, int, int, int, bytes]

WORD = b"hold"  # the payload of a TERMINAL frame that asks for no more than this


class Hold:
    """One terminal, and what it was like before its client changed it."""

    __slots__ = ("_attributes", "_fd")

    def __init__(self, fd: int, attributes: Attributes | None) -> None:
        """Keep `fd`, which is ours to close."""
        self._fd = fd
        self._attributes = attributes

    @property
    def fd(self) -> int:
        """The terminal; -1 once it was let go (an upgrade carries it)."""
        return self._fd

    def end(self, *, restore: bool, last_words: bytes = b"") -> None:
        """Let go of it; a terminal that hung up is not restored, as whoever closes it may be typing into it.

        `last_words` are shown there first, if it takes them at once.
        """
        if self._fd < 0:
            return
        if last_words:
            _say(self._fd, last_words)
        if restore and self._attributes is not None:
            restore_terminal(self._fd, self._attributes)
        os.close(self._fd)
        self._fd = -1


def _say(shared: int, data: bytes) -> None:
    """Write to a terminal that is shared with a shell: by a file of our own, which alone does not block."""
    try:
        fd = os.open(f"/proc/self/fd/{shared}", os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return  # another user's
    try:
        os.write(fd, data)
    except OSError:
        return  # it takes nothing now, or is gone
    finally:
        os.close(fd)


def restore_terminal(fd: int, attributes: Attributes) -> None:
    """Set a terminal's attributes; one that is gone, or none at all, is left alone."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, characters = attributes
    values: list[int | list[bytes | int]] = [iflag, oflag, cflag, lflag, ispeed, ospeed, list(characters)]
    try:
        # Not TCSADRAIN: it would wait for the terminal, and with it everything that the keeper holds.
        termios.tcsetattr(fd, termios.TCSANOW, values)
    except termios.error:
        return
