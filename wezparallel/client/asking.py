"""One request to the hub that nobody waits for: a terminal viewer asks while it goes on to take keys and signals.

The hub may be away, or busy: a question that has no answer in its time is given up. Standard library, C modules;
between.py stands above.
"""

from __future__ import annotations

import json
import time
from _socket import AF_UNIX, MSG_DONTWAIT, SOCK_STREAM
from _socket import socket as c_socket

from wezparallel import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import JsonObject

MAX_REPLY = 2 * 1024 * 1024  # bytes; a reply of the hub has 1 MiB
AWAY: JsonObject = {"Error": {"code": "hub.restarting", "message": "the daemon does not answer"}}


class Question:
    """A request on its way, and the reply as far as it has come."""

    def __init__(self, request: JsonObject, patience_s: float) -> None:
        self._deadline = time.monotonic() + patience_s
        self._reply = bytearray()
        self._failed = False
        self._unsent = json.dumps(request).encode() + b"\n"
        self._socket = c_socket(AF_UNIX, SOCK_STREAM)
        self._socket.setblocking(False)
        try:
            self._socket.connect(paths.client_socket())
            self._send()
        except OSError:
            self._failed = True

    def fileno(self) -> int:
        """Return the descriptor to wait on for input."""
        return self._socket.fileno()

    @property
    def is_late(self) -> bool:
        """Tell whether there is nothing more to wait for."""
        return self._failed or time.monotonic() >= self._deadline

    @property
    def left_s(self) -> float:
        """How long it may still take."""
        return 0.0 if self._failed else max(0.0, self._deadline - time.monotonic())

    def take(self) -> JsonObject | None:
        """Return the reply if it is here, `AWAY` when none will come, None while one may."""
        if not self._failed:
            self._receive()
        if self._reply.endswith(b"\n"):
            try:
                reply = json.loads(self._reply)
            except ValueError:
                return AWAY
            return reply if isinstance(reply, dict) else AWAY
        return AWAY if self.is_late else None

    def close(self) -> None:
        """Give it up."""
        self._socket.close()

    def _send(self) -> None:
        # A new connection takes far more than a request has.
        if self._socket.send(self._unsent, MSG_DONTWAIT) < len(self._unsent):
            self._failed = True

    def _receive(self) -> None:
        try:
            while not self._reply.endswith(b"\n"):
                part = self._socket.recv(65536, MSG_DONTWAIT)
                self._reply += part
                if not part or len(self._reply) > MAX_REPLY:
                    self._failed = True
                    return
        except BlockingIOError:
            return
        except OSError:
            self._failed = True
