"""The drill's two viewers: a gapless one that checks every number, and a real `attach` on a terminal that is drained.

`python -m tests.drills.viewers gapless SOCKET PROCESS BLOCKS TTY` says `progress` and `end {fault}`.
`python -m tests.drills.viewers terminal SOCKET PROCESS BLOCKS` says `attached`, `last` when the last number is shown,
and `end {alive, code, restored, …}`.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

from tests.drills.actor import is_told_to_end, say
from tests.drills.numbered import Checker, last_number
from wezparallel.client import attach
from wezparallel.client.frames import FROM_START, FramesViewer
from wezparallel.wire import frames
from wezparallel.wire.logformat import STDERR

SAY_EVERY_S = 0.5
DETACH_KEY = b"\x1c\x1c"


def gapless(path: str, process_id: str, blocks: int, tty: bool) -> None:
    """Read from the first byte on; every stream has numbers of its own."""
    checkers: dict[int, Checker] = {}
    fault = ""
    said_at = 0.0
    with FramesViewer.connect(process_id, FROM_START, gapless=True, path=path) as viewer:
        say("attached")
        messages = iter(viewer)
        while not fault:
            ready, _, _ = select.select([viewer, sys.stdin], [], [], SAY_EVERY_S)
            if sys.stdin in ready:
                break
            while ready or viewer.has_more:
                ready = []
                message = next(messages, None)
                if message is None:
                    fault = "the keeper closed the connection"
                    break
                kind, offset, stream, data, fields = message
                if kind == frames.DATA:
                    checker = checkers.setdefault(stream, Checker(blocks, tty))
                    checker.feed(data)
                    fault = checker.fault and f"stream {stream}, log byte {offset}: {checker.fault}"
                elif kind not in {frames.STARTED, frames.RESIZE}:
                    fault = f"frame {kind} came: {offset} {fields}"
            if time.monotonic() - said_at > SAY_EVERY_S:
                said_at = time.monotonic()
                say("progress", bytes=sum(checker.at for checker in checkers.values()))
            if checkers and all(checker.is_complete for checker in checkers.values()):
                say("complete", streams=len(checkers))
                said_at = float("inf")
    verdicts = [fault, *(f"stream {stream}: {c.verdict()}" for stream, c in checkers.items() if c.verdict())]
    say("end", fault="; ".join(filter(None, verdicts)), bytes=sum(c.at for c in checkers.values()),
        both=STDERR in checkers)  # fmt: skip


def terminal(path: str, process_id: str, blocks: int) -> None:
    """Hold the terminal on which `attach` runs, and read what it shows."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 40, 120, 0, 0))
    before = termios.tcgetattr(slave)
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", attach.__file__, process_id, "--socket", path],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    last = last_number(blocks)
    tail = b""
    shown = 0
    seen = False
    while not is_told_to_end():
        data = _drain(master, 0.1)
        shown += len(data)
        if not shown - len(data) and shown:
            say("attached")
        tail = (tail + data)[-65536:]
        if not seen and last in tail:
            seen = True
            say("last")
    alive = child.poll() is None
    os.write(master, DETACH_KEY)
    while child.poll() is None:
        tail = (tail + _drain(master, 0.1))[-65536:]
    restored = termios.tcgetattr(slave) == before
    tail_text = tail[-300:].decode("ascii", "replace")
    say("end", alive=alive, shown=shown, last=seen, code=child.returncode, restored=restored, tail=tail_text)


def _drain(master: int, timeout_s: float) -> bytes:
    ready, _, _ = select.select([master, sys.stdin], [], [], timeout_s)
    return os.read(master, 65536) if master in ready else b""


if __name__ == "__main__":
    what, socket_path, process, count, *rest = sys.argv[1:]
    if what == "gapless":
        gapless(socket_path, process, int(count), rest == ["tty"])
    else:
        terminal(socket_path, process, int(count))
