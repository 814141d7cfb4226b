"""To which run a process belongs that connected to us: a seat belt against agents that type into terminals.

The parent chain reaches a leader, else the session is a run's, else the environment names a run, which may have
ended. What has vanished, may not be read, or descends from the keeper without leading to a run, is unknown. An
environment can be forged, so every agent's tree carries a mark that it cannot take off (peers.py). Who carries it is
no person.
"""

from __future__ import annotations

import os
import socket
import struct

from wezparallel import peers
from wezparallel.keeper import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.processes import Run

_CREDENTIALS = struct.Struct("3i")


class Peer:
    """Who connected: pid, uid and start time; the start is 0 when that very process has ended."""

    __slots__ = ("pid", "start", "uid")

    def __init__(self, sock: socket.socket) -> None:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        self.pid, self.uid, _ = _CREDENTIALS.unpack(raw)
        self.start = tree.start_of(self.pid)
        if self.start and not peers.lives(sock):
            self.start = 0  # its number is another's by now


def run_of(runs: dict[str, Run], pid: int, start: int | None = None) -> tuple[bool, Run | None]:
    """Return whether it is known to whom a pid belongs, and to which run; None: to no run, so to a person.

    With `start` only the process that began then is meant.
    """
    entry = tree.read_entry(pid)
    if entry is None or (start is not None and entry.start != start):
        return False, None
    leaders = {run.pid: run for run in runs.values() if run.status is None}
    parent: tree.Entry | None = entry
    below_us = False
    while parent is not None:
        run = leaders.get(parent.pid)
        if run is not None and run.start == parent.start:
            return True, run
        below_us = below_us or parent.pid == os.getpid()
        parent = tree.read_entry(parent.parent) if parent.parent else None
    for run in runs.values():
        if run.pid == entry.session and not run.session_gone and run.start <= entry.start:
            return True, run
    named = tree.environment_run(pid)
    run = runs.get(named or "")
    if peers.is_marked(pid):
        return (True, run) if run is not None and run.agent else (False, None)
    if named is None:
        return False, None
    # What a person's shell left running (a tmux) outlives that shell's run, and is still the person's.
    return bool(named) or not below_us, run
