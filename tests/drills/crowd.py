"""The drill's crowd: three terminals of different sizes on one flooding process, and people who are hard to serve.

One is read, resized, left and come back to at random; one never reads; one has its client stopped and continued.
`python -m tests.drills.crowd SOCKET PROCESS BLOCKS SEED` says `attached`, then `last` when a terminal to which
somebody came back shows the last number, and `end {faults, …}`: every terminal must end as it began.
"""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from tests.drills.actor import is_told_to_end, say
from tests.drills.numbered import last_number
from wezparallel.client import attach

DETACH_KEY = b"\x1c\x1c"
PATIENCE_S = 30.0
SIZES = ((24, 80), (50, 200), (12, 40), (60, 132), (5, 20))


class Seat:
    """One terminal, and the client that runs on it."""

    def __init__(self, name: str, path: str, process_id: str, size: tuple[int, int]) -> None:
        self.name = name
        self.faults: list[str] = []
        self.comings = self.resizes = self.shown = 0
        self.tail = b""
        self._argv = [sys.executable, "-I", "-S", attach.__file__, process_id, "--socket", path]
        self.master, self._slave = pty.openpty()
        self.resize(size)
        self._before = termios.tcgetattr(self._slave)
        self.client = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        self.comings += 1
        self.tail = b""
        return subprocess.Popen(
            self._argv, stdin=self._slave, stdout=self._slave, stderr=self._slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip

    def resize(self, size: tuple[int, int]) -> None:
        """Be of another size; the kernel tells the client."""
        self.resizes += 1
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("4H", *size, 0, 0))

    def read(self) -> None:
        """Take what is there."""
        while select.select([self.master], [], [], 0)[0]:
            data = os.read(self.master, 65536)
            self.shown += len(data)
            self.tail = (self.tail + data)[-65536:]

    def stop(self, stopped: bool) -> None:
        """Stop the client as no shell would, or let it go on."""
        self.client.send_signal(signal.SIGSTOP if stopped else signal.SIGCONT)

    def leave(self, reads: bool = True) -> None:
        """End the client, by its key or, where nobody reads, by a signal; the terminal must be as it was."""
        deadline = time.monotonic() + PATIENCE_S
        while reads and not self.tail and time.monotonic() < deadline:
            self.read()  # before it shows anything, the key would be the cooked terminal's own
            select.select([self.master], [], [], 0.05)
        if reads:
            os.write(self.master, DETACH_KEY)
        else:
            self.client.send_signal(signal.SIGTERM)
        while self.client.poll() is None and time.monotonic() < deadline:
            if reads:
                self.read()
            select.select([], [], [], 0.01)
        if self.client.poll() is None:
            self.faults.append(f"{self.name}: its client did not end within {PATIENCE_S:g} s")
            self.client.kill()
            self.client.wait()
        elif self.client.returncode:
            self.faults.append(f"{self.name}: its client ended with {self.client.returncode}: {self.tail[-200:]!r}")
        if termios.tcgetattr(self._slave) != self._before:
            self.faults.append(f"{self.name}: its terminal was not restored")

    def come_back(self) -> None:
        """Attach anew."""
        self.client = self._start()

    def is_stopped(self) -> bool:
        """Tell whether the client is in state T."""
        return Path(f"/proc/{self.client.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


class Crowd:
    """All three, and what they do next."""

    def __init__(self, path: str, process_id: str, seed: str) -> None:
        self._chance = random.Random(seed)
        self.reader = Seat("the one that reads", path, process_id, (24, 80))
        self.deaf = Seat("the one that never reads", path, process_id, (50, 200))
        self.sleeper = Seat("the one that is stopped", path, process_id, (12, 40))
        self._asleep = False

    def act(self) -> None:
        """Do something at random."""
        what = self._chance.choice(("resize", "resize", "leave", "sleep", "wait", "wait"))
        if what == "resize":
            self._chance.choice((self.reader, self.deaf, self.sleeper)).resize(self._chance.choice(SIZES))
        elif what == "leave":
            self.reader.leave()
            self.reader.come_back()
        elif what == "sleep":
            self._asleep = not self._asleep
            self.sleeper.stop(self._asleep)

    def read(self) -> None:
        """Read what those read that do."""
        self.reader.read()
        if not self._asleep:
            self.sleeper.read()

    def come_back_at_the_end(self) -> None:
        """Look anew at what was printed last."""
        self.reader.leave()
        self.reader.come_back()

    def end(self) -> list[str]:
        """Leave everywhere; return what was wrong."""
        self.sleeper.stop(False)
        self.reader.leave()
        self.sleeper.leave()
        self.deaf.leave(reads=False)
        return [fault for seat in (self.reader, self.deaf, self.sleeper) for fault in seat.faults]


def main(path: str, process_id: str, blocks: int, seed: str) -> None:
    """Sit there until told to end."""
    crowd = Crowd(path, process_id, seed)
    last = last_number(blocks)
    seen = came_back = False
    next_act = time.monotonic() + 2
    say("attached")
    while not is_told_to_end(0.05):
        crowd.read()
        seen = seen or (came_back and last in crowd.reader.tail)
        if seen and next_act != float("inf"):
            next_act = float("inf")
            say("last")
        if time.monotonic() < next_act:
            continue
        next_act = time.monotonic() + 0.7
        if last in crowd.reader.tail and not came_back:
            crowd.come_back_at_the_end()
            came_back = True
        elif not came_back:
            crowd.act()
    faults = crowd.end()
    seats = (crowd.reader, crowd.deaf, crowd.sleeper)
    say("end", faults=faults, last=seen, comings=sum(seat.comings for seat in seats),
        resizes=sum(seat.resizes for seat in seats), shown=crowd.reader.shown)  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
