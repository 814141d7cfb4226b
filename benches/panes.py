"""A terminal for an attach client, with the bench at its other end; and how to attach with each program."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benches.daemon import PACKAGE
from benches.peers import end_dtach
from tests.support.daemon import Daemon

ATTACH = str(PACKAGE / "client" / "attach.py")
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


Opener = Callable[[str], Pane]
"""Takes a shell line, returns a pane that is attached to it."""


@contextmanager
def ours(running: Daemon, name: str, script: str, *options: str) -> Iterator[Pane]:
    """A pane of our attach client."""
    running.call("ProcessAdd", id=f"bench/{name}", command="/bin/sh", args=["-c", script], tty=True)
    with closing(attach(running, f"bench/{name}", *options)) as pane:
        yield pane


def attach(running: Daemon, process_id: str, *options: str) -> Pane:
    """Open a pane with our attach client."""
    command = [sys.executable, "-I", "-S", ATTACH, process_id, "--socket", f"{running.runtime}/keeper.sock"]
    return Pane([*command, *options], running.env)


@contextmanager
def dtach(folder: Path, name: str, script: str) -> Iterator[Pane]:
    """A pane of dtach."""
    path = f"{folder}/{name}.dtach"
    command = ["dtach", "-c", path, "-E", "-z", "-r", "none", "/bin/sh", "-c", script]
    with closing(Pane(command, {**os.environ, "TERM": "xterm-256color"})) as pane:
        try:
            yield pane
        finally:
            end_dtach(path)


@contextmanager
def tmux(folder: Path, name: str, script: str) -> Iterator[Pane]:
    """A pane of tmux, without its status line."""
    server = ["tmux", "-S", f"{folder}/{name}.tmux", "-f", "/dev/null"]
    env = {name: value for name, value in os.environ.items() if name != "TMUX"} | {"TERM": "xterm-256color"}
    command = [*server, "new-session", script, ";", "set", "status", "off"]
    with closing(Pane(command, env)) as pane:
        try:
            yield pane
        finally:
            subprocess.run([*server, "kill-server"], check=False, capture_output=True)


@contextmanager
def closing(pane: Pane) -> Iterator[Pane]:
    """Close a pane afterwards."""
    try:
        yield pane
    finally:
        pane.close()
