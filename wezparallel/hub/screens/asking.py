"""Asks the program that draws screens (`__main__.py`), and starts it for the first question."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from wezparallel.errors import RequestError

if TYPE_CHECKING:
    from anyio.abc import ByteSendStream, Process

PATIENCE_S = 20.0
MAX_REPLY = 16 * 1024 * 1024
_GONE = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, anyio.IncompleteRead)


class Screens:
    """The hub's side. One question at a time; the others wait for their turn."""

    def __init__(self) -> None:
        self._turn = anyio.Lock()
        self._program: Process | None = None
        self._replies: BufferedByteReceiveStream | None = None

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return what it says. Raises RequestError `hub.busy` if it takes too long, and what it refuses with."""
        line = json.dumps(request).encode() + b"\n"
        async with self._turn:
            try:
                with anyio.fail_after(PATIENCE_S):
                    try:
                        answer = await self._ask(line)
                    except _GONE:  # nobody had asked for a while, so it has ended
                        self._forget()
                        answer = await self._ask(line)
            except TimeoutError:
                self._forget()
                raise RequestError(
                    "hub.busy", f"the screen could not be drawn within {PATIENCE_S:.0f} s; ask again"
                ) from None
            except BaseException:
                self._forget()  # a reply that came later would be taken for another's
                raise
        if "error" in answer:
            error = answer["error"]
            raise RequestError(error["code"], error["message"], **error["data"])
        found: dict[str, Any] = answer["ok"]
        return found

    async def _ask(self, line: bytes) -> dict[str, Any]:
        sending, replies = await self._connected()
        await sending.send(line)
        found: dict[str, Any] = json.loads(await replies.receive_until(b"\n", MAX_REPLY))
        return found

    async def _connected(self) -> tuple[ByteSendStream, BufferedByteReceiveStream]:
        if self._program is None or self._replies is None:
            command = [sys.executable, "-m", "wezparallel.hub.screens"]
            self._program = await anyio.open_process(command, stderr=None)
            assert self._program.stdout is not None
            self._replies = BufferedByteReceiveStream(self._program.stdout)
        assert self._program.stdin is not None
        return self._program.stdin, self._replies

    def _forget(self) -> None:
        if self._program is not None:
            with suppress(ProcessLookupError):
                self._program.kill()
        self._program = self._replies = None
