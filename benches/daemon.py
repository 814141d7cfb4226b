"""A daemon to measure: the one of the tests, in folders of its own, without failpoints and with compiled modules."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import wezparallel
from tests.support.daemon import Daemon

PACKAGE = Path(wezparallel.__file__).parent
CAP = 1 << 20  # bytes of log a process, where the flood is not what is measured


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder, short enough for sockets, and remove it."""
    path = tempfile.mkdtemp(prefix="wzb-", dir="/tmp")
    try:
        yield Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def daemon() -> Iterator[Daemon]:
    """Give a started daemon, and end it with all that it holds."""
    compileall.compile_dir(PACKAGE, quiet=2)
    with folder() as path:
        (path / "home").mkdir()
        (path / "run").mkdir(mode=0o700)
        ours = Daemon(str(path / "run"), path / "home")
        for name in ("WEZPARALLEL_FAILPOINTS", "PYTHONDONTWRITEBYTECODE", "TMUX"):
            ours.env.pop(name, None)
        ours.env["TERM"] = "xterm-256color"
        ours.start()
        try:
            yield ours
        finally:
            ours.stop()


class Lines:
    """A connection that sends lines and counts lines: the least that a client in Python can cost."""

    def __init__(self, path: str) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self._rest = b""

    def ask(self, line: bytes) -> bytes:
        """Send one line and return the one that answers it."""
        self.sock.sendall(line)
        data = self.sock.recv(65536)
        while not data.endswith(b"\n"):
            data += self.sock.recv(65536)
        return data

    def next(self) -> bytes:
        """Return the next line."""
        while b"\n" not in self._rest:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError("the hub closed the connection")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def all(self, requests: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
        """Send many requests at once, with ids and keys; return their replies as they come."""
        lines = [
            json.dumps({name: {**fields, "key": f"{os.urandom(8).hex()}"}, "id": number}).encode() + b"\n"
            for number, (name, fields) in enumerate(requests)
        ]
        self.sock.sendall(b"".join(lines))
        replies = [json.loads(self.next()) for _ in lines]
        refused = [
            reply
            for reply in replies
            if "Error" in reply or ("error" in next(iter(reply.values()), {}) and next(iter(reply.values()))["error"])
        ]
        assert not refused, refused[0]
        return replies

    def close(self) -> None:
        """End it."""
        self.sock.close()


def request(name: str, number: int = 1, **fields: Any) -> bytes:
    """Return a request's line, with a number as its id so that the connection stays open."""
    return json.dumps({name: fields, "id": number}).encode() + b"\n"
