"""Programs that hold a terminal which somebody attaches to: ours, and those that people use instead, in one shape."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from benches.daemon import PACKAGE
from benches.panes import Pane, closing
from benches.peers import present
from tests.support.daemon import Daemon

ATTACH = str(PACKAGE / "client" / "attach.py")
PEERS = ("dtach", "tmux", "shpool")


class Keeper(Protocol):
    """One of them, with sessions of its own."""

    env: dict[str, str]

    def create(self, name: str, script: str) -> list[str]:
        """Return a command that starts a shell line and attaches to it."""

    def attach(self, name: str) -> list[str]:
        """Return a command that attaches to it again."""

    def daemons(self) -> list[int]:
        """Return the processes that hold the sessions."""

    def end(self) -> None:
        """End them, with all sessions."""


class Ours:
    """A running daemon."""

    def __init__(self, running: Daemon, *options: str) -> None:
        self.env = running.env
        self._running = running
        self._options = options

    def create(self, name: str, script: str) -> list[str]:
        """Have it started; what the command does is to attach."""
        self._running.call("ProcessAdd", id=f"bench/{name}", command="/bin/sh", args=["-c", script], tty=True)
        return self.attach(name)

    def attach(self, name: str) -> list[str]:
        """Return the attach client's command, as a pane of WezTerm has it."""
        socket = f"{self._running.runtime}/keeper.sock"
        return [sys.executable, "-I", "-S", ATTACH, f"bench/{name}", "--socket", socket, *self._options]

    def daemons(self) -> list[int]:
        """Keeper and hub."""
        status = self._running.call("Status")
        return [status["keeper_pid"], status["hub_pid"]]

    def end(self) -> None:
        """Whoever started the daemon ends it."""


class Dtach:
    """A process for each session."""

    def __init__(self, folder: Path) -> None:
        self.env = _environment()
        self._folder = folder

    def create(self, name: str, script: str) -> list[str]:
        """Return the command."""
        return ["dtach", "-c", self._path(name), "-E", "-z", "-r", "none", "/bin/sh", "-c", script]

    def attach(self, name: str) -> list[str]:
        """Return the command."""
        return ["dtach", "-a", self._path(name), "-E", "-z", "-r", "none"]

    def daemons(self) -> list[int]:
        """The masters: those whose command line names one of our sockets and creates it."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                in_ours = len(words) > 2 and words[2].startswith(os.fsencode(self._folder) + b"/")
                if words[:2] == [b"dtach", b"-c"] and in_ours and not _has_terminal(int(pid)):
                    found.append(int(pid))
        return found

    def end(self) -> None:
        """End the masters."""
        for pid in self.daemons():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}.dtach"


class Tmux:
    """A server for all sessions, without their status lines."""

    def __init__(self, folder: Path) -> None:
        self.env = _environment()
        (folder / "tmux.conf").write_text("set -g status off\n")
        self._server = ["tmux", "-S", f"{folder}/tmux", "-f", f"{folder}/tmux.conf"]

    def create(self, name: str, script: str) -> list[str]:
        """Return the command."""
        return [*self._server, "new-session", "-s", name, script]

    def attach(self, name: str) -> list[str]:
        """Return the command."""
        return [*self._server, "attach", "-t", name]

    def daemons(self) -> list[int]:
        """The server."""
        shown = subprocess.run([*self._server, "display", "-p", "#{pid}"], check=True, capture_output=True)
        return [int(shown.stdout)]

    def end(self) -> None:
        """End the server."""
        subprocess.run([*self._server, "kill-server"], check=False, capture_output=True)


class Shpool:
    """A daemon for all sessions; its client translates nothing."""

    def __init__(self, folder: Path) -> None:
        self.env = {**_environment(), "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        config = folder / "shpool.toml"
        config.write_text('session_restore_mode = "screen"\n')
        socket = folder / "shpool.sock"
        self._shpool = ["shpool", "--no-daemonize", "--socket", str(socket), "--config-file", str(config)]
        self._daemon = subprocess.Popen(
            [*self._shpool, "daemon"], env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while not socket.exists():
            if time.monotonic() > deadline or self._daemon.poll() is not None:
                raise RuntimeError("shpool does not start")
            time.sleep(0.01)

    def create(self, name: str, script: str) -> list[str]:
        """Return the command."""
        return [*self._shpool, "attach", "--cmd", shlex.join(["/bin/sh", "-c", script]), name]

    def attach(self, name: str) -> list[str]:
        """Return the command; a client that was killed may still be thought to be there."""
        return [*self._shpool, "attach", "--force", name]

    def daemons(self) -> list[int]:
        """The daemon."""
        return [self._daemon.pid]

    def end(self) -> None:
        """End it, and with it the sessions."""
        self._daemon.terminate()
        self._daemon.wait(20)


@contextmanager
def keepers(
    running: Daemon, folder: Path, *options: str, peers: tuple[str, ...] = PEERS
) -> Iterator[dict[str, Keeper]]:
    """Give ours (with options for its client) and every peer that is installed; end what they hold."""
    made: dict[str, Keeper] = {"ours": Ours(running, *options)}
    classes: dict[str, type[Dtach | Tmux | Shpool]] = {"dtach": Dtach, "tmux": Tmux, "shpool": Shpool}
    with ExitStack() as stack:
        for name in filter(present, peers):
            made[name] = classes[name](folder)
            stack.callback(made[name].end)
        yield made


@contextmanager
def opened(keeper: Keeper, name: str, script: str) -> Iterator[Pane]:
    """Give a pane that is attached to a new session."""
    with closing(Pane(keeper.create(name, script), keeper.env)) as pane:
        yield pane


def _has_terminal(pid: int) -> bool:
    """Tell whether a process reads from a terminal, as a client does and a master does not."""
    return os.readlink(f"/proc/{pid}/fd/0").startswith("/dev/pts/")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "TMUX"} | {"TERM": "xterm-256color"}
