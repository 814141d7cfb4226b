"""A real keeper with a fake hub, and terminals to look at it with: the test plays WezTerm at the master's end."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import wezparallel
from tests.support.daemon import Daemon
from tests.support.fake_hub import FakeHub
from tests.support.waiting import until
from wezparallel.keeper import messages as m
from wezparallel.wire import frames, hello

PATIENCE_S = 10.0
ATTACH = str(Path(wezparallel.__file__).parent / "client" / "attach.py")
TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class HeldKeeper:
    """One keeper in folders of its own."""

    def __init__(self, runtime: str, home: Path, *limits: str) -> None:
        """Start one, under limits of `prlimit`."""
        self.runtime = runtime
        self.home = home
        self.failpoints = home / "failpoints"
        self.failpoints.mkdir()
        self.socket = f"{runtime}/keeper.sock"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WEZ")},
            "HOME": str(home),
            "SHELL": "/bin/sh",
            "TERM": "xterm-256color",
            "WEZPARALLEL_RUNTIME_DIR": runtime,
            "WEZPARALLEL_HUB_ARGV": "[]",
            "WEZPARALLEL_FAILPOINTS": str(self.failpoints),
            "XDG_STATE_HOME": str(home / "state"),
        }
        for name in ("TMUX", "STY", "ZELLIJ", "TERM_PROGRAM", "NO_COLOR"):
            self.env.pop(name, None)
        with (home / "keeper.err").open("ab") as errors:
            argv = [sys.executable, "-m", "wezparallel.keeper", "--foreground"]
            self.process = subprocess.Popen(
                [*(["prlimit", *limits] if limits else []), *argv], env=self.env, stderr=errors, cwd="/"
            )
        try:
            until(self._listens, PATIENCE_S, "the keeper's socket")
            self.hub = FakeHub(self.socket)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def log(self, process_id: str) -> bytes:
        """Return everything that a process has printed."""
        folder = self.home / "state" / "wezterm-parallel" / "logs" / process_id.replace("/", "%2F")
        return b"".join(path.read_bytes() for path in sorted(folder.glob("*.log")))

    def errors(self) -> str:
        """Return what the keeper said about itself."""
        return (self.home / "keeper.err").read_text()

    def _listens(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"the keeper ended: {self.errors()}")
        with socket.socket(socket.AF_UNIX) as sock:
            return sock.connect_ex(self.socket) == 0

    def stop(self) -> None:
        """End everything that this keeper holds."""
        self.hub.close()
        try:
            if self.process.poll() is None:
                self.tell_to_exit()
            self.process.wait(PATIENCE_S)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait(PATIENCE_S)

    def upgrade(self) -> None:
        """Have the keeper re-execute itself, and wait until it has."""
        argv = [sys.executable, "-m", "wezparallel.keeper", "--foreground"]
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE_S)
            sock.connect(self.socket)
            sock.sendall(frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_CONTROL)))
            sock.sendall(frames.pack(frames.UPGRADE, json.dumps({"argv": argv}).encode()))
            reader = frames.FrameReader()
            while data := sock.recv(65536):
                refused = [payload for kind, payload in reader.feed(data) if kind != frames.HELLO]
                assert not refused, refused

    def tell_to_exit(self) -> None:
        """Ask for the end of everything, by the control role."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self.socket)
            sock.sendall(frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_CONTROL)))
            body = json.dumps({"m": m.CONTROL_STOP, "n": 1, "children": True})
            sock.sendall(frames.pack(frames.MESSAGE, body.encode()))
            while sock.recv(65536):
                pass


@contextmanager
def held_keeper(home: Path, *limits: str) -> Iterator[HeldKeeper]:
    """Give a keeper, and end it with all that it holds; what it said of bugs fails the test."""
    runtime = tempfile.mkdtemp(prefix="wzp-", dir="/tmp")
    keeper = HeldKeeper(runtime, home, *limits)
    try:
        yield keeper
    finally:
        keeper.stop()
        shutil.rmtree(runtime, ignore_errors=True)
    assert "bug:" not in keeper.errors(), keeper.errors()


class Pane:
    """A terminal, and what was started in it."""

    def __init__(self, rows: int = 24, columns: int = 80) -> None:
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        self.resize(rows, columns)
        attributes = termios.tcgetattr(self.slave)
        attributes[6][termios.VERASE] = b"\x08"  # something of its own, so that a restored default is seen
        attributes[3] &= ~termios.ECHOE
        termios.tcsetattr(self.slave, termios.TCSANOW, attributes)
        self.before = termios.tcgetattr(self.slave)
        self.shown = b""
        self.client: subprocess.Popen[bytes] | None = None

    def attach(
        self,
        keeper: HeldKeeper | Daemon,
        *arguments: str,
        leads: bool = False,
        in_session: bool = False,
        **environment: str,
    ) -> None:
        """Start the attach client here.

        With `leads` it is the terminal's session leader, as WezTerm does it; with `in_session` a job of ours, that
        the kernel lets be stopped.
        """
        command = [sys.executable, "-I", "-S", ATTACH, *arguments]
        if leads:
            command = [sys.executable, "-c", TAKE_TERMINAL, *command]
        self.client = subprocess.Popen(
            command,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={**keeper.env, **environment},
            start_new_session=not in_session,
            process_group=0 if in_session else None,
        )

    def resize(self, rows: int, columns: int) -> None:
        """Give the terminal another size."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, data: bytes) -> None:
        """Type."""
        os.write(self.master, data)

    def read(self, timeout_s: float = 0) -> bytes:
        """Take in what is shown now."""
        data = b""
        while select.select([self.master], [], [], timeout_s)[0]:
            try:
                part = os.read(self.master, 65536)
            except (BlockingIOError, OSError):
                break
            if not part:
                break
            data += part
            timeout_s = 0
        self.shown += data
        return data

    def expect(self, text: bytes, timeout_s: float = PATIENCE_S) -> bytes:
        """Read until a text is shown; return everything up to its end, and forget that."""
        deadline = time.monotonic() + timeout_s
        while text not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0, f"waited for {text!r}; shown: {self.shown[-2000:]!r}"
            self.read(min(left, 0.2))
        end = self.shown.index(text) + len(text)
        seen, self.shown = self.shown[:end], self.shown[end:]
        return seen

    def drain(self, end: bytes) -> bytes:
        """Read a flood up to its last bytes; `expect` would look through all of it again and again."""
        data = bytearray(self.shown)
        self.shown = b""
        while not data.endswith(end):
            assert select.select([self.master], [], [], PATIENCE_S)[0], (
                f"nothing more came after {bytes(data[-99:])!r}"
            )
            data += os.read(self.master, 65536)
        return bytes(data)

    def read_until(self, condition: Callable[[], bool], what: str) -> None:
        """Take in what is shown until something holds."""

        def look() -> bool:
            self.read()
            return condition()

        until(look, PATIENCE_S, what)

    @property
    def attributes(self) -> list[Any]:
        """The terminal's termios of now."""
        return termios.tcgetattr(self.slave)

    @property
    def is_raw(self) -> bool:
        """Tell whether line editing is off and VEOF disabled."""
        return not self.attributes[3] & termios.ICANON and self.attributes[6][termios.VEOF] == b"\x00"

    def wait(self) -> int:
        """Wait for the client's end and return its code."""
        assert self.client is not None
        self.read_until(lambda: self.client is not None and self.client.poll() is not None, "the client's end")
        return self.client.returncode

    def close(self) -> None:
        """End the client and the terminal."""
        if self.client is not None and self.client.poll() is None:
            self.client.kill()
            self.client.wait(PATIENCE_S)
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)

    def close_like_wezterm(self, *, is_held: bool = True) -> None:
        """Hang up as WezTerm does: SIGHUP to the program, then a newline and VEOF if there is one, then close.

        A terminal that the keeper does not hold may be read by nobody then.
        """
        assert self.client is not None
        os.kill(self.client.pid, signal.SIGHUP)
        end_of_file = termios.tcgetattr(self.master)[6][termios.VEOF]
        if end_of_file != b"\x00":
            os.write(self.master, b"\n" + end_of_file)
            # WezTerm lives on for a while: whoever still reads gets it.
            if is_held:
                until(lambda: fcntl.ioctl(self.slave, termios.FIONREAD, b"1234") == bytes(4), 2, "a reader")
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = -1


def shell(keeper: HeldKeeper, script: str, **fields: object) -> dict[str, object]:
    """Start a script on a terminal."""
    return keeper.hub.spawn(["/bin/sh", "-c", script], tty=True, process_id="w/sh", **fields)


def cat(keeper: HeldKeeper, **fields: object) -> dict[str, object]:
    """Start a program that prints `ready` and then what is typed."""
    return shell(keeper, "stty raw -echo; printf ready; exec cat", **fields)
