"""A real keeper in a runtime directory of its own, ended with everything it started."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.fake_hub import FakeHub
from tests.support.handing import clear
from tests.support.viewing import HeldKeeper, Pane, held_keeper
from wezparallel import paths
from wezparallel.wire import frames, hello

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_S = 20.0


def wait_until(fits: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """Poll until it fits; the bound is only reached when something is broken."""
    deadline = time.monotonic() + patience_s
    while True:
        value = fits()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{fits} never became true")
        select_pause()


def select_pause() -> None:
    """Give the machine to others for a moment."""
    os.sched_yield()
    signal.sigtimedwait([], 0.005)


class Daemon:
    """One keeper and the ways to it."""

    def __init__(self, root: Path, hub_argv: list[str] | None) -> None:
        self.runtime = tempfile.mkdtemp(prefix="wzp", dir="/tmp")
        self.state = root / "state"
        self.env = {
            **os.environ,
            "WEZPARALLEL_RUNTIME_DIR": self.runtime,
            "XDG_STATE_HOME": str(root / "state"),
            "XDG_CONFIG_HOME": str(root / "config"),
            "WEZPARALLEL_HUB_ARGV": json.dumps(hub_argv or []),
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.hubs: list[FakeHub] = []

    @property
    def private(self) -> str:
        return self.runtime + "/keeper.sock"

    @property
    def public(self) -> str:
        return self.runtime + "/hub.sock"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def launch(self, *limits: str) -> subprocess.Popen[bytes]:
        """Start a keeper program, under limits of `prlimit`; it may find the place taken."""
        argv = [*(["prlimit", *limits] if limits else []), sys.executable, "-m", "wezparallel.keeper", "--foreground"]
        with open(self.runtime + "/keeper.err", "ab") as log:
            return subprocess.Popen(argv, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self, *limits: str) -> Daemon:
        self.process = self.launch(*limits)
        wait_until(self.answers)
        return self

    def answers(self) -> bool:
        try:
            return bool(self.control("status"))
        except OSError:
            return False

    def hub(self, **options: Any) -> FakeHub:
        hub = FakeHub(self.private, **options)
        self.hubs.append(hub)
        return hub

    def control(self, name: str, **fields: object) -> dict[str, Any]:
        """Ask the keeper by the control role."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE_S)
            sock.connect(self.private)
            sock.sendall(frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_CONTROL)))
            sock.sendall(frames.pack(frames.MESSAGE, json.dumps({"m": name, "n": 1, **fields}).encode()))
            reader = frames.FrameReader()
            while data := sock.recv(65536):
                for kind, payload in reader.feed(data):
                    if kind == frames.MESSAGE:
                        return dict(json.loads(payload))
        return {}

    def upgrade(self, argv: list[str] | None = None) -> dict[str, Any] | None:
        """Ask for an upgrade by the control role; return a refusal, or None when the connection ended without."""
        argv = argv or [sys.executable, "-m", "wezparallel.keeper", "--foreground"]
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(PATIENCE_S)
            sock.connect(self.private)
            sock.sendall(frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_CONTROL)))
            sock.sendall(frames.pack(frames.UPGRADE, json.dumps({"argv": argv}).encode()))
            reader = frames.FrameReader()
            while data := sock.recv(65536):
                for kind, payload in reader.feed(data):
                    if kind == frames.REFUSED:
                        return dict(json.loads(payload))
        return None

    def log(self, process_id: str) -> bytes:
        """Return everything that stands in a process's log."""
        folder = paths.log_dir(process_id, str(self.state / "wezterm-parallel" / "logs"))
        segments = sorted(Path(folder).glob("*.log"))
        return b"".join(segment.read_bytes() for segment in segments)

    def log_bytes(self, process_id: str) -> int:
        """Return the size of a process's log."""
        folder = paths.log_dir(process_id, str(self.state / "wezterm-parallel" / "logs"))
        return sum(segment.stat().st_size for segment in Path(folder).glob("*.log"))

    def said(self) -> str:
        """Return what the keeper wrote about itself."""
        return Path(self.runtime, "keeper.err").read_text()

    def open_fds(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def end(self) -> None:
        """End the keeper with everything that it holds."""
        for hub in self.hubs:
            hub.close()
        if self.process is not None:
            if self.process.poll() is None:
                try:
                    self.control("exit", children=True)
                    self.process.wait(PATIENCE_S)
                except (OSError, subprocess.TimeoutExpired):
                    self.process.kill()
                    self.process.wait()
            said = self.said()
            assert "bug:" not in said, said
        shutil.rmtree(self.runtime, ignore_errors=True)


@pytest.fixture
def make_daemon(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Make a keeper that is not started yet; `hub_argv` replaces the hub."""
    made: list[Daemon] = []

    def make(hub_argv: list[str] | None = None) -> Daemon:
        root = tmp_path / f"d{len(made)}"
        root.mkdir()
        made.append(Daemon(root, hub_argv))
        return made[-1]

    yield make
    for daemon in made:
        daemon.end()


@pytest.fixture
def daemon(make_daemon: Callable[..., Daemon]) -> Daemon:
    """A running keeper without a hub of its own."""
    return make_daemon().start()


@pytest.fixture
def hub(daemon: Daemon) -> FakeHub:
    """A fake hub that has adopted the (empty) keeper."""
    return daemon.hub()


@pytest.fixture(scope="module")
def one_keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeldKeeper]:
    """One keeper for a module's tests of viewers: a test then takes a tenth of a second."""
    with held_keeper(tmp_path_factory.mktemp("home")) as keeper:
        yield keeper


@pytest.fixture
def held(one_keeper: HeldKeeper) -> Iterator[HeldKeeper]:
    """The module's keeper, with nothing left in it afterwards."""
    yield one_keeper
    clear(one_keeper)


@pytest.fixture
def pane() -> Iterator[Pane]:
    """A terminal, closed with its client afterwards."""
    one = Pane()
    yield one
    one.close()
