"""A program calls for a person: bells and notifications in its output are told to the hub, and that somebody came.

Not while somebody is there: who typed a moment ago hears the bell of a completion, and means nothing by it. A
terminal that tells of its focus (mode 1004) says so itself. `wire/bells.py` knows the sequences.
"""

from __future__ import annotations

from wezparallel.keeper.messages import ANSWERED, CALLED
from wezparallel.wire.bells import Bells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.keeper.loop import Loop

THERE_S = 10.0  # after a key somebody is taken to be there still
CALL_EVERY_S = 1.0
_FOCUS_IN, _FOCUS_OUT = b"\x1b[I", b"\x1b[O"


class Calling:
    """What one process calls for."""

    __slots__ = ("_bells", "_called_at", "_loop", "_process_id", "_tell", "_typed_at", "unanswered")

    def __init__(self, loop: Loop, process_id: str, tell: Callable[..., object]) -> None:
        self._loop = loop
        self._process_id = process_id
        self._tell = tell
        self._bells = Bells()
        self._typed_at = self._called_at = float("-inf")
        self.unanswered = True
        """The hub may know of a call; it does in the beginning, because the keeper before this one may have told."""

    @property
    def is_open(self) -> bool:
        """Whether the next output belongs to a call that has not come whole."""
        return self._bells.is_open

    def heard(self, data: bytes) -> None:
        """Look for calls in output that may have some."""
        calls = self._bells.feed(data)
        if not calls:
            return
        now = self._loop.now()
        title, text = max(calls, key=lambda call: call != ("", ""))  # the first with words, else a bell
        words = bool(title or text)
        if now < self._typed_at + THERE_S or (not words and now < self._called_at + CALL_EVERY_S):
            return
        self._called_at = now
        self.unanswered = True
        self._tell(CALLED, process_id=self._process_id, title=title[:100], text=text[:400])

    def typed(self, data: bytes) -> None:
        """Somebody is at one of its terminals."""
        if data == _FOCUS_OUT:
            self._typed_at = float("-inf")
            return
        self._typed_at = self._loop.now()
        if self.unanswered:
            self.unanswered = False
            self._tell(ANSWERED, process_id=self._process_id)
