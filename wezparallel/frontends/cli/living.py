"""Lines that live: one per thing while it comes up, repainted in place; into a pipe one line per change."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wezparallel.frontends.cli.render import Screen

HIDE_CURSOR = "\x1b[?25l"
SHOW_CURSOR = "\x1b[?25h"


class Living:
    """A block of lines at the end of the screen."""

    def __init__(self, screen: Screen, *, quiet: bool = False) -> None:
        self._screen = screen
        self._quiet = quiet
        self._moves = screen.is_terminal and screen.colour and not quiet
        self._drawn: list[str] = []
        self._said: set[str] = set()

    def __enter__(self) -> Living:
        if self._moves:
            self._screen.out.write(HIDE_CURSOR)
        return self

    def __exit__(self, *_: object) -> None:
        if self._moves:
            self._screen.out.write(SHOW_CURSOR)
            self._screen.out.flush()

    def clear(self) -> None:
        """Take the block away again."""
        if self._drawn:
            self._screen.out.write(f"\x1b[{len(self._drawn)}A\r\x1b[J")
            self._drawn = []

    def draw(self, lines: Sequence[str]) -> None:
        """Show the block as it is now. It never shrinks; what scrolled away stays where it is."""
        if self._quiet:
            return
        if not self._moves:
            for line in lines:
                if line not in self._said:
                    self._said.add(line)
                    self._screen.say(line)
            self._screen.out.flush()
            return
        out = self._screen.out
        if self._drawn:
            out.write(f"\x1b[{len(self._drawn)}A")
        for line in lines:
            # A line that wraps would be two: the terminal cuts it, and wraps again behind it.
            out.write(f"\r\x1b[2K\x1b[?7l{line}\x1b[?7h\n")
        out.flush()
        self._drawn = list(lines)


class WholeScreen:
    """The terminal's other screen, painted anew each time; what stood there before comes back afterwards."""

    def __init__(self, screen: Screen) -> None:
        self._out = screen.out

    def __enter__(self) -> WholeScreen:
        self._out.write("\x1b[?1049h" + HIDE_CURSOR)
        return self

    def __exit__(self, *_: object) -> None:
        self._out.write(SHOW_CURSOR + "\x1b[?1049l")
        self._out.flush()

    def draw(self, lines: Sequence[str]) -> None:
        """Show these lines and nothing else; as one update, so that nothing flickers."""
        body = "\r\n".join(f"\x1b[2K{line}" for line in lines)
        self._out.write(f"\x1b[?2026h\x1b[H\x1b[?7l{body}\x1b[J\x1b[?7h\x1b[?2026l")
        self._out.flush()
