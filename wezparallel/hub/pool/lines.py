"""A process's output as lines, as it comes: what `log_line` probes and `ProcessWait` look at.

A read-only, gapless viewer of the keeper's frames, so that nothing is missed and nothing is polled, wherever the
output is kept.
"""

from __future__ import annotations

import os
import re
from struct import Struct
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.wire import frames, hello
from wezparallel.wire.logformat import run_values
from wezparallel.wire.logreader import LogReader

if TYPE_CHECKING:
    from anyio.abc import SocketStream

    from wezparallel.hub.state.model import Process, Run
    from wezparallel.types import Seconds

MAX_LINE = 16 * 1024  # characters; what is longer counts as several
QUIET_S = 0.1  # a prompt ends with no newline: what stands so long is a line
AGAIN_S = 0.1  # between attempts to reach a keeper that is becoming another program
_DATA = Struct("!QB")
_ENDS = re.compile(rb"[\r\n]+")
_ESCAPES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|[\x00-\x08\x0b-\x1a]"
)


class Lines:
    """Cuts output into lines, each stream for itself, however it was split on its way."""

    def __init__(self) -> None:
        self._rest: dict[int, bytes] = {}

    def feed(self, stream: int, data: bytes) -> list[str]:
        """Add output; return the lines that are whole now."""
        *whole, rest = _ENDS.split(self._rest.pop(stream, b"") + data)
        while len(rest) > MAX_LINE:
            whole.append(rest[:MAX_LINE])
            rest = rest[MAX_LINE:]
        if rest:
            self._rest[stream] = rest
        return [_text(line) for line in whole if line]

    def unfinished(self) -> list[str]:
        """Return what no newline has ended yet."""
        return [_text(rest) for rest in self._rest.values()]


def _text(line: bytes) -> str:
    return _ESCAPES.sub(b"", line)[:MAX_LINE].decode("utf-8", "replace")


async def beginning(process: Process, run: Run) -> int:
    """Return the offset at which a run's output begins, or the oldest that there is."""
    if process.settings.log != "disk":
        return hello.FROM_START
    return await anyio.to_thread.run_sync(_beginning, process.process_id, run.run_id)


def _beginning(process_id: str, run_id: str) -> int:
    reader = LogReader(os, paths.log_dir(process_id))
    try:
        wanted = run_values(run_id)
        return next((offset for offset, _, values in reversed(reader.runs()) if values == wanted), hello.FROM_START)
    finally:
        reader.close()


async def until_line(process_id: str, offset: int, pattern: re.Pattern[str]) -> tuple[str, int]:
    """Wait for a line that matches, from an offset on; return it and where to go on from.

    Raises RequestError when the keeper knows no such process.
    """
    lines, held = Lines(), offset
    while True:
        try:
            stream = await anyio.connect_unix(paths.keeper_socket())
        except OSError:
            await anyio.sleep(AGAIN_S)
            continue
        async with stream:
            await stream.send(_hello(process_id, held))
            reader = frames.FrameReader()
            while True:
                data = await _receive(stream, lines)
                if data is None:
                    found = _first(lines.unfinished(), pattern)
                    if found is not None:
                        return found, held
                    data = await _receive(stream, None) or b""
                if not data:
                    break  # the keeper became another program, or ended
                for kind, payload in reader.feed(data):
                    held = _after(kind, payload, held)
                    if kind == frames.DATA:
                        found = _first(lines.feed(payload[8], payload[_DATA.size :]), pattern)
                        if found is not None:
                            return found, held
        await anyio.sleep(AGAIN_S)


async def _receive(stream: SocketStream, lines: Lines | None) -> bytes | None:
    """Return what comes; empty at the end, None when nothing has come for a while behind an unfinished line."""
    quiet: Seconds | None = QUIET_S if lines is not None and lines.unfinished() else None
    with anyio.move_on_after(quiet):
        try:
            return await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return b""
    return None


def _hello(process_id: str, offset: int) -> bytes:
    flags = hello.READ_ONLY | hello.GAPLESS
    about = hello.Viewer(flags, (0, 0, 0, 0), offset, (os.getppid(), 0), None, [process_id])
    return frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_FRAMES, about.pack()))


def _after(kind: int, payload: bytes, held: int) -> int:
    """Return where to go on after a frame. Raises RequestError."""
    if kind == frames.DATA:
        offset, _ = _DATA.unpack_from(payload)
        return int(offset) + len(payload) - _DATA.size
    if kind == frames.WELCOME and held == hello.FROM_END:
        return hello.parse_welcome(payload).end
    if kind in {frames.REFUSED, frames.REMOVED}:
        raise RequestError(
            "process.not_found", "the process was removed; `wezparallel ps` lists those that there are"
        )
    return held


def _first(lines: list[str], pattern: re.Pattern[str]) -> str | None:
    return next((line for line in lines if pattern.search(line)), None)
