"""From a handed-over terminal's keys to the program: the detach key is swallowed, nothing waits without a bound."""

from __future__ import annotations

from wezparallel.keeper.detach_key import DetachKey
from wezparallel.wire import hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.keeper.loop import Loop, Timer
    from wezparallel.keeper.processes import Process

STUCK_S = 0.02  # until input is tried again on a program that does not read
DETACH_S = 1.0  # between the presses of the detach key; after that, the first one was meant for the program


class Keyboard:
    """What is typed at one terminal while it is live."""

    __slots__ = ("_changed", "_loop", "_process", "_read_only", "_timer", "_waiting", "detach_key")

    def __init__(self, loop: Loop, process: Process, about: hello.Viewer, changed: Callable[[], None]) -> None:
        """`changed` is called when `stuck` may have become another."""
        self.detach_key = DetachKey(_detach_key(about))
        self._loop = loop
        self._process = process
        self._read_only = bool(about.flags & hello.READ_ONLY)
        self._changed = changed
        self._waiting = b""
        self._timer: Timer | None = None

    @property
    def stuck(self) -> bool:
        """Tell whether the program does not read, so that nothing should be read from the terminal either."""
        return bool(self._waiting)

    def typed(self, data: bytes) -> bool:
        """Pass keys on; return whether the detach key was among them."""
        self._cancel()
        data, detached = self.detach_key.feed(data)
        self._pass(data)
        if self.detach_key.held and not detached and not self._waiting:
            self._timer = self._loop.after(DETACH_S, self._release)
        return detached

    def close(self) -> None:
        """Forget what waits."""
        self._cancel()
        self._waiting = b""

    def _pass(self, data: bytes) -> None:
        run = self._process.run
        if not data or self._read_only or run is None or run.input_fd < 0:
            return
        if not run.write(data):
            # The terminal's own buffer bounds what waits now.
            self._waiting = data
            self._timer = self._loop.after(STUCK_S, self._again)
            self._changed()

    def _again(self) -> None:
        data, self._waiting = self._waiting, b""
        self._timer = None
        self._pass(data)
        if not self._waiting:
            self._changed()

    def _release(self) -> None:
        self._timer = None
        self._pass(self.detach_key.release())

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _detach_key(about: hello.Viewer) -> bytes:
    if about.flags & hello.INSIDE_WEZTERM or len(about.strings) < 8:
        return b""
    try:
        return bytes.fromhex(about.strings[7])
    except ValueError:
        return b""
