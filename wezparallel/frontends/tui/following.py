"""A process's log as lines of text: the last ones, then what comes. Above: the screen of logs.

The past comes from the hub, the rest from the keeper, as for `logs -f`. Who falls behind in a flood is told what it
missed; nobody waits for it.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import anyio

from wezparallel.client.cleaning import Cleaner
from wezparallel.client.frames import FramesViewer
from wezparallel.errors import LinkError, RequestError
from wezparallel.wire import frames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from wezparallel.frontends.tui.connection import Connection
    from wezparallel.types import Json

PAST = 2000  # lines
PIECE = 128 * 1024
"""Bytes that are taken from a flood at once; then the screen has its turn."""
AGAIN_S = 0.5


class Lines:
    """Makes lines of bytes."""

    def __init__(self) -> None:
        self._cleaner = Cleaner(terminal=False)

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that became whole."""
        return self._cleaner.feed(data).decode("utf-8", "replace").splitlines()


async def follow(connection: Connection, process_id: str, keeper_socket: str) -> AsyncIterator[list[str]]:
    """Give the last lines, then new ones as they become whole, until the process is removed."""
    lines = Lines()
    past, offset = await _past(connection, process_id)
    yield lines.feed(past)
    while True:
        try:
            viewer = FramesViewer.connect(process_id, offset, gapless=False, path=keeper_socket)
        except LinkError:
            await anyio.sleep(AGAIN_S)  # the keeper re-executes itself
            continue
        with viewer:
            messages = iter(viewer)
            while True:
                new: list[str] = []
                taken = 0
                ended = False
                if not viewer.has_more:
                    await anyio.wait_readable(viewer.fileno())
                while not taken or (viewer.has_more and taken < PIECE):
                    message = next(messages, None)
                    if message is None:
                        ended = True
                        break
                    kind, count, _, data, fields = message
                    taken += max(1, len(data))
                    new += _told(lines, kind, count, data, fields)
                offset = viewer.offset
                yield new
                if ended:
                    break
                await anyio.sleep(0)
            if viewer.is_final:
                return
        await anyio.sleep(AGAIN_S)


def _told(lines: Lines, kind: int, count: int, data: bytes, fields: dict[str, Json]) -> list[str]:
    if kind == frames.DATA:
        return lines.feed(data)
    if kind == frames.LOST:
        return [f"── {count} bytes were passed over ──"]
    if kind == frames.EXITED:
        code, signal = fields.get("exit_code"), fields.get("signal")
        return [f"── ended, {'exit code ' + str(code) if signal is None else 'signal ' + str(signal)} ──"]
    if kind == frames.REMOVED:
        return ["── removed ──"]
    return []


async def _past(connection: Connection, process_id: str) -> tuple[bytes, int]:
    """Return the last lines as bytes, and the offset behind them."""
    found = b""
    fields: dict[str, Json] = {"lines": PAST}
    while True:
        try:
            reply = await connection.call("LogRead", process=process_id, **fields)
        except RequestError as error:
            if error.code == "log.expired" and "offset" not in fields:
                return b"", 0
            raise
        for chunk in reply["chunks"]:
            said = chunk["text"]
            found += base64.b64decode(said) if chunk["encoding"] == "base64" else said.encode("utf-8", "replace")
        if reply["next"] is None:
            return found, int(reply["end"])
        fields = {"offset": reply["next"]}
