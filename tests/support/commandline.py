"""The command line as a person or a script runs it: a process of its own, into pipes or on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

import pyte

PATIENCE_S = 30


@dataclass
class Done:
    """How an invocation ended."""

    code: int
    out: str
    err: str


class CommandLine:
    """Runs `wezparallel` with an environment of its own."""

    def __init__(self, environment: dict[str, str], cwd: Path) -> None:
        self.environment = {**environment, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self.environment.pop("NO_COLOR", None)
        self.cwd = cwd

    def __call__(self, *words: str, stdin: str = "", cwd: Path | None = None) -> Done:
        """Run it with pipes on all sides."""
        done = subprocess.run(
            [sys.executable, "-m", "wezparallel", *words], input=stdin, capture_output=True, text=True, check=False,
            env=self.environment, cwd=cwd or self.cwd, timeout=PATIENCE_S,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def on_terminal(self, *words: str, columns: int = 100, keys: dict[str, str] | None = None) -> Terminal:
        """Run it on a terminal to its end; type each value of `keys` once its key stands on the screen."""
        with self.terminal(*words, columns=columns) as terminal:
            for seen, answer in (keys or {}).items():
                terminal.wait_for(seen)
                terminal.type(answer)
            terminal.wait()
            return terminal

    def terminal(self, *words: str, columns: int = 100, rows: int = 40) -> Terminal:
        """Start it on a terminal."""
        return Terminal([sys.executable, "-m", "wezparallel", *words], self.environment, self.cwd, columns, rows)


class Terminal:
    """A program on a pseudo-terminal, and what its screen shows."""

    def __init__(self, argv: list[str], environment: dict[str, str], cwd: Path, columns: int, rows: int = 40) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
        self.raw = b""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.code: int | None = None
        self._program = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=cwd, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._program.poll() is None:
            self._program.kill()
        self.code = self._program.wait()
        os.close(self._master)

    @property
    def lines(self) -> list[str]:
        """What the screen shows, without empty lines at its end."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip("\n").split("\n")

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(self.lines)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def wait_for(self, words: str) -> None:
        """Wait until words stand on the screen."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.text:
            if not self._read(deadline):
                raise AssertionError(f"{words!r} never came; the screen shows:\n{self.text}")

    def wait(self) -> int:
        """Wait for the program's end; return its exit code."""
        deadline = time.monotonic() + PATIENCE_S
        while self._read(deadline):
            pass
        self.code = self._program.wait(PATIENCE_S)
        return self.code

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise AssertionError(f"nothing more came; the screen shows:\n{self.text}")
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the last holder of the terminal is gone
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)
