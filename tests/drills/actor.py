"""A program of the drill in a process of its own: it prints JSON lines, and ends when its stdin does.

The drill reads clocks to the millisecond, so whoever works (checks gigabytes, sends mutations) does so elsewhere.
Above: the drills. Below: nothing.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import threading
from typing import Any


class Actor:
    """Runs `python -m MODULE ARGS` and collects what it says."""

    def __init__(self, module: str, *args: str, env: dict[str, str]) -> None:
        self.name = module.rpartition(".")[2]
        self._said: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *args], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def said(self, kind: str) -> list[dict[str, Any]]:
        """Return what it has said of a kind, oldest first."""
        with self._changed:
            return [message for message in self._said if message["kind"] == kind]

    def wait_for(self, kind: str, timeout_s: float, count: int = 1) -> dict[str, Any] | None:
        """Wait until it has said that; return it, or None when time is up or it has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._has(kind, count) or not self._reader.is_alive(), timeout_s)
            found = [message for message in self._said if message["kind"] == kind]
            return found[count - 1] if len(found) >= count else None

    def end(self, timeout_s: float = 60.0) -> int | None:
        """Have it end; return its exit code, None when it had to be killed."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            code: int | None = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        self._reader.join(10)
        return code

    def _has(self, kind: str, count: int) -> bool:
        return sum(message["kind"] == kind for message in self._said) >= count

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                with self._changed:
                    self._said.append(json.loads(line))
                    self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()


_saying = threading.Lock()


def say(kind: str, **fields: Any) -> None:
    """Print one line, in an actor."""
    with _saying:
        sys.stdout.write(json.dumps({"kind": kind, **fields}) + "\n")
        sys.stdout.flush()


def is_told_to_end(timeout_s: float = 0.0) -> bool:
    """Tell whether the drill has closed our stdin."""
    ready, _, _ = select.select([sys.stdin], [], [], timeout_s)
    return bool(ready)
