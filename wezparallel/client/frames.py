"""A viewer that reads a process's output as frames: `logs -f`, `attach` into a pipe, whoever waits for a line.

Blocking, standard library. Read-only; the keeper is `wezparallel.keeper.streams`.
"""

from __future__ import annotations

import json
import os
import socket
import struct

from wezparallel import paths
from wezparallel.errors import LinkError, RequestError
from wezparallel.wire import frames, hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from wezparallel.types import JsonObject, ProcessId

    Message: TypeAlias = tuple[int, int, int, bytes, JsonObject]

FROM_END = hello.FROM_END
FROM_START = hello.FROM_START
_DATA = struct.Struct("!QB")
_COUNT = struct.Struct("!Q")
_SIZE = struct.Struct("!4H")
_CREDENTIALS = struct.Struct("3i")
_READ = 256 * 1024


class FramesViewer:
    """One connection to the keeper that gives a process's output and the ends and starts of its runs.

        with FramesViewer.connect("web/api", FROM_END) as viewer:
            for kind, offset, stream, data, fields in viewer: ...

    `kind` is `wire.frames.DATA` (offset, stream as in wire/logformat.py, data), `EXITED`, `STARTED` (fields),
    `LOST` (offset: the count of bytes that will never come), `RESIZE` (fields: rows, columns), `REMOVED`, `NOTE`
    (data: text). The iteration ends when the keeper closes: after `REMOVED`, after a gapless viewer's `LOST`, or
    because the keeper went away; `is_final` tells these apart, and `offset` is where to connect again.
    """

    def __init__(self, sock: socket.socket, reader: frames.FrameReader, rest: list[tuple[int, bytes]]) -> None:
        self._socket = sock
        self._reader = reader
        self._inbox = rest
        self.welcome: hello.Welcome
        self.offset = 0
        """next byte to come"""
        self.is_final = False
        """the end was said, not only suffered"""

    @classmethod
    def connect(
        cls, process_id: ProcessId, offset: int = FROM_END, gapless: bool = True, path: str = ""
    ) -> FramesViewer:
        """Begin to read at an offset, FROM_END or FROM_START.

        Raises LinkError when no keeper answers, RequestError `process.not_found`.
        """
        path = path or paths.keeper_socket()
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(path)
            _check_owner(sock, path)
            viewer = cls(sock, frames.FrameReader(), [])
            viewer._say_hello(process_id, offset, gapless)
        except OSError as error:
            sock.close()
            raise LinkError(
                f"no keeper answers at {path} ({error.strerror}); `wezparallel daemon start` starts one"
            ) from None
        except (LinkError, RequestError):
            sock.close()
            raise
        return viewer

    def __enter__(self) -> FramesViewer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Message]:
        while (frame := self._next()) is not None:
            message = self._message(*frame)
            if message is not None:
                yield message

    @property
    def last_exit(self) -> JsonObject | None:
        """How the last run had ended when this viewer connected; None while running or before the first run."""
        text = self.welcome.strings[2]
        return json.loads(text) if text else None

    def fileno(self) -> int:
        """Return the descriptor, to wait on with a deadline; frames may be waiting here already (`has_more`)."""
        return self._socket.fileno()

    @property
    def has_more(self) -> bool:
        """Tell whether the next frame has arrived already."""
        return bool(self._inbox)

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def _say_hello(self, process_id: ProcessId, offset: int, gapless: bool) -> None:
        flags = hello.READ_ONLY | (hello.GAPLESS if gapless else 0)
        about = hello.Viewer(flags, (0, 0, 0, 0), offset, (os.getppid(), 0), None, [process_id])
        payload = hello.client_hello(hello.ROLE_FRAMES, about.pack())
        self._socket.sendall(frames.pack(frames.HELLO, payload))
        while True:
            frame = self._next()
            if frame is None:
                raise LinkError("the keeper closed the connection; `wezparallel doctor` looks for the reason")
            kind, body = frame
            if kind == frames.REFUSED:
                error = json.loads(body)
                raise RequestError(error["code"], error["message"], **error.get("data", {}))
            if kind == frames.WELCOME:
                self.welcome = hello.parse_welcome(body)
                break
        start, end = self.welcome.start, self.welcome.end
        self.offset = {FROM_END: end, FROM_START: start}.get(offset, min(offset, end))

    def _next(self) -> tuple[int, bytes] | None:
        while not self._inbox:
            try:
                data = self._socket.recv(_READ)
            except ConnectionError:
                return None
            if not data:
                return None
            self._inbox += self._reader.feed(data)
        return self._inbox.pop(0)

    def _message(self, kind: int, payload: bytes) -> Message | None:
        if kind == frames.DATA:
            offset, stream = _DATA.unpack_from(payload)
            data = payload[_DATA.size :]
            self.offset = offset + len(data)
            self.is_final = False
            return kind, offset, stream, data, {}
        if kind == frames.LOST:
            # A loss within the log, or (at the cap) the end: which one, the connection shows.
            (count,) = _COUNT.unpack(payload)
            self.is_final = True
            return kind, count, 0, b"", {}
        self.is_final = kind == frames.REMOVED
        if kind == frames.RESIZE:
            rows, columns, _, _ = _SIZE.unpack(payload)
            return kind, self.offset, 0, b"", {"rows": rows, "columns": columns}
        if kind in {frames.EXITED, frames.STARTED}:
            return kind, self.offset, 0, b"", json.loads(payload)
        if kind in {frames.REMOVED, frames.NOTE}:
            return kind, self.offset, 0, payload, {}
        return None


def _check_owner(sock: socket.socket, path: str) -> None:
    _, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    if uid not in {os.getuid(), 0}:
        raise LinkError(f"{path} belongs to another user; nothing was sent there", code="caller.other_user")
