"""From a process's death to its successor's first word, without a backoff, against supervisord."""

from __future__ import annotations

import os
import select
import signal
import time
from pathlib import Path

from benches.daemon import daemon, folder
from benches.measure import Row, at_most, missing, p50
from benches.peers import present, supervisord

HEADLINE = "exit to restarted, no backoff"
KILLS = 8  # a process that dies more than ten times in ten minutes is given up
ROUNDS = 5


class Fifo:
    """Where each life of a process writes its pid."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDWR)

    @property
    def script(self) -> str:
        """What the process runs."""
        return f"echo $$ > {self.path}; exec sleep 100000"

    def pid(self) -> int:
        """Wait for the next life and return its pid."""
        if not select.select([self._fd], [], [], 20)[0]:
            raise RuntimeError("the process did not come back")
        return int(os.read(self._fd, 100))

    def kill(self, pid: int) -> tuple[int, float]:
        """Kill a life; return the next one's pid and how long it took to come."""
        time.sleep(0.05)
        begin = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        pid = self.pid()
        return pid, time.perf_counter() - begin

    def kills(self, pid: int, count: int) -> tuple[int, float]:
        """Kill several lives; return the last pid and the median."""
        taken = []
        for _ in range(count):
            pid, seconds = self.kill(pid)
            taken.append(seconds)
        return pid, p50(taken)


def run() -> list[Row]:
    """Measure."""
    if not present("supervisord"):
        return [missing(HEADLINE, "supervisord", "≤ 0.7×")]
    with daemon() as running, folder() as path:
        theirs, taken_us, taken_them = Fifo(path / "theirs"), [], []
        program = f'[program:a]\ncommand=/bin/sh -c "{theirs.script}"\nstartsecs=0\nautorestart=true\n'
        with supervisord(path, program):
            their_pid = theirs.pid()
            for number in range(ROUNDS):
                ours = Fifo(path / f"ours-{number}")
                running.call(
                    "ProcessAdd", id=f"a-{number}", command="/bin/sh", args=["-c", ours.script],
                    restart="always", backoff_s=0,
                )  # fmt: skip
                taken_us.append(ours.kills(ours.pid(), KILLS)[1])
                their_pid, median = theirs.kills(their_pid, KILLS)
                taken_them.append(median)
    return [at_most(HEADLINE, p50(taken_us), {"supervisord": p50(taken_them)}, 0.7, "s")]
