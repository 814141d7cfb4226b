"""The control role on the keeper's private socket: what works while the hub does not. Standard library.

Above it `daemon start | stop | status | upgrade` and the doctor; below it frames and the hello. The client may not
import the keeper, so the names of its messages stand here again; a test compares them.
"""

from __future__ import annotations

import json
import time

from wezparallel import paths
from wezparallel.client import sync
from wezparallel.errors import LinkError, RequestError
from wezparallel.wire import frames, hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from wezparallel.types import JsonObject, Seconds

STATUS = "status"
STOP = "exit"
START = "start_hub"


class Control:
    """One connection to the keeper. Raises ConnectionError when there is no keeper, LinkError when it refuses us."""

    def __init__(self, path: str | None = None, *, timeout_s: Seconds = 5.0, refused: bool = False) -> None:
        self.path = path or paths.keeper_socket()
        self._timeout_s = timeout_s
        self._reader = frames.FrameReader()
        self._frames: list[tuple[int, bytes]] = []
        self._sock = sync.connect(self.path)
        self._last = 0
        try:
            self._sock.settimeout(timeout_s)
            self._sock.sendall(frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_CONTROL)))
            self._expect(frames.REFUSED if refused else frames.HELLO, timeout_s)
        except BaseException:
            self._sock.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def status(self) -> JsonObject:
        """Return `{pid, version, started_at, hub: {state, pid, deaths}, runs, viewers}`."""
        return self.ask(STATUS)

    def stop(self, *, children: bool, timeout_s: Seconds | None = None) -> JsonObject:
        """End the hub; with `children` every process first. The keeper ends when it is empty."""
        return self.ask(STOP, timeout_s=timeout_s, children=children)

    def start_hub(self) -> JsonObject:
        """Start a hub that was stopped, and forget that it was."""
        return self.ask(START)

    @classmethod
    def upgrade_other_version(cls, path: str, argv: list[str]) -> None:
        """Upgrade a keeper that has no version in common with us: of a refused hello it still takes that."""
        control = cls(path, refused=True)
        with control:
            control.upgrade(argv)

    def upgrade(self, argv: list[str], *, timeout_s: Seconds = 60.0) -> None:
        """Ask the keeper to re-execute itself as `argv`; this connection ends with it.

        Raises RequestError if it refuses: `process.bad_state` while the hub is there, which is to be asked then.
        """
        self._sock.sendall(frames.pack(frames.UPGRADE, json.dumps({"argv": argv}).encode()))
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                kind, payload = self._next(deadline - time.monotonic())
            except ConnectionError:
                return  # it went over into its successor
            body = json.loads(payload or b"{}")
            if kind == frames.REFUSED or (kind == frames.MESSAGE and body.get("m") == "refused"):
                raise RequestError(body.get("code", "internal.bug"), body.get("message", "the keeper refused"))

    def ask(self, message: str, *, timeout_s: Seconds | None = None, **fields: object) -> JsonObject:
        """Send one message and return the fields of its `ok`. Raises RequestError if it is refused."""
        self._last += 1
        body = json.dumps({"m": message, "n": self._last, **fields}).encode()
        self._sock.sendall(frames.pack(frames.MESSAGE, body))
        deadline = time.monotonic() + (timeout_s or self._timeout_s)
        while True:
            payload = self._expect(frames.MESSAGE, deadline - time.monotonic())
            answer: JsonObject = json.loads(payload)
            if answer.get("re") != self._last:
                continue
            if answer.get("m") == "refused":
                raise RequestError(answer.get("code", "internal.bug"), answer.get("message", "the keeper refused"))
            return answer

    def _expect(self, kind: int, timeout_s: Seconds) -> bytes:
        deadline = time.monotonic() + timeout_s
        while True:
            got, payload = self._next(deadline - time.monotonic())
            if got == kind:
                return payload
            if got == frames.REFUSED:
                raise _refusal(payload)

    def _next(self, timeout_s: Seconds) -> tuple[int, bytes]:
        deadline = time.monotonic() + timeout_s
        while not self._frames:
            self._sock.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self._sock.recv(65536)
            except TimeoutError:
                raise LinkError(f"the keeper did not answer within {timeout_s:.0f} s") from None
            if not data:
                raise ConnectionResetError("the keeper closed the connection")
            self._frames += self._reader.feed(data)
        return self._frames.pop(0)


def _refusal(payload: bytes) -> LinkError:
    body = json.loads(payload or b"{}")
    return LinkError(body.get("message", "the keeper refused"), code=body.get("code", ""), data=body.get("data"))
