"""A real daemon, keeper and hub, in folders of its own; the product as a user has it, but for its places."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.waiting import until
from wezparallel.client.sync import Client


class Daemon:
    """One running daemon."""

    def __init__(self, runtime: str, home: Path) -> None:
        self.runtime = runtime
        self.home = home
        self.failpoints = home / "failpoints"
        self.failpoints.mkdir()
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("WEZPARALLEL_")},
            "HOME": str(home),
            "SHELL": "/bin/sh",
            "WEZPARALLEL_RUNTIME_DIR": runtime,
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "WEZPARALLEL_FAILPOINTS": str(self.failpoints),
        }
        self.socket = f"{runtime}/hub.sock"
        self.keeper: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the keeper and wait for its hub's first Pong."""
        errors = (self.home / "keeper.err").open("ab")
        with errors:
            self.keeper = subprocess.Popen(
                [sys.executable, "-m", "wezparallel.keeper", "--foreground"], env=self.env, stderr=errors, cwd="/"
            )
        until(self._answers, 20, "the hub's first Pong")

    def client(self) -> Client:
        """Return a new client of the public socket."""
        return Client(self.socket)

    def call(self, command: str, /, **fields: Any) -> dict[str, Any]:
        """Ask once; return the reply's body. Raises RequestError."""
        with self.client() as client:
            return client.call(command, fields)

    def raw(self, data: bytes, *, half_close: bool = True, timeout_s: float = 10) -> bytes:
        """Send bytes as they are; return all that comes until the hub closes."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(timeout_s)
            sock.connect(self.socket)
            sock.sendall(data)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            received = b""
            while chunk := sock.recv(1 << 16):
                received += chunk
            return received

    def hub_pid(self) -> int:
        """Return the present hub's pid."""
        return int(self.call("Status")["hub_pid"])

    def kill_hub(self) -> int:
        """SIGKILL the hub; return the pid that it had."""
        pid = self.hub_pid()
        os.kill(pid, signal.SIGKILL)
        return pid

    def arm(self, failpoint: str) -> None:
        """Have the hub die at its next pass over a failpoint."""
        (self.failpoints / failpoint).touch()

    def stop(self) -> None:
        """End everything that this daemon started."""
        if self.keeper is None:
            return
        try:
            with Client(self.socket, patience_s=10) as client:
                client.call("Shutdown", {"children": True}, timeout_s=30)
            self.keeper.wait(20)
        except Exception:
            self.keeper.kill()
            self.keeper.wait(10)
            raise
        finally:
            self.keeper = None

    def _answers(self) -> bool:
        assert self.keeper is not None
        if self.keeper.poll() is not None:
            raise AssertionError(f"the keeper ended: {(self.home / 'keeper.err').read_text()}")
        try:
            return b"Pong" in self.raw(b'{"Ping":{}}\n', timeout_s=5)
        except OSError:
            return False


@contextmanager
def running_daemon(home: Path) -> Iterator[Daemon]:
    """Give a started daemon, and end it afterwards."""
    runtime = tempfile.mkdtemp(prefix="wzp-", dir="/tmp")
    daemon = Daemon(runtime, home)
    try:
        daemon.start()
        yield daemon
        daemon.stop()
    finally:
        if daemon.keeper is not None:
            daemon.keeper.kill()
            daemon.keeper.wait(10)
        shutil.rmtree(runtime, ignore_errors=True)


def clear(daemon: Daemon) -> None:
    """End and remove all that a daemon holds, so that the next test finds it as new."""
    with daemon.client() as client:
        for workspace in client.call("WorkspaceList", {})["workspaces"]:
            client.call("WorkspaceDelete", {"name": workspace["name"]})
        for process in client.call("ProcessList", {})["processes"]:
            client.call("ProcessRemove", {"process": process["process_id"]})
    kept = {daemon.home / "state", daemon.failpoints, daemon.home / "keeper.err"}
    for path in {*daemon.home.iterdir(), *daemon.failpoints.iterdir()} - kept:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def parse(data: bytes) -> list[dict[str, Any]]:
    """Return the JSON values of some lines."""
    return [json.loads(line) for line in data.splitlines()]
