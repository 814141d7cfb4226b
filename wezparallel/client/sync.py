"""A blocking client of the public socket, for the command line. Standard library.

Above it stand the CLI's verbs; below it only lines and envelopes. It keeps the promise of exactly once from its side:
every mutation carries a key, and when the connection ends before the reply, the same request with the same key is
sent again. Which commands change nothing is written down here (the registry costs 200 ms to import); a test compares.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time

from wezparallel import paths
from wezparallel.errors import LinkError, RequestError
from wezparallel.wire import envelope
from wezparallel.wire.lines import LineReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from wezparallel.types import Json, JsonObject, Seconds

READS = frozenset({
    "Ping", "Describe", "Status", "Subscribe", "Unsubscribe", "WorkspaceList", "WorkspaceGet", "ProcessList",
    "ProcessGet", "ProcessWait", "TemplateList", "TemplateGet", "TemplateCheck", "LogRead", "LogExport",
    "EnvironmentGet", "ProcessPrepare", "ConfigGet", "ConfigCheck", "AlertList", "WorktreeList", "ViewList",
    "SnapshotList", "SnapshotDiff", "ProcessScreen", "NotificationGet", "MetricGet", "MetricHistory", "HistoryList",
})  # fmt: skip
"""Commands without a key."""

_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.5
_PEER_GONE = (ConnectionError, BrokenPipeError)


class Client:
    """One connection to the hub, made when it is first needed and made anew when it breaks.

    `patience_s` bounds how long a hub that is away (restarting, upgrading) is waited for, counted from its loss. How
    long a request may take while the hub lives is the caller's business (`timeout_s` of `call`).
    """

    def __init__(self, path: str | None = None, *, patience_s: Seconds = 30.0) -> None:
        self.path = path or paths.client_socket()
        self.patience_s = patience_s
        self._sock: socket.socket | None = None
        self._lines = LineReader()
        self._ready: list[bytes] = []
        self._early: list[JsonObject] = []
        """Events that came while a reply was waited for."""
        self._last_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        self._lines = LineReader()
        self._ready = []
        self._early = []

    def fileno(self) -> int:
        """Return the descriptor to select on; -1 without a connection."""
        return -1 if self._sock is None else self._sock.fileno()

    def call(self, name: str, fields: JsonObject | None = None, *, timeout_s: Seconds | None = None) -> JsonObject:
        """Send one command and return its reply's fields.

        Raises:
            RequestError: the hub answered `Error`.
            LinkError: no hub could be reached within `patience_s`, or none answered within `timeout_s`.
        """
        body = dict(fields or {})
        if name not in READS:
            body.setdefault("key", os.urandom(16).hex())
        self._last_id += 1
        request = envelope.dump({name: body, "id": self._last_id})
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        lost_since: float | None = None
        pause_s = _FIRST_PAUSE_S
        while True:
            reason = ""
            try:
                reply = self._exchange(request, self._last_id, deadline)
                return unwrap(reply)
            except RequestError as error:
                if error.code != "hub.restarting":
                    raise
                reason = error.message
            except _PEER_GONE as error:
                reason = str(error)
            self.close()
            now = time.monotonic()
            lost_since = lost_since or now
            if now - lost_since >= self.patience_s:
                raise LinkError(
                    f"the hub went away and did not come back within {self.patience_s:g} s ({reason}); "
                    "see `wezparallel daemon status`"
                )
            wait(min(pause_s, self.patience_s))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def subscribe(self, events: list[str], *, since: int | None = None, epoch: str | None = None) -> Subscription:
        """Subscribe on this connection, which is the subscription's from then on."""
        return Subscription(self, events, since, epoch)

    def read(self, timeout_s: Seconds | None = None) -> JsonObject:
        """Return the next message. Raises ConnectionError at the end of the stream, LinkError when time is up."""
        if self._early:
            return self._early.pop(0)
        return self._read(None if timeout_s is None else time.monotonic() + timeout_s)

    def _exchange(self, request: bytes, request_id: int, deadline: float | None) -> JsonObject:
        if self._sock is None:
            self._sock = connect(self.path)
        self._sock.settimeout(None if deadline is None else max(0.01, deadline - time.monotonic()))
        try:
            self._sock.sendall(request)
        except TimeoutError:
            raise LinkError("the hub does not read; see `wezparallel daemon status`") from None
        while True:
            message = self._read(deadline)
            if message.get("id") == request_id or ("Error" in message and "id" not in message):
                return message
            if "id" not in message:
                self._early.append(message)

    def _read(self, deadline: float | None) -> JsonObject:
        if self._sock is None:
            raise ConnectionResetError("not connected")
        while not self._ready:
            self._sock.settimeout(None if deadline is None else max(0.001, deadline - time.monotonic()))
            try:
                data = self._sock.recv(65536)
            except TimeoutError:
                raise LinkError("the hub did not answer in time; see `wezparallel daemon status`") from None
            if not data:
                raise ConnectionResetError("the connection ended before the reply")
            self._ready += self._lines.feed(data)
        message: Json = envelope.parse_json(self._ready.pop(0))
        if not isinstance(message, dict):
            raise LinkError("the other side of the socket does not speak the protocol of wezparallel")
        return message


class Subscription:
    """An endless stream of `{"Event": …}` and `{"Lagged": …}`.

    When the hub restarts, it subscribes again from the last `seq`, so that nothing is missed. When the past cannot be
    told any more, a `{"Subscribed": …}` with the snapshot comes out of the stream instead.
    """

    def __init__(self, client: Client, events: list[str], since: int | None, epoch: str | None) -> None:
        self._client = client
        self._events = events
        self.first: JsonObject = client.call("Subscribe", _without_none(events=events, since=since, epoch=epoch))
        """The fields of `Subscribed`."""
        self._epoch = self.first["epoch"]
        self._last = int(self.first["seq"]) if since is None else since

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> JsonObject:
        message = self.next(None)
        assert message is not None  # without a timeout there is always one
        return message

    def next(self, timeout_s: Seconds | None) -> JsonObject | None:
        """Return the next message, or None after `timeout_s`."""
        try:
            message = self._client.read(timeout_s)
        except LinkError:
            return None
        except _PEER_GONE:
            self._client.close()
            again = self._client.call(
                "Subscribe", {"events": self._events, "since": self._last, "epoch": self._epoch}
            )
            self._epoch = again["epoch"]
            if again.get("snapshot") is None:
                return self.next(timeout_s)
            self._last = int(again["seq"])
            return {"Subscribed": again}
        event = message.get("Event")
        if event:
            self._last = max(self._last, int(event["seq"]))
        return message


def connect(path: str) -> socket.socket:
    """Return a connection to our user's server at `path`.

    Raises:
        ConnectionError, FileNotFoundError: nobody listens there.
        LinkError: another user does, or the path cannot be used.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(path)
        check_server(sock, path)
    except FileNotFoundError:
        sock.close()
        raise ConnectionRefusedError(f"no socket at {path}") from None
    except ConnectionError:
        sock.close()
        raise
    except OSError as error:
        sock.close()
        raise LinkError(f"{path} cannot be used: {error.strerror or error}") from None
    except LinkError:
        sock.close()
        raise
    return sock


def check_server(sock: socket.socket, path: str) -> None:
    """Refuse a server of another user. Raises LinkError."""
    if not hasattr(socket, "SO_PEERCRED"):
        return
    _, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    if uid != os.geteuid() and os.geteuid() != 0:
        raise LinkError(f"{path} belongs to user {uid}, not to you; set WEZPARALLEL_RUNTIME_DIR to a folder of yours")


def wait(seconds: Seconds) -> None:
    """Let time pass, where there is no event to wait for (a peer that is not there yet)."""
    select.select((), (), (), seconds)


def _without_none(**fields: Json) -> JsonObject:
    return {name: value for name, value in fields.items() if value is not None}


def unwrap(reply: JsonObject) -> JsonObject:
    """Return the body of a reply. Raises RequestError where it is an `Error`."""
    body = next((value for tag, value in reply.items() if tag != "id"), None)
    if "Error" in reply:
        error = reply["Error"]
        failure = RequestError(error.get("code", "internal.bug"), error.get("message", ""))
        failure.data = error.get("data") or {}
        raise failure
    return body if isinstance(body, dict) else {}
