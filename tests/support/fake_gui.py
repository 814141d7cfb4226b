"""A stand-in for WezTerm: a process of its own that makes panes, starts the attach client in each, and closes them.

`FakeGui` is the test's end. The program itself (`python -m tests.support.fake_gui FOLDER`) reads lines `open PANE
PROCESS`, `shell PANE PROCESS` and `close PANE`, answers each with a line, and writes what a pane shows to
FOLDER/PANE. It listens at FOLDER/gui-sock-PID, as WezTerm does, and answers nothing there.
"""

from __future__ import annotations

import fcntl
import os
import pty
import selectors
import signal
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

import wezparallel

ATTACH = str(Path(wezparallel.__file__).parent / "client" / "attach.py")


class FakeGui:
    """One GUI, of which panes can be asked."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        folder.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fake_gui", str(folder)],
            env={**env, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, start_new_session=True,
        )  # fmt: skip
        self.mux = f"{folder}/gui-sock-{self.process.pid}"
        if self._answer() != "serves":
            self.end()
            raise AssertionError("the GUI did not begin")

    def open(self, pane: int, process_id: str, *, in_shell: bool = False) -> int:
        """Make a pane that shows a process; return its program's pid: the client's, or that of a shell above it."""
        return int(self._say(f"{'shell' if in_shell else 'open'} {pane} {process_id}"))

    def close(self, pane: int) -> None:
        """Close a pane as WezTerm does at a key press."""
        self._say(f"close {pane}")

    def shown(self, pane: int) -> bytes:
        """Return all that a pane was given to show."""
        return (self.folder / str(pane)).read_bytes()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(10)

    def quit(self) -> None:
        """Close all panes, and end a moment later, as WezTerm does."""
        self._say("quit")
        self.process.wait(10)

    def end(self) -> None:
        """Leave nothing behind."""
        self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()

    def _say(self, words: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(words + "\n")
        return self._answer()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


class _Gui:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._selector = selectors.DefaultSelector()
        self._panes: dict[str, tuple[int, int]] = {}
        self.mux = f"{folder}/gui-sock-{os.getpid()}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.mux)
        self._listener.listen()

    def run(self) -> None:
        self._selector.register(sys.stdin, selectors.EVENT_READ, None)
        print("serves", flush=True)
        while True:
            for key, _ in self._selector.select():
                if key.data is not None:
                    if self._panes.get(key.data, (-1, 0))[0] == key.fd:  # else it was closed in this very turn
                        self._show(key.fd, key.data)
                elif line := os.read(0, 4096).decode():
                    self._do(line.split())
                else:
                    return

    def _do(self, words: list[str]) -> None:
        if words[0] in {"open", "shell"}:
            print(self._open(words[1], words[2], in_shell=words[0] == "shell"), flush=True)
        elif words[0] == "close":
            self._close(words[1])
            print("closed", flush=True)
        else:
            for pane in list(self._panes):
                self._close(pane)
            print("quits", flush=True)
            signal.sigtimedwait([], 0.5)
            sys.exit(0)

    def _open(self, pane: str, process_id: str, *, in_shell: bool) -> int:
        env = {**os.environ, "WEZTERM_PANE": pane, "WEZTERM_UNIX_SOCKET": self.mux, "TERM_PROGRAM": "WezTerm",
               "TERM": "xterm-256color"}  # fmt: skip
        env.pop("TMUX", None)
        pid, master = pty.fork()
        if not pid:
            argv = [sys.executable, "-I", "-S", ATTACH, process_id]
            argv = ["/bin/sh", "-c", f"{' '.join(argv)}; exec sleep 1000"] if in_shell else argv
            os.execve(argv[0], argv, env)
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        (self._folder / pane).touch()
        self._panes[pane] = (master, pid)
        self._selector.register(master, selectors.EVENT_READ, pane)
        return pid

    def _close(self, pane: str) -> None:
        master, pid = self._panes.pop(pane)
        os.kill(pid, signal.SIGHUP)
        end_of_file = termios.tcgetattr(master)[6][termios.VEOF]
        if end_of_file != b"\x00":
            os.write(master, b"\n" + end_of_file)
        self._forget(master)
        os.waitpid(pid, 0)

    def _forget(self, master: int) -> None:
        self._selector.unregister(master)
        os.close(master)

    def _show(self, master: int, pane: str) -> None:
        try:
            data = os.read(master, 65536)
        except OSError:
            data = b""
        if data:
            with (self._folder / pane).open("ab") as file:
                file.write(data)
            return
        self._forget(master)
        pid = self._panes.pop(pane)[1]
        os.waitpid(pid, 0)


if __name__ == "__main__":
    _Gui(Path(sys.argv[1])).run()
