"""What every viewer is: a connection after its hello, and a process that it looks at.

viewers.py makes them; terminals.py (handed-over terminals) and streams.py (frames) say what they do with the output.
"""

from __future__ import annotations

import array
import base64
import os
import socket
from collections import deque
from struct import Struct
from struct import error as struct_error

from wezparallel.errors import WireError
from wezparallel.keeper import hold
from wezparallel.wire.frames import DETACH, GO, HANGUP, RETURNED, TERMINAL, pack
from wezparallel.wire.hello import READ_ONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.keeper import Keeper
    from wezparallel.keeper.processes import Process
    from wezparallel.types import JsonObject
    from wezparallel.wire.frames import FrameReader
    from wezparallel.wire.hello import Viewer as Introduction

_READ = 64 * 1024
_MAX_FDS = 4  # descriptors in one message; a terminal is one
_FDS_BYTES = socket.CMSG_SPACE(_MAX_FDS * array.array("i").itemsize)
_REASONS = {DETACH: "detached", HANGUP: "hangup"}
_SIZE = Struct("!4H")
_MAX_UNSENT = 1024 * 1024  # bytes; a peer that lets this much wait does not read at all


class Viewer:
    """One viewer's connection. Sending never blocks; descriptors that come are kept in their order."""

    kind = 0
    """The role in its hello."""
    types = False
    """Whether this kind of viewer has keys."""
    told_cwd = told_folder = told_title = b""
    """What whereabouts.py has told the client, and its terminal."""
    end_reason = "lost"
    """What the hub is told once it is gone (messages.py)."""
    hinted = False
    """The terminal shows below the program's cursor that it is suspended (suspend.py)."""

    def __init__(self, keeper: Keeper, sock: socket.socket, reader: FrameReader, about: Introduction) -> None:
        self.keeper = keeper
        self.loop = keeper.loop
        self.about = about
        self.writes = self.types and not about.flags & READ_ONLY
        """Whether what is typed here reaches the program, so that it may lead."""
        self.process: Process | None = None
        self.viewer_id = 0
        self.pid = 0
        self.fds: deque[int] = deque()
        self.wants_turn = False
        """There is more to send than one turn may bring; `sent_all` is called in the next."""
        self.full = False
        """What the peer sends should wait at the peer."""
        self._sock = sock
        self._reader = reader
        self._unsent = bytearray()
        self._closing = False
        self._deaf = False
        """The peer has gone; nothing more comes from there."""
        self._watched: tuple[bool, bool] | None = None
        self._hold: hold.Hold | None = None
        """The peer's own terminal, to be restored should the peer die."""
        sock.setblocking(False)

    # What a kind of viewer does

    def output(self, data: bytes = b"") -> None:
        """The process's log has grown; `data`, if given, are its last bytes."""

    def interpose(self, data: bytes) -> bool:
        """Show bytes of our own between the program's; False when that cannot be done now, or never here."""
        return False

    def exited(self, exit_: JsonObject) -> None:
        """The run has ended; its output is in the log."""

    def started(self, payload: bytes) -> None:
        """A new run has begun."""

    def removed(self) -> None:
        """The process is forgotten."""

    def ended_by_keeper(self) -> None:
        """The keeper ends or re-executes itself; everything must be done when this returns."""
        self.close()

    def frame(self, kind: int, payload: bytes) -> None:
        """The peer sent a frame."""

    def lost_peer(self) -> None:
        """The connection has ended."""
        self.close()

    def sent_all(self) -> None:
        """Everything that waited was taken by the peer."""

    def hold_ended(self) -> None:
        """The peer asked for the terminal that was kept for it, and has it."""
        self.send(RETURNED, bytes(8))

    # The connection

    @property
    def is_open(self) -> bool:
        """Tell whether the connection lives."""
        return self._sock.fileno() >= 0

    @property
    def unsent(self) -> int:
        """Bytes that the peer has not taken."""
        return len(self._unsent)

    def resized(self, payload: bytes) -> None:
        """Take in another size of the peer's screen."""
        try:
            self.about.size = _SIZE.unpack(payload)
        except struct_error:
            return
        if self.process is not None:
            self.process.lead.resized(self)

    def start(self, rest: list[tuple[int, bytes]]) -> None:
        """Handle what came together with the hello, and begin to listen."""
        self._handle(rest)
        self.watch()

    def send(self, kind: int, payload: bytes = b"") -> None:
        """Send a frame, or as much of it as the peer takes now."""
        if not self.is_open or self._closing:
            return
        self._unsent += pack(kind, payload)
        self._flush()
        if len(self._unsent) > _MAX_UNSENT:
            self.close()

    def close_after_sending(self) -> None:
        """Close when the peer has taken what waits."""
        self._closing = True
        if self._unsent:
            self.watch()
        else:
            self.close()

    def close(self) -> None:
        """Close now, once."""
        if not self.is_open:
            return
        self.end_hold(restore=True)
        self.loop.unwatch(self._sock.fileno())
        self._sock.close()
        self._drop_fds()
        self.keeper.viewers.forget(self)

    def end_hold(self, *, restore: bool, last_words: bytes = b"") -> None:
        """Let go of a terminal that is only kept for its client."""
        if self._hold is not None:
            self._hold.end(restore=restore, last_words=last_words)
            self._hold = None

    def _take_hold(self) -> None:
        fd = self.fds.popleft() if self.fds else -1
        self.end_hold(restore=False)
        # Lost on its way, it is restored by its client alone, who is answered all the same.
        self._hold = hold.Hold(fd, self.about.termios)

    def watch(self) -> None:
        """Wait for input, and for room while something waits or while the viewer wants another turn."""
        if not self.is_open:
            return
        reads = not (self._closing or self._deaf or self.full)
        wanted = (reads, bool(self._unsent) or self.wants_turn)
        if wanted != self._watched:
            self._watched = wanted
            self.loop.watch(
                self._sock.fileno(),
                self._on_readable if wanted[0] else None,
                self._on_writable if wanted[1] else None,
            )

    def carry(self) -> JsonObject:
        """Return all of it as JSON for the program after this one, descriptors as their numbers. Changes nothing."""
        assert self.process is not None
        return {
            "process_id": self.process.process_id,
            "viewer_id": self.viewer_id,
            "pid": self.pid,
            "socket": self._sock.fileno(),
            "fds": list(self.fds),
            "hold": -1 if self._hold is None else self._hold.fd,
            "about": base64.b64encode(self.about.pack()).decode(),
            "pending": base64.b64encode(self._reader.pending).decode(),
            "unsent": base64.b64encode(self._unsent).decode(),
            "closing": self._closing,
            "deaf": self._deaf,
            "told_title": self.told_title.hex(),
            "hinted": self.hinted,
            "end_reason": self.end_reason,
        }

    def resume(self, carried: JsonObject) -> None:
        """Go on with what the program before this one carried over."""
        self.fds.extend(carried["fds"])
        if carried["hold"] >= 0:
            self._hold = hold.Hold(carried["hold"], self.about.termios)
        self._reader.feed(base64.b64decode(carried["pending"]))
        self._unsent += base64.b64decode(carried["unsent"])
        self._closing = carried["closing"]
        self._deaf = carried["deaf"]
        self.told_title = bytes.fromhex(carried.get("told_title", ""))
        self.hinted = carried.get("hinted", False)
        self.end_reason = carried.get("end_reason", "lost")
        self.watch()

    def _drop_fds(self) -> None:
        while self.fds:
            os.close(self.fds.popleft())

    def _on_readable(self) -> None:
        try:
            # A plain recv would silently close what is sent beside the bytes; descriptors must never reach a child.
            data, extra, flags, _ = self._sock.recvmsg(_READ, _FDS_BYTES, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        except OSError:
            data, extra, flags = b"", [], 0
        for level, kind, raw in extra:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                numbers = array.array("i")
                numbers.frombytes(raw[: len(raw) - len(raw) % numbers.itemsize])
                self.fds.extend(numbers)
        if flags & socket.MSG_CTRUNC:
            # Some were lost (EMFILE), and nobody knows which: whoever asks for one finds none.
            self._drop_fds()
        if not data or len(self.fds) > _MAX_FDS:
            self._lose_peer()
            return
        try:
            self._handle(self._reader.feed(data))
        except WireError:
            self._lose_peer()

    def _lose_peer(self) -> None:
        self._deaf = True
        self.watch()
        self.lost_peer()

    def _handle(self, frames: list[tuple[int, bytes]]) -> None:
        for kind, payload in frames:
            if not self.is_open or self._closing:
                return
            if kind in _REASONS:
                self.end_reason = _REASONS[kind]
            elif kind in {TERMINAL, GO} and self.end_reason == "detached":
                self.end_reason = "lost"
            if kind == TERMINAL and payload == hold.WORD:
                self._take_hold()
            elif kind == DETACH and self._hold is not None:
                self.end_hold(restore=True)
                self.hold_ended()
            else:
                if kind in {TERMINAL, HANGUP}:
                    self.end_hold(restore=False)
                self.frame(kind, payload)

    def _on_writable(self) -> None:
        self._flush()
        if self.is_open and not self._unsent:
            if self._closing:
                self.close()
            else:
                self.sent_all()

    def _flush(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self._sock.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            # The peer is gone; the reading side learns it too, after what the peer said last.
            self._unsent.clear()
        self.watch()
