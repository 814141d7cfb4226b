"""A daemon that runs from a venv of its own, and other venvs that it can go over to."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.programs import Program, environment
from tests.support.waiting import until
from wezparallel.errors import LinkError, RequestError


class Installed(Daemon):
    """A daemon of some installation."""

    def __init__(self, runtime: str, home: Path, program: Program, **more: str) -> None:
        super().__init__(runtime, home)
        self.program = program
        self.env = environment(self.env, **more)

    def start(self) -> None:
        """Start the keeper and wait for its hub's first Pong."""
        with (self.home / "keeper.err").open("ab") as errors:
            argv = [self.program.python, "-m", "wezparallel.keeper", "--foreground"]
            self.keeper = subprocess.Popen(argv, env=self.env, stderr=errors, cwd="/")
        until(self._answers, 20, "the hub's first Pong")

    def run(self, program: Program, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a verb of some installation."""
        return subprocess.run(
            [program.command, *words], env=self.env, cwd=self.home, capture_output=True, text=True, check=False,
            timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def keeper_pid(self) -> int:
        """The keeper's pid."""
        assert self.keeper is not None
        return self.keeper.pid

    def add(self, name: str, argv: list[str], **fields: Any) -> dict[str, Any]:
        """Add a process and return its record."""
        process = {"id": f"home/{name}", "command": argv[0], "args": argv[1:], "cwd": "/", **fields}
        return dict(self.call("ProcessAdd", **process)["process"])

    def log(self, name: str) -> bytes:
        """Return what a process of the home workspace has printed, as far as it is kept."""
        folder = self.home / "state" / "wezterm-parallel" / "logs" / f"home%2F{name}"
        return b"".join(path.read_bytes() for path in sorted(folder.glob("*.log")))

    def said(self) -> str:
        """Return what keeper and hub wrote about themselves."""
        logs = [self.home / "keeper.err", self.home / "state" / "wezterm-parallel" / "hub.log"]
        return "".join(log.read_text() for log in logs if log.exists())


@pytest.fixture
def first(tmp_path: Path) -> Program:
    """The installation that the daemon is started from."""
    return Program(tmp_path / "first", "1.0.0")


@pytest.fixture
def second(tmp_path: Path) -> Program:
    """Another one."""
    return Program(tmp_path / "second", "2.0.0")


def running(stack: ExitStack, root: Path, program: Program, **more: str) -> Installed:
    """Start a daemon of an installation; the stack ends it."""
    runtime = tempfile.mkdtemp(prefix="wzp-", dir="/tmp")
    stack.callback(shutil.rmtree, runtime, ignore_errors=True)
    home = root / "home"
    home.mkdir()
    daemon = Installed(runtime, home, program, **more)
    stack.callback(end, daemon)
    daemon.start()
    return daemon


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Installed]]:
    """Start a daemon of an installation; it is ended afterwards."""
    with ExitStack() as stack:
        yield lambda program, **more: running(stack, tmp_path, program, **more)


def end(daemon: Installed) -> None:
    """End a daemon with all that it holds; what it said of bugs fails the test."""
    if daemon.keeper is None:
        return
    keeper = daemon.keeper
    try:
        daemon.stop()
    except (RequestError, LinkError, OSError, subprocess.TimeoutExpired):
        if keeper.poll() is None:
            keeper.kill()
            keeper.wait(10)
        raise
    assert "bug:" not in daemon.said(), daemon.said()


def exists(pid: int) -> bool:
    """Tell whether a process is there."""
    return os.path.exists(f"/proc/{pid}")
