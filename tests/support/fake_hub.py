"""A small blocking hub: the other side of the keeper's link, for tests of the keeper alone."""

from __future__ import annotations

import array
import base64
import json
import os
import select
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Self

from wezparallel.keeper import messages as m
from wezparallel.wire import frames, hello

if TYPE_CHECKING:
    from collections.abc import Callable

    Message = dict[str, Any]

PATIENCE_S = 20.0
_CLOEXEC = 0x40000000


class RefusedError(Exception):
    """The keeper refused: `code` and the whole message."""

    def __init__(self, message: Message) -> None:
        super().__init__(message["code"], message["message"])
        self.code = message["code"]
        self.message = message


class FakeHub:
    """Says hello as a hub, adopts, sends requests and collects what the keeper tells."""

    def __init__(self, path: str, *, adopt: bool = True) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._reader = frames.FrameReader()
        self._frames: deque[tuple[int, bytes]] = deque()
        self._fds: deque[int] = deque()
        self._number = 0
        self._owned: list[int] = []
        self.events: list[Message] = []
        self.runs: dict[str, Message] = {}
        self.fds: dict[str, list[int]] = {}
        self.listeners: dict[str, tuple[str, int]] = {}
        self.adopted: Message = {}
        self.socket.connect(path)
        body = hello.pack_strings(["h-test"])
        self.socket.sendall(frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_HUB, body)))
        kind, payload = self._next(time.monotonic() + PATIENCE_S)
        if kind == frames.REFUSED:
            self.socket.close()
            raise RefusedError(json.loads(payload))
        assert kind == frames.HELLO
        if adopt:
            self.adopt()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Cut the link and close every duplicate."""
        self.socket.close()
        for fd in [*self._fds, *self._owned]:
            os.close(fd)
        self._fds.clear()
        self._owned.clear()

    def adopt(self) -> None:
        """Read everything until `adopt_end`, and say that we serve."""
        while True:
            message, fds = self._message(time.monotonic() + PATIENCE_S)
            if message["m"] == m.RUN:
                self.runs[message["run_id"]] = message
                self.fds[message["run_id"]] = fds
            elif message["m"] == m.LISTENER:
                self.listeners[message["name"]] = (message["address"], fds[0])
            elif message["m"] == m.ADOPT_END:
                self.adopted = message
                break
            else:
                self.events.append(message)
        self.send(m.ADOPTED)

    def send(self, name: str, /, **fields: object) -> None:
        """Send a message without a number."""
        body = json.dumps({"m": name, **fields}).encode()
        self.socket.sendall(frames.pack(frames.MESSAGE, body))

    def post(self, name: str, /, **fields: object) -> int:
        """Send a request and return its number."""
        self._number += 1
        self.send(name, n=self._number, **fields)
        return self._number

    def answer(self, number: int) -> Message:
        """Wait for the answer to a request; descriptors are in `_fds`. Raises RefusedError."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            message, fds = self._message(deadline)
            if message.get("re") == number:
                message["descriptors"] = fds
                if message["m"] == m.REFUSED:
                    raise RefusedError(message)
                return message
            self.events.append(message)

    def call(self, name: str, /, **fields: object) -> Message:
        """Send a request and wait for its answer."""
        return self.answer(self.post(name, **fields))

    def spawn(self, argv: list[str], **fields: object) -> Message:
        """Start a run with sensible defaults; the answer carries `run_id` and `descriptors`."""
        run_id = os.urandom(16).hex()
        wish: dict[str, Any] = {
            "run_id": run_id,
            "process_id": "t/" + run_id[:6],
            "definition": {"k": 1},
            "argv": argv,
            "cwd": "/",
            "env_id": "",
            "env": {},
            "tty": False,
            "size": [24, 80],
            "log_cap": 64 * 1024 * 1024,
            "stop": {"signal": "SIGTERM", "grace_s": 5.0, "kill": "tree"},
            "agent": False,
            "may_type": False,
        } | fields
        reply = self.call(m.SPAWN, **wish)
        self.fds[wish["run_id"]] = reply["descriptors"]
        return reply | {"run_id": wish["run_id"], "process_id": wish["process_id"]}

    def write(self, process_id: str, data: bytes, key: str = "") -> Message:
        """Type into a process."""
        return self.call(m.WRITE, process_id=process_id, key=key, data=base64.b64encode(data).decode())

    def wait_for(self, fits: Callable[[Message], bool], patience_s: float = PATIENCE_S) -> Message:
        """Wait for a message that fits, and take it out."""
        deadline = time.monotonic() + patience_s
        seen = 0
        while True:
            for at in range(seen, len(self.events)):
                if fits(self.events[at]):
                    return self.events.pop(at)
            seen = len(self.events)
            message, _ = self._message(deadline)
            self.events.append(message)

    def exited(self, run_id: str, *, ack: bool = True) -> Message:
        """Wait for a run's exit and acknowledge it."""
        message = self.wait_for(lambda e: e["m"] == m.EXITED and e["run_id"] == run_id)
        if ack:
            self.send(m.ACK, run_id=run_id)
        return message

    def run(self, argv: list[str], **fields: object) -> Message:
        """Start a run, wait for its end; return the exit."""
        return self.exited(self.spawn(argv, **fields)["run_id"])

    def sync(self) -> None:
        """Return when the keeper has handled everything that was sent before."""
        self.call(m.ENV_PUT, env_id="sync", env={})

    def _message(self, deadline: float) -> tuple[Message, list[int]]:
        while True:
            kind, payload = self._next(deadline)
            if kind != frames.MESSAGE:
                continue
            message = json.loads(payload)
            if message["m"] == m.PING:
                self.send(m.PONG, re=message["n"])
                continue
            fds = [self._fds.popleft() for _ in range(message.get("fds", 0))]
            self._owned += fds
            return message, fds

    def _next(self, deadline: float) -> tuple[int, bytes]:
        while not self._frames:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise TimeoutError(f"nothing came; seen so far: {self.events[-5:]}")
            data, extra, flags, _ = self.socket.recvmsg(1 << 16, socket.CMSG_SPACE(253 * 4), _CLOEXEC)
            assert not flags & socket.MSG_CTRUNC
            for level, kind, raw in extra:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    numbers = array.array("i")
                    numbers.frombytes(raw)
                    self._fds.extend(numbers)
            if not data:
                raise ConnectionResetError("the keeper closed the link")
            self._frames.extend(self._reader.feed(data))
        return self._frames.popleft()
