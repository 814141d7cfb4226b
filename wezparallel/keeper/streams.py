"""Viewers without a terminal: output as frames, for `logs -f`, probes, pipes and browsers. What they send is ignored.

Only a viewer that relays a terminal (relays.py) may type.

A gapless viewer misses nothing: one that falls behind what the log's cap keeps is told how much is lost, and ends.
Any other jumps to the end when it is too far behind, and is told so.
"""

from __future__ import annotations

import base64
from collections import deque
from struct import Struct

from wezparallel.keeper.cursor import PIECE, Cursor
from wezparallel.keeper.loop import TURN_BYTES
from wezparallel.keeper.viewer import Viewer
from wezparallel.wire import frames
from wezparallel.wire.hello import GAPLESS, ROLE_FRAMES
from wezparallel.wire.logformat import RESIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import JsonObject

MAX_BEHIND = 8 * 1024 * 1024  # bytes
MAX_EVENTS = 256  # exits and starts that wait for a viewer which does not read; older ones are in the log anyway
_DATA = Struct("!QB")
_COUNT = Struct("!Q")
_SIZE = Struct("!4H")


class StreamViewer(Viewer):
    """One reader of frames."""

    kind = ROLE_FRAMES
    _cursor: Cursor | None = None

    @property
    def cursor(self) -> Cursor:
        """Where the peer is in the log."""
        assert self._cursor is not None
        return self._cursor

    def begin(self, cursor: Cursor) -> None:
        """Begin to send from there."""
        self._set_out(cursor)

    def _set_out(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._gapless = bool(self.about.flags & GAPLESS)
        self._events: deque[tuple[int, int, bytes]] = deque(maxlen=MAX_EVENTS)
        """offset before which all output comes first, kind, payload"""
        self._marks_told = 0
        """how many marks that stand at the cursor were told"""

    def output(self, data: bytes = b"") -> None:
        """Send what is new, unless the peer has not taken the last."""
        if not self.unsent:
            self._pump()

    def exited(self, exit_: JsonObject) -> None:
        """Say so behind the run's last byte."""
        self._event(frames.EXITED, self.keeper.viewers.exit_payload(exit_))

    def started(self, payload: bytes) -> None:
        """Say so."""
        self._event(frames.STARTED, payload)

    def removed(self) -> None:
        """Say so; the log goes away, so this is the end."""
        self._pump()
        self.send(frames.REMOVED)
        self.close_after_sending()

    def sent_all(self) -> None:
        """Go on."""
        self._pump()

    def close(self) -> None:
        """Close the log, too."""
        if self._cursor is not None:
            self._cursor.close()
        super().close()

    def carry(self) -> JsonObject:
        """Return all of it for the program after this one."""
        events = [[offset, kind, base64.b64encode(payload).decode()] for offset, kind, payload in self._events]
        more = {"offset": self.cursor.offset, "events": events, "marks_told": self._marks_told}
        return super().carry() | more

    def resume(self, carried: JsonObject) -> None:
        """Go on where the program before this one was."""
        assert self.process is not None
        self._set_out(Cursor(self.process.log, carried["offset"]))
        self._events.extend((offset, kind, base64.b64decode(payload)) for offset, kind, payload in carried["events"])
        self._marks_told = carried["marks_told"]
        for _ in range(self._marks_told):
            self.cursor.mark()
        super().resume(carried)
        self.loop.soon(self.output)

    def _event(self, kind: int, payload: bytes) -> None:
        assert self.process is not None
        self._events.append((self.process.log.writer.end, kind, payload))
        self.output()

    def _pump(self) -> None:
        budget = TURN_BYTES
        while budget > 0 and not self.unsent and self.is_open:
            if not self._keep_up():
                break
            if self._tell_events():
                continue
            limit = min(PIECE, self._events[0][0] - self.cursor.offset) if self._events else PIECE
            data = self.cursor.piece(limit)
            if not data:
                if self.cursor.hole:
                    continue
                break
            self._send_piece(data)
            self._marks_told = 0
            budget -= len(data)
        self.wants_turn = budget <= 0
        self.watch()

    def _send_piece(self, data: bytes) -> None:
        """Send what stands at the cursor, and go on behind it."""
        self.send(frames.DATA, _DATA.pack(self.cursor.offset, self.cursor.stream) + data)
        self.cursor.advance(len(data))

    def _tell_events(self) -> bool:
        """Send one thing that stands at the cursor; return whether there was one."""
        mark = self.cursor.mark()
        if mark is not None:
            self._marks_told += 1
            kind, (high, low) = mark
            if kind == RESIZE:
                self.send(frames.RESIZE, _SIZE.pack(high, low, 0, 0))
            else:
                self.send(frames.LOST, _COUNT.pack(high))
            return True
        if self._events and self._events[0][0] <= self.cursor.offset:
            _, kind, payload = self._events.popleft()
            self.send(kind, payload)
            return True
        return False

    def _keep_up(self) -> bool:
        """Deal with a viewer that is too far behind; return whether it goes on."""
        expired = self.cursor.expired
        if self._gapless:
            if expired:
                self.send(frames.LOST, _COUNT.pack(expired))
                if self.cursor.hole:
                    self.cursor.jump(self.cursor.offset + expired)
                    return True
                self.close_after_sending()
            return not expired
        behind = self.cursor.behind
        if expired or behind > MAX_BEHIND:
            self._jump(behind)
            self._marks_told = 0
        return True

    def _jump(self, behind: int) -> None:
        """Skip what the peer cannot take in time."""
        self.cursor.jump(self.cursor.offset + behind)
        self.send(frames.NOTE, f"{behind} bytes of output were skipped; `wezparallel logs` has them".encode())
