"""Terminals that could not be handed over: the client passes on what it shows and what is typed there, as frames.

Its DATA frames (the bare bytes) are keys, its RESIZE frames sizes; it leads as a terminal does, unless it is
read-only. It begins at the offset of its hello and is never asked for its terminal. DETACH from the client means
that it looks no more (it is about to be stopped): the answer is RETURNED with the offset that it has, and GO with an
offset goes on. The detach key is answered with DETACH and RETURNED. Exits and starts come in their place in the
output, as for every reader of frames; keys between two runs go nowhere.

What a terminal is shown besides the log (a note at a jump), and the past that it is shown cleaned, come as DATA too:
such a frame's offset is where the log goes on behind it, less its own length.
"""

from __future__ import annotations

from struct import Struct
from struct import error as struct_error

from wezparallel.keeper.display import skipped
from wezparallel.keeper.keyboard import Keyboard
from wezparallel.keeper.streams import StreamViewer
from wezparallel.wire import frames
from wezparallel.wire.logformat import TTY
from wezparallel.wire.replay import Cleaner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.cursor import Cursor
    from wezparallel.types import JsonObject

_CANCEL = b"\x18"  # CAN: ends a sequence that was cut in its middle
_DATA = Struct("!QB")
_OFFSET = Struct("!Q")


class RelayViewer(StreamViewer):
    """One client that relays its terminal."""

    types = True
    keyboard: Keyboard | None = None
    """Set while it looks."""
    _cleaner: Cleaner | None = None
    """Set while it is shown what it missed: what was asked in that was answered by us."""
    _cleans_to = 0

    def begin(self, cursor: Cursor) -> None:
        """Begin to send from there, and to take keys."""
        super().begin(cursor)
        self._look()
        assert self.process is not None
        self.process.lead.came(self)

    def frame(self, kind: int, payload: bytes) -> None:
        """Handle one frame of the client."""
        if kind == frames.DATA:
            if self.keyboard is not None and self.keyboard.typed(payload):
                self.end_reason = "detached"
                self.send(frames.DETACH)
                self.end_hold(restore=True)
                self.hold_ended()
        elif kind == frames.RESIZE:
            self.resized(payload)
        elif kind == frames.DETACH:
            self.hold_ended()
        elif kind == frames.GO and self.keyboard is None:
            self._go_on(payload)
        elif kind == frames.HANGUP:
            self.close()

    def hold_ended(self) -> None:
        """The client has its terminal for itself and looks no more."""
        if self._cleaner is not None:
            self.cursor.jump(self.cursor.offset - self._cleaner.held)
        self._look_away()
        self.send(frames.RETURNED, _OFFSET.pack(self.cursor.offset))

    def output(self, data: bytes = b"") -> None:
        """Send what is new, while the client looks."""
        if self.keyboard is not None:
            super().output(data)

    def sent_all(self) -> None:
        """Go on."""
        if self.keyboard is not None:
            super().sent_all()

    def close(self) -> None:
        """Leave the lead, too."""
        if self._deaf and self.keyboard is not None and self.is_open:
            # The client was killed, so that nobody else brings its terminal out of the program's modes.
            self.end_hold(restore=True, last_words=_CANCEL + self.cursor.modes().leave())
        self._look_away()
        super().close()

    def carry(self) -> JsonObject:
        """Return all of it for the program after this one."""
        carried = super().carry() | {"keyboard": None if self.keyboard is None else self.keyboard.carry()}
        if self._cleaner is not None:
            carried["offset"] -= self._cleaner.held
            carried["cleans_to"] = self._cleans_to
        return carried

    def resume(self, carried: JsonObject) -> None:
        """Go on where the program before this one was."""
        assert self.process is not None
        if carried["keyboard"] is not None:
            self._look()
            self.process.lead.goes_on(self)
        super().resume(carried)
        self._clean_to(carried.get("cleans_to", 0))
        if self.keyboard is not None:
            self.keyboard.resume(carried["keyboard"])

    def _look(self) -> None:
        assert self.process is not None
        self.keyboard = Keyboard(self.loop, self.process, self, self._keyboard_changed)

    def _look_away(self) -> None:
        if self.keyboard is None:
            return
        self.keyboard.close()
        self.keyboard = self._cleaner = None
        self.wants_turn = self.full = False
        if self.process is not None:
            self.process.lead.went(self)

    def _go_on(self, payload: bytes) -> None:
        assert self.process is not None
        log = self.process.log
        try:
            (offset,) = _OFFSET.unpack(payload)
        except struct_error:
            offset = log.writer.end
        self.cursor.jump(max(min(offset, log.writer.end), log.writer.start))
        if self.process.lead.is_away(self):
            self._clean_to(log.writer.end)
        self._look()
        self.process.lead.came(self)
        self.output()

    def _clean_to(self, offset: int) -> None:
        if self.cursor.offset < offset:
            self._cleans_to = offset
            self._cleaner = Cleaner()

    def _send_piece(self, data: bytes) -> None:
        cleaner = self._cleaner
        if cleaner is None:
            super()._send_piece(data)
            return
        data = data[: max(0, self._cleans_to - self.cursor.offset)]
        self.cursor.advance(len(data))
        self._show(cleaner.feed(data), cleaner.held)
        if self.cursor.offset >= self._cleans_to:
            self._cleaner = None
            if cleaner.held:
                self.cursor.jump(self.cursor.offset - cleaner.held)

    def _jump(self, behind: int) -> None:
        self._cleaner = None
        modes = self.cursor.modes()
        self.cursor.jump(self.cursor.offset + behind)
        assert self.process is not None
        self._show(skipped(behind, modes, self.process.log.modes))
        self.process.answers.skipped(self, behind)
        self.process.lead.redraw(self)

    def _show(self, data: bytes, held: int = 0) -> None:
        """Show what does not stand in the log like this; it goes on there `held` bytes before the cursor."""
        if data:
            self.send(frames.DATA, _DATA.pack(max(0, self.cursor.offset - held - len(data)), TTY) + data)

    def _keyboard_changed(self) -> None:
        self.full = self.keyboard is not None and self.keyboard.stuck
        self.watch()
