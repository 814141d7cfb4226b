"""One end of a private link: frames in and out of a socket, with descriptors beside them. Used for hub and control.

A frame's handler says whether it did something heavy (a spawn); the next frame then waits for the next turn, so that
a hub which starts a hundred processes does not keep their output waiting. The order of frames is always kept.
"""

from __future__ import annotations

import errno
import os
import socket
from collections import deque
from contextlib import suppress

from wezparallel.errors import WireError
from wezparallel.wire.frames import FrameReader, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wezparallel.keeper.loop import Loop

_READ = 256 * 1024
_MAX_WAITING = 64 * 1024 * 1024  # bytes for a peer that does not read; then it is cut off, and adopts again
_LAST_READS = 64  # more than a socket holds
_RETRY_S = 0.01  # the kernel bounds descriptors on their way; there is no event for when it takes more


class Connection:
    """Reads frames and hands them up; sends frames without ever blocking."""

    def __init__(self, loop: Loop, sock: socket.socket, urgent: bool = False) -> None:
        self.sock = sock
        self.loop = loop
        self.on_frame: Callable[[int, bytes], bool] = lambda _kind, _payload: False
        """Returns True when nothing else should be done for this peer in this turn."""
        self.on_close: Callable[[], object] = lambda: None
        self._urgent = urgent
        self._reader = FrameReader()
        self._inbox: deque[tuple[int, bytes]] = deque()
        self._out: deque[tuple[bytes, list[int]]] = deque()
        self._waiting = 0
        self._going_on = False
        self._closing = False
        self._retrying = False
        self._mute = False
        """The peer takes nothing more; what it said before is still to be read."""

    @property
    def is_open(self) -> bool:
        """Tell whether frames can still be sent."""
        return self.sock.fileno() >= 0

    @property
    def unsent(self) -> int:
        """Bytes that the peer has not taken yet."""
        return self._waiting

    def start(self, carried: bytes = b"", unsent: Sequence[tuple[bytes, list[int]]] = ()) -> None:
        """Begin to read, after the bytes that an earlier program had read, and to send what it had not sent."""
        self.sock.setblocking(False)
        self._out.extend(unsent)
        self._waiting = sum(len(data) for data, _ in unsent)
        self._watch()
        if carried:
            self._take(carried)

    def carried(self) -> bytes:
        """Return what was received and not handled yet, as bytes."""
        return b"".join(pack(kind, payload) for kind, payload in self._inbox) + self._reader.pending

    def waiting(self) -> list[tuple[bytes, list[int]]]:
        """Return what waits to be sent, with the duplicates that belong to it; nothing changes."""
        return list(self._out)

    def send(self, kind: int, payload: bytes = b"", fds: Sequence[int] = ()) -> None:
        """Send a frame; what the peer does not take at once waits, with duplicates of its descriptors."""
        if not self.is_open or self._mute:
            return
        data = pack(kind, payload)
        if not self._out:
            sent = self._send(data, fds)
            if sent == len(data):
                return
            if sent > 0:
                data, fds = data[sent:], ()
            if self._mute:
                return
        try:
            self._out.append((data, [os.dup(fd) for fd in fds]))
        except OSError:
            self.close()  # no descriptor is free: the peer comes back and is told everything again
            return
        self._waiting += len(data)
        if self._waiting > _MAX_WAITING:
            self.close()
            return
        self._watch()

    def close_after_sending(self) -> None:
        """Close once everything was sent; read nothing more."""
        self._closing = True
        if not self._out:
            self.close()
        else:
            self._watch()

    def close(self) -> None:
        """Close now and tell the owner, once."""
        if not self.is_open:
            return
        self.let_go()
        self.sock.close()
        self.on_close()

    def finish(self) -> None:
        """Do what the peer asked for before it ended, without an answer, and close."""
        self._mute = True
        with suppress(OSError, WireError):
            for _ in range(_LAST_READS):
                data = self.sock.recv(_READ)
                if not data:
                    break
                self._inbox.extend(self._reader.feed(data))
        while self._inbox and self.is_open:
            self.on_frame(*self._inbox.popleft())
        self.close()

    def let_go(self) -> None:
        """Stop reading and sending without closing the socket."""
        self.loop.unwatch(self.sock.fileno())
        self._inbox.clear()
        self._drop_unsent()

    def _drop_unsent(self) -> None:
        for _, fds in self._out:
            for fd in fds:
                os.close(fd)
        self._out.clear()
        self._waiting = 0

    def _watch(self) -> None:
        reading = None if self._closing or self._inbox else self._on_readable
        writing = self._on_writable if self._out and not self._retrying else None
        self.loop.watch(self.sock.fileno(), reading, writing, self._urgent)

    def _on_readable(self) -> None:
        try:
            data = self.sock.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._take(data)
        else:
            self.close()

    def _take(self, data: bytes) -> None:
        try:
            self._inbox.extend(self._reader.feed(data))
        except WireError:
            self.close()
            return
        self._handle()

    def _handle(self) -> None:
        while self._inbox and self.is_open:
            kind, payload = self._inbox.popleft()
            if self.on_frame(kind, payload):
                break
        if not self.is_open:
            return
        if self._inbox and not self._going_on:
            self._going_on = True
            self.loop.soon(self._go_on)
        self._watch()

    def _go_on(self) -> None:
        self._going_on = False
        if self.is_open:
            self._handle()

    def _on_writable(self) -> None:
        while self._out:
            data, fds = self._out[0]
            sent = self._send(data, fds)
            if sent <= 0:
                break
            for fd in fds:
                os.close(fd)
            self._waiting -= sent
            if sent < len(data):
                self._out[0] = (data[sent:], [])
                break
            self._out.popleft()
        if not self.is_open:
            return
        if self._closing and not self._out:
            self.close()
        else:
            self._watch()

    def _send(self, data: bytes, fds: Sequence[int]) -> int:
        """Send what the kernel takes; return how much, 0 when it must be tried again."""
        try:
            if fds:
                return socket.send_fds(self.sock, [data], list(fds))
            return self.sock.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno == errno.ETOOMANYREFS:
                self._retrying = True
                self.loop.after(_RETRY_S, self._retry)
                return 0
            self._mute = True  # reading goes on to the end: what a dying peer asked for is done
            self._drop_unsent()
            return -1

    def _retry(self) -> None:
        self._retrying = False
        if self.is_open:
            self._on_writable()
