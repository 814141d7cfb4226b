"""What is started for every key and every pane: call.py and the attach client, against a bare interpreter."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from benches.daemon import PACKAGE, daemon, folder
from benches.keepers import ATTACH, Ours, opened
from benches.measure import Row, at_most, below, p50, pss
from tests.support.daemon import Daemon
from wezparallel.wire import frames

BARE = [sys.executable, "-I", "-S", "-c", "pass"]
ROUNDS = 40


def seconds_to_end(command: list[str], env: dict[str, str]) -> float:
    """Start a program and wait for its end."""
    begin = time.perf_counter()
    actions = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    pid = os.posix_spawn(command[0], command, env, file_actions=actions)
    os.waitpid(pid, 0)
    return time.perf_counter() - begin


class Door:
    """A socket that takes an attach client's hello and says no more."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()

    def seconds_to_hello(self) -> float:
        """Start an attach client on a terminal; return the seconds until its hello is here."""
        begin = time.perf_counter()
        command = [sys.executable, "-I", "-S", ATTACH, "bench/a", "--socket", self.path]
        master, slave = os.openpty()
        client = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave)
        sock, _ = self._listener.accept()
        reader = frames.FrameReader()
        while not reader.feed(sock.recv(65536)):
            pass
        taken = time.perf_counter() - begin
        sock.close()
        client.wait(10)
        os.close(master)
        os.close(slave)
        return taken

    def close(self) -> None:
        """Close it."""
        self._listener.close()


def run() -> list[Row]:
    """Measure."""
    bare: list[float] = []
    call: list[float] = []
    hello: list[float] = []
    with daemon() as running, folder() as path, contextlib.closing(Door(path / "door")) as door:
        command = [sys.executable, "-I", "-S", str(PACKAGE / "client" / "call.py"), '{"Ping":{}}']
        for _ in range(ROUNDS):
            bare.append(seconds_to_end(BARE, running.env))
            call.append(seconds_to_end(command, running.env))
            hello.append(door.seconds_to_hello())
        memory = attached_memory(running)
    floor = {"bare python3 -I -S": p50(bare)}
    return [
        at_most("client/call.py", p50(call), floor, 1.5, "s"),
        at_most("attach client, exec to hello received", p50(hello), floor, 1.5, "s"),
        below("attach client, PSS, median of 4 panes", memory, 7, "MB"),
    ]


def attached_memory(running: Daemon) -> float:
    """Return the median PSS of four attach clients that wait."""
    with contextlib.ExitStack() as stack:
        script = "stty raw -echo; echo READY; exec cat"
        four = [stack.enter_context(opened(Ours(running), f"memory-{number}", script)) for number in range(4)]
        for pane in four:
            pane.until(b"READY")
            pane.settle()
        return p50([pss(pane.client.pid) for pane in four])
