"""A terminal for an attach client, with the bench at its other end."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

KEYS = b"qzxwvjgk"  # none of them ends an escape sequence that tmux paints with


class Pane:
    """One terminal and the client in it."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        self.client = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(slave)

    def type(self, data: bytes) -> None:
        """Press keys."""
        os.write(self.master, data)

    def until(self, text: bytes, timeout_s: float = 20) -> bytes:
        """Read until a text was shown; return all that was."""
        seen = b""
        deadline = time.monotonic() + timeout_s
        while text not in seen:
            if not select.select([self.master], [], [], max(0, deadline - time.monotonic()))[0]:
                raise RuntimeError(f"waited for {text!r}, shown was {seen[-300:]!r}")
            seen += os.read(self.master, 1 << 18)
        return seen

    def settle(self) -> None:
        """Read until nothing comes for a moment."""
        while select.select([self.master], [], [], 0.3)[0]:
            os.read(self.master, 1 << 18)

    def echo(self, key: bytes) -> float:
        """Press a key; return the seconds until it is shown."""
        begin = time.perf_counter()
        os.write(self.master, key)
        while key not in os.read(self.master, 4096):
            pass
        return time.perf_counter() - begin

    def echoes(self, count: int) -> list[float]:
        """Press keys one after another, each when the one before was shown."""
        taken = []
        for number in range(count):
            key = KEYS[number % len(KEYS) :][:1]
            taken.append(self.echo(key))
            time.sleep(0.0005)
        return taken

    def close(self) -> None:
        """End the client."""
        self.client.kill()
        self.client.wait(10)
        os.close(self.master)


@contextmanager
def closing(pane: Pane) -> Iterator[Pane]:
    """Close a pane afterwards."""
    try:
        yield pane
    finally:
        pane.close()
