"""The dashboard over 200 processes that print and change their state: what it costs, and how soon a key is answered.

It runs on a terminal of its own, whose screen is read as it comes. A key is answered when the mark of the cursor is
drawn in the row where that key puts it.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

from benches.daemon import Lines, daemon
from benches.measure import Row, below, cpu_s, p50, p99, rss

COUNT = 200
ROWS, COLUMNS = 50, 160
SETTLE_S = 8.0
WATCH_S = 15.0
KEYS = 60
BETWEEN_S = 0.15
_CURSOR = re.compile(rb"\x1b\[(\d+);1H(?:\x1b\[[0-9;]*m)*\xe2\x96\xb8")
# Prints twice a second and ends after some seconds, each after others; it comes back at once.
PROGRAM = (
    'exec 3<> <(:); i=0; while [ $i -lt $((16 + $$ % 9)) ]; do i=$((i+1)); echo "$$ line $i"; '
    "read -rt 0.5 -u 3; done; exit 1"
)


def run() -> list[Row]:
    """Measure."""
    with daemon() as running:
        lines = Lines(running.socket)
        fields = {
            "command": "/bin/bash", "args": ["-c", PROGRAM], "tty": True, "restart": "always", "backoff_s": 0.0,
            "log_cap_bytes": 1 << 20, "give_up": {"tries": 1000},
        }  # fmt: skip
        for number in range(4):
            (running.home / f"w{number}").mkdir()
        lines.all([
            ("ProcessAdd", {"id": f"w{number % 4}/busy-{number}", "root": f"{running.home}/w{number % 4}", **fields})
            for number in range(COUNT)
        ])  # fmt: skip
        lines.close()
        screen = Screen(running.env)
        try:
            screen.read(SETTLE_S)
            rows = [below(f"{HEADLINE}: processor", screen.cost(WATCH_S), 15, "% of a core")]
            answers = [screen.press(b"j" if number % 2 == 0 else b"k") for number in range(KEYS)]
            return [
                *rows,
                below(f"{HEADLINE}: key to answer, p50", p50(answers), 0.1, "s"),
                below(f"{HEADLINE}: key to answer, p99", p99(answers), 0.1, "s"),
                below(f"{HEADLINE}: memory, RSS", rss(screen.pid), 100, "MB"),
            ]
        finally:
            screen.close()


HEADLINE = "dashboard, 200 processes that print and change"


class Screen:
    """The dashboard on a terminal."""

    def __init__(self, env: dict[str, str]) -> None:
        self._end, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", ROWS, COLUMNS, 0, 0))
        self._program = subprocess.Popen(
            [sys.executable, "-m", "wezparallel.frontends.tui"], env=env, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.pid = self._program.pid
        self._row = 0
        """Where the cursor's mark was drawn last."""

    def read(self, seconds: float) -> None:
        """Take what is drawn for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._take(left)

    def cost(self, seconds: float) -> float:
        """Return the processor time that is used meanwhile, in percent of a core."""
        before = cpu_s(self.pid)
        self.read(seconds)
        return (cpu_s(self.pid) - before) / seconds * 100

    def press(self, key: bytes) -> float:
        """Press a key that moves the cursor; return how long it takes until it is seen elsewhere."""
        row = self._row
        begin = time.perf_counter()
        os.write(self._end, key)
        while self._row == row:
            self._take(1.0)
            if time.perf_counter() - begin > 10:
                raise TimeoutError("the dashboard does not answer a key")
        taken = time.perf_counter() - begin
        self.read(BETWEEN_S)
        return taken

    def _take(self, most_s: float) -> None:
        if select.select([self._end], [], [], most_s)[0]:
            found = _CURSOR.findall(os.read(self._end, 1 << 16))
            if found:
                self._row = int(found[-1])

    def close(self) -> None:
        """End it."""
        self._program.send_signal(signal.SIGTERM)
        try:
            self._program.wait(5)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait(5)
        os.close(self._end)
