"""The attach client's connection to the keeper. C modules and `wire/` only: attach.py says why.

Above it, attach.py says hello over it and viewer.py talks over it; frames.py is the same for whoever has `socket`
loaded anyway.
"""

from __future__ import annotations

import posix
from _socket import AF_UNIX, MSG_DONTWAIT, SCM_RIGHTS, SO_PEERCRED, SOCK_STREAM, SOL_SOCKET
from _socket import socket as c_socket
from struct import Struct
from time import monotonic

from wezparallel.errors import LinkError, RequestError, WezparallelError
from wezparallel.wire import frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

RECONNECT_S = 2.0  # a new keeper is up long before that

_CREDENTIALS = Struct("3i")
_FD = Struct("i")


class Link:
    """The connection to the keeper: frames both ways, descriptors one way."""

    def __init__(self, path: str) -> None:
        """Connect. Raises LinkError when nobody listens, or somebody who is not us."""
        self._socket = c_socket(AF_UNIX, SOCK_STREAM)
        self._reader = frames.FrameReader()
        self._inbox: list[tuple[int, bytes]] = []
        self._unsent = bytearray()
        try:
            self._socket.connect(path)
            _, uid, _ = _CREDENTIALS.unpack(self._socket.getsockopt(SOL_SOCKET, SO_PEERCRED, _CREDENTIALS.size))
        except OSError as error:
            self._socket.close()
            raise LinkError(
                f"no keeper answers at {path} ({error.strerror}); `wezparallel daemon start` starts one"
            ) from None
        if uid not in {posix.getuid(), 0}:
            self._socket.close()
            raise LinkError(f"{path} belongs to another user; nothing was sent there", code="caller.other_user")

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def send(self, kind: int, payload: bytes = b"", fd: int = -1) -> None:
        """Send one frame, with a descriptor beside it if given. A connection that has ended swallows it."""
        data = frames.pack(kind, payload)
        if self._unsent and fd < 0:
            # The keeper does not read just now: whoever waits for it is not the one that sends.
            self._unsent += data
            self.flush()
            return
        try:
            if fd < 0:
                self._socket.sendall(data)
            else:
                self._socket.sendmsg([data], [(SOL_SOCKET, SCM_RIGHTS, _FD.pack(fd))])
        except OSError:
            return  # the end shows at the next `receive`, together with what was said before it

    def offer(self, kind: int, payload: bytes) -> None:
        """Send one frame, or as much of it as the keeper takes now; `flush` sends the rest."""
        self._unsent += frames.pack(kind, payload)
        self.flush()

    @property
    def unsent(self) -> int:
        """Bytes that wait for the keeper."""
        return len(self._unsent)

    def flush(self) -> None:
        """Send what waits, as far as the keeper takes it."""
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent, MSG_DONTWAIT)]
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()

    def receive(self) -> bool:
        """Wait for bytes; False when the connection has ended. Raises WireError on junk."""
        try:
            data = self._socket.recv(65536)
        except OSError:
            return False
        self._inbox += self._reader.feed(data)
        return bool(data)

    def take(self) -> tuple[int, bytes] | None:
        """Return the next frame that has arrived whole."""
        return self._inbox.pop(0) if self._inbox else None

    def peek(self) -> tuple[int, bytes] | None:
        """Return the next frame that has arrived whole, and leave it."""
        return self._inbox[0] if self._inbox else None

    def wait_for(self, kind: int) -> bytes:
        """Wait for a frame of that kind. Raises RequestError when refused, LinkError at the end."""
        while True:
            frame = self.take()
            if frame is None:
                if not self.receive():
                    raise LinkError("the keeper closed the connection; `wezparallel doctor` looks for the reason")
            elif frame[0] == kind:
                return frame[1]
            elif frame[0] == frames.REFUSED:
                raise refusal(frame[1])

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


def again(connect: Callable[[], T], wakeup: int) -> T:
    """Connect, in the moment that a keeper needs to come back. Raises the last of what `connect` raised."""
    from select import select  # noqa: PLC0415

    until = monotonic() + RECONNECT_S
    watched = [wakeup]
    while True:
        try:
            return connect()
        except WezparallelError:
            if monotonic() > until:
                raise
            if select(watched, [], [], 0.05)[0]:
                watched = []  # a signal, to be handled afterwards: what tells of it stays, and would wake us for ever


def refusal(payload: bytes) -> RequestError:
    """Return the error that a REFUSED frame carries."""
    import json  # noqa: PLC0415

    body = json.loads(payload)
    return RequestError(body.get("code", ""), body.get("message", ""), **body.get("data", {}))
