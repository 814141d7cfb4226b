"""To which run a process belongs that connected to us: a seat belt against agents that type into terminals.

The parent chain reaches a leader, else the session is a run's, else the environment names a run, which may have
ended. What has vanished, may not be read, or descends from the keeper without leading to a run, is unknown. An
environment can be forged, so every agent's tree carries a mark that it cannot take off: a limit of which the kernel
makes no use, inherited by all that it starts, never raised again without privilege. Who carries it is no person.
"""

from __future__ import annotations

import os
import resource
import select
import socket
import struct

from wezparallel.keeper import tree
from wezparallel.keeper.messages import HIGHEST, RLIMIT_LOCKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.processes import Run

_SO_PEERPIDFD = 77  # Linux 6.5; Python does not name it
_CREDENTIALS = struct.Struct("3i")


class Peer:
    """Who connected: pid, uid and start time; the start is 0 when that very process has ended."""

    __slots__ = ("pid", "start", "uid")

    def __init__(self, sock: socket.socket) -> None:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        self.pid, self.uid, _ = _CREDENTIALS.unpack(raw)
        self.start = tree.start_of(self.pid)
        if self.start and not _lives(sock):
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
    if is_marked(pid):
        return (True, run) if run is not None and run.agent else (False, None)
    if named is None:
        return False, None
    # What a person's shell left running (a tmux) outlives that shell's run, and is still the person's.
    return bool(named) or not below_us, run


def mark() -> int | None:
    """Return the limit that an agent's tree gets, lower than our own; None where there is no such limit."""
    own = _limit(0)
    return own - 1 if own else None


def is_marked(pid: int) -> bool:
    """Tell whether a process lies in the tree of an agent: its limit is lower than ours."""
    limit, own = _limit(pid), _limit(0)
    return limit is not None and own is not None and limit < own


def _limit(pid: int) -> int | None:
    try:
        soft = resource.prlimit(pid, RLIMIT_LOCKS)[0]
    except (OSError, ValueError, AttributeError):
        return None
    return HIGHEST if soft == resource.RLIM_INFINITY else min(soft, HIGHEST)


def _lives(sock: socket.socket) -> bool:
    """Tell whether the process that connected still runs; where the kernel cannot tell, its pid must do."""
    try:
        pidfd = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except ProcessLookupError:
        return False
    except OSError as error:
        return error.errno != 22  # EINVAL: reaped already (Linux before 6.16)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        return not poll.poll(0)
    finally:
        os.close(pidfd)
