"""Folders and an environment of a test's own, where WezTerm and wezparallel meet nothing of the user's."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.commandline import CommandLine
from tests.wezterm.binaries import binary
from tests.wezterm.waiting import wait_for
from wezparallel.client.sync import Client

KEPT = ("LANG", "LC_ALL", "USER", "LOGNAME", "TZ")


class Place:
    """A home, a runtime folder of each program, and the environment that leads there.

    Paths of sockets must be short, so all of it lies in a short folder; a new one each time, whose name is also how
    what was started here is found again.
    """

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="wzt-", dir="/tmp"))
        self.home = self.root / "home"
        self.runtime = self.root / "run"
        self.wezparallel_runtime = self.root / "wzp"
        for folder in (self.home, self.runtime, self.wezparallel_runtime):
            folder.mkdir(mode=0o700)
        self.config = self.home / ".config" / "wezterm" / "wezterm.lua"
        self.config.parent.mkdir(parents=True)
        self.wezparallel_config = self.home / ".config" / "wezterm-parallel" / "config.yaml"
        self.wezparallel_config.parent.mkdir()
        for shell_file in (".bash_profile", ".bashrc"):  # WezTerm starts the account's shell, whatever SHELL says
            (self.home / shell_file).write_text("PS1='$ '\n")
        self.env = {
            **{name: os.environ[name] for name in KEPT if name in os.environ},
            "LANG": "C.UTF-8",
            # The command under test first, then WezTerm's own.
            "PATH": f"{Path(sys.executable).parent}:{Path(binary('wezterm')).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "SHELL": "/bin/sh",
            "PS1": "$ ",
            "XDG_RUNTIME_DIR": str(self.runtime),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_HOME": str(self.home / ".local" / "share"),
            "XDG_STATE_HOME": str(self.home / ".local" / "state"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "WEZPARALLEL_RUNTIME_DIR": str(self.wezparallel_runtime),
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        }
        self.wezparallel = CommandLine(self.env, self.home)

    def write(self, path: str, text: str) -> Path:
        """Write a file under the home; return where it is."""
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def hub(self) -> Client:
        """Return a client of the hub that runs here."""
        return Client(str(self.wezparallel_runtime / "hub.sock"))

    def close(self) -> None:
        """End what still runs here, wezparallel's daemon in good order, and delete the folders."""
        if (self.wezparallel_runtime / "keeper.sock").exists():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wezparallel("daemon", "stop", "--all", "--yes")
        for pid in self.running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self.running(), "the end of what was started")
        shutil.rmtree(self.root)

    def running(self) -> list[int]:
        """Return the pids of what was started here: each has the runtime folder's name in its environment."""
        mark = f"XDG_RUNTIME_DIR={self.runtime}\0".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes() + b"\0":
                    found.append(int(folder.name))
        return found
