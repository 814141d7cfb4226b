"""The hub's end of the link to the keeper: messages with descriptors beside them, requests with answers in order.

Raw socket and `recvmsg` on purpose: a plain `recv` would silently close descriptors that travel with the bytes.
What the messages mean is `Pool`'s and `adoption`'s business.
"""

from __future__ import annotations

import array
import json
import os
import socket
import sys
from collections import deque
from typing import TYPE_CHECKING, Any

import anyio
import structlog

from wezparallel.errors import LinkError, RequestError
from wezparallel.wire import frames, hello

if TYPE_CHECKING:
    from collections.abc import Callable

    Message = dict[str, Any]
    OnReply = Callable[[Message, list[int]], None]

log = structlog.get_logger()

MAX_FDS = 253  # SCM_MAX_FD of Linux
_UPGRADE_S = 60.0  # that a keeper may take to become another program
MSG_CMSG_CLOEXEC = 0x40000000  # of Linux; Python does not name it

_encode = json.JSONEncoder(separators=(",", ":")).encode


class KeeperLink:
    """One connection to the keeper, for the hub's whole life."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = _new_socket()
        self._reader = frames.FrameReader()
        self._fds: deque[int] = deque()
        self._out = bytearray()
        self._writable = anyio.Event()
        self._number = 0
        self._waiting: dict[int, OnReply] = {}
        self._early: list[tuple[int, bytes]] = []
        self._on_upgrade_refused: Callable[[Message], None] = lambda _: None
        self.version = 0
        self.is_forgiving = False
        """Once the hub serves, a fault over one message is logged: the next hub would meet it too, and die too."""

    async def connect(self, hub_id: str) -> None:
        """Say hello; a keeper that is too old for us is upgraded first.

        Raises LinkError when the keeper refuses or is not there.
        """
        refusal = await self._say_hello(hub_id)
        if refusal is not None and _is_too_old(refusal):
            await self._upgrade_first(refusal)
            refusal = await self._say_hello(hub_id)
        if refusal is not None:
            raise LinkError(refusal.get("message", "the keeper refused"))

    async def _say_hello(self, hub_id: str) -> Message | None:
        """Return None once the keeper has agreed, else its refusal."""
        try:
            self._socket.connect(self._path)
        except OSError as error:
            raise LinkError(f"no keeper at {self._path}: {error.strerror}") from None
        body = hello.pack_strings([hub_id])
        self._socket.sendall(frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_HUB, body)))
        self._socket.setblocking(False)
        while not self.version:
            for kind, payload in await self._receive():
                if kind == frames.HELLO:
                    self.version, _ = hello.parse_server_hello(payload)
                elif kind == frames.REFUSED:
                    refusal: Message = json.loads(payload)
                    return refusal
                else:
                    self._early.append((kind, payload))
        return None

    async def _upgrade_first(self, refusal: Message) -> None:
        """Have the keeper become our own program; it executes that in place, and the connection ends."""
        log.warning("keeper.too_old", reason=refusal.get("message"))
        argv = [sys.executable, "-m", "wezparallel.keeper", "--foreground"]
        self._socket.sendall(frames.pack(frames.UPGRADE, json.dumps({"argv": argv}).encode()))
        with anyio.move_on_after(_UPGRADE_S):
            while True:
                try:
                    batch = await self._receive()
                except LinkError:
                    self._socket.close()
                    self._socket, self._reader = _new_socket(), frames.FrameReader()
                    return
                for kind, payload in batch:
                    if kind == frames.REFUSED:
                        message = json.loads(payload).get("message", "it refused")
                        raise LinkError(f"the keeper is too old for this hub and cannot be upgraded: {message}")
        raise LinkError(f"the keeper did not become another program within {_UPGRADE_S:g} s")

    async def upgrade(self, argv: list[str], upgrade_id: str) -> None:
        """Have the keeper become another program, which then ends this hub. Raises RequestError when it refuses."""
        done = anyio.Event()
        refusals: list[Message] = []

        def refused(message: Message) -> None:
            refusals.append(message)
            done.set()

        self._on_upgrade_refused = refused
        body = json.dumps({"argv": argv, "id": upgrade_id}).encode()
        self._out += frames.pack(frames.UPGRADE, body)
        self._flush()
        await done.wait()
        message = refusals[0]
        raise RequestError(message.get("code", "internal.bug"), message.get("message", "the keeper refused"))

    async def run(self, on_message: Callable[[Message, list[int]], None]) -> None:
        """Read for ever. Raises LinkError when the keeper's side ends."""
        batch, self._early = self._early, []
        while True:
            for kind, payload in batch:
                if kind != frames.MESSAGE:
                    continue
                message = json.loads(payload)
                fds = [self._fds.popleft() for _ in range(message.get("fds", 0)) if self._fds]
                answer = self._answer_to(message)
                self._hand_over(answer or on_message, message, fds)
            batch = await self._receive()

    def _answer_to(self, message: Message) -> OnReply | None:
        if message.get("re") == "upgrade":
            return lambda refusal, _: self._on_upgrade_refused(refusal)
        return self._waiting.pop(message["re"], None) if "re" in message else None

    async def write(self) -> None:
        """Send what did not fit at once, for ever."""
        while True:
            await self._writable.wait()
            self._writable = anyio.Event()
            while self._out:
                await anyio.wait_writable(self._socket)
                self._flush()

    @property
    def unsent(self) -> int:
        """Return how many bytes the keeper has not taken yet."""
        return len(self._out)

    def send(self, message: Message) -> None:
        """Send a message that needs no answer."""
        self._out += frames.pack(frames.MESSAGE, _encode(message).encode())
        self._flush()

    def request(self, message: Message, on_reply: OnReply) -> None:
        """Send a message; `on_reply(reply, descriptors)` is called in the hub's thread."""
        self._number += 1
        self._waiting[self._number] = on_reply
        self.send({**message, "n": self._number})

    async def call(self, message: Message) -> tuple[Message, list[int]]:
        """Send a message and wait for its answer. Raises RequestError when it is refused."""
        done = anyio.Event()
        result: list[tuple[Message, list[int]]] = []

        def on_reply(reply: Message, fds: list[int]) -> None:
            result.append((reply, fds))
            done.set()

        self.request(message, on_reply)
        await done.wait()
        reply, fds = result[0]
        if reply["m"] != "ok":
            raise RequestError(
                reply.get("code", "internal.bug"), reply.get("message", "refused"), **reply.get("data", {})
            )
        return reply, fds

    def close(self) -> None:
        """End the link."""
        self._socket.close()

    def _hand_over(self, take: OnReply, message: Message, fds: list[int]) -> None:
        try:
            take(message, fds)
        except Exception:
            if not self.is_forgiving:
                raise
            log.exception("message.failed", message=message.get("m"), process=message.get("process_id"))

    async def _receive(self) -> list[tuple[int, bytes]]:
        await anyio.wait_readable(self._socket)
        try:
            data, control, flags, _ = self._socket.recvmsg(1 << 16, socket.CMSG_SPACE(MAX_FDS * 4), MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return []
        except OSError as error:
            raise LinkError(f"the link to the keeper broke: {error.strerror}") from None
        for level, kind, raw in control:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received = array.array("i")
                received.frombytes(raw[: len(raw) - len(raw) % received.itemsize])
                self._fds.extend(received)
        if flags & socket.MSG_CTRUNC:
            raise LinkError("descriptors were lost on their way; the limit of open files is too low")
        if not data:
            raise LinkError("the keeper closed the link")
        return self._reader.feed(data)

    def _flush(self) -> None:
        try:
            sent = self._socket.send(self._out)
            del self._out[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._out.clear()  # the reader sees the end and says it
        if self._out:
            self._writable.set()


def _new_socket() -> socket.socket:
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)


def _is_too_old(refusal: Message) -> bool:
    """Tell whether the keeper speaks only versions that are older than ours."""
    newest = (refusal.get("data") or {}).get("max")
    return refusal.get("code") == "wire.version" and isinstance(newest, int) and newest < hello.MIN_VERSION


def close_all(fds: list[int]) -> None:
    """Close descriptors, whatever they are."""
    for fd in fds:
        os.close(fd)
