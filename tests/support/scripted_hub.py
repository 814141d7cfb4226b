"""A hub of a few lines on a real Unix socket, for tests of clients: it answers what a test tells it to.

Requests are checked against the registry's models, and so are replies, so that a test cannot speak of what the
protocol does not have.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from wezparallel.errors import RequestError
from wezparallel.protocol import registry
from wezparallel.wire import envelope
from wezparallel.wire.lines import LineReader

Answer = Callable[[dict[str, Any]], dict[str, Any]]

PONG = {"version": "0.1.0", "hub_id": "h-1", "uptime_s": 12.5}


class ScriptedHub:
    """Listens at `path`. `answers[name]` is the reply's body, or a function of the request's fields."""

    def __init__(self, path: str, answers: dict[str, Any] | None = None) -> None:
        self.path = path
        self.answers: dict[str, Any] = {"Ping": PONG, **(answers or {})}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.drop_next = 0
        """How many requests are read and then answered by closing the connection."""
        self.events: list[dict[str, Any]] = []
        """What a subscriber gets after `Subscribed`."""
        self.close_after_events = False
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(64)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def __enter__(self) -> ScriptedHub:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every connection and free the path."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join(5)
        self._listener.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def asked(self, name: str) -> list[dict[str, Any]]:
        """Return the fields of every request of that name, in order."""
        return [fields for got, fields in self.requests if got == name]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        lines = LineReader()
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                for line in lines.feed(data):
                    if not self._answer(connection, line):
                        return

    def _answer(self, connection: socket.socket, line: bytes) -> bool:
        request = envelope.parse_request(line)
        self.requests.append((request.name, request.fields))
        if self.drop_next > 0:
            self.drop_next -= 1
            return False
        try:
            command = registry.find(request.name)
            command.model_validate(request.fields)
            body = self._body(request.name, request.fields)
            reply = command.REPLY.model_validate(body).model_dump(mode="json")
        except RequestError as error:
            connection.sendall(envelope.reply_line("Error", error.to_json(), request))
            return True
        connection.sendall(envelope.reply_line(command.REPLY.TAG, reply, request))
        if request.name == "Subscribe":
            for event in self.events:
                connection.sendall(envelope.dump({"Event": event}))
            if self.close_after_events:
                self.close_after_events = False
                return False
        return True

    def _body(self, name: str, fields: dict[str, Any]) -> Any:
        answer = self.answers.get(name)
        if answer is None:
            raise RequestError("command.unknown", f"this test has no answer to {name}")
        return answer(fields) if callable(answer) else answer


def process(process_id: str = "shop/server", **fields: Any) -> dict[str, Any]:
    """Return a process record; what is not given is as in a process that runs since a while."""
    workspace, _, name = process_id.rpartition("/")
    record = {
        "process_id": process_id, "workspace": workspace or None, "name": name, "command": "npm run dev",
        "argv": ["npm", "run", "dev"], "cwd": "/", "state": "running", "desired": "up", "pid": 4711,
        "run_id": "5e0c", "run": 1, "restarts": 0, "created_at": "2026-01-01T00:00:00.000Z",
        "started_at": "2026-01-01T00:00:00.000Z", "ended_at": None, "exit_code": None, "signal": None, "reason": None,
        "waits_for": None, "next_start_at": None, "tries": 0, "max_tries": 10, "tty": True,
        "pane": True, "agent": None, "restart": "on_failure", "viewers": 1,
        "cpu_percent": 0.5, "memory_bytes": 96 * 1024 * 1024,
    }  # fmt: skip
    return {**record, **fields}


def workspace(name: str = "shop", **fields: Any) -> dict[str, Any]:
    """Return a workspace record."""
    record = {
        "name": name, "root": "/srv/shop", "template": "wezparallel.yaml", "created_at": "2026-01-01T00:00:00.000Z",
        "open": True, "focus": None, "processes": 1, "running": 1,
    }  # fmt: skip
    return {**record, **fields}
