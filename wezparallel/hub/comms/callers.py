"""Who asks, and what they may do. A caller inside an agent's tree is that agent. A seat belt, not the wall.

At accept uid, pid and start time are noted. Which run a pid lies in is found out at the first mutation: its parent
chain reaches a leader, else its session does, else `WEZPARALLEL_RUN` in its environment names a run of ours.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from wezparallel.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.hub.state.model import Process
    from wezparallel.protocol.command import Command, Reply

_PEERCRED = struct.Struct("3i")
MAX_PARENTS = 64  # deeper chains are fork bombs


@dataclass(slots=True)
class Caller:
    """One client of the public socket."""

    uid: int
    pid: int
    start: int
    via: str = "socket"
    role: str = ""
    """`person`, `agent` or `unknown`; empty until asked for"""
    run_id: str | None = None

    @classmethod
    def nobody(cls) -> Caller:
        """Return a caller of whom nothing is known."""
        return cls(-1, -1, 0)

    @classmethod
    def of_socket(cls, connection: socket.socket) -> Caller:
        """Note who connected (SO_PEERCRED)."""
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEERCRED.size)
        pid, uid, _gid = _PEERCRED.unpack(raw)
        return cls(uid, pid, start_time(pid))

    def by(self) -> dict[str, Any]:
        """Return how an event names this caller."""
        return {"user": _user_name(self.uid), "role": self.role or "unknown", "via": self.via, "run_id": self.run_id}


@lru_cache(8)
def _user_name(uid: int) -> str | None:
    """Return a user's name; asked once, because a directory service may take its time to answer."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return None


def stat_fields(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat behind the name (state is 0, ppid 1, session 3, start time 19)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return None


def start_time(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 when it is gone."""
    fields = stat_fields(pid)
    return int(fields[19]) if fields else 0


def resolve(caller: Caller, leaders: dict[int, Process], keeper_pid: int, run_of: Callable[[str], Any]) -> None:
    """Find the caller's role and run.

    Args:
        caller: gets its `role` and `run_id`.
        leaders: the live runs' pids and whose they are.
        keeper_pid: a descendant of the keeper that leads to no run is unknown.
        run_of: gives the process of a run id, or None.
    """
    owner: Process | None = None
    below_keeper = False
    if not caller.start or start_time(caller.pid) != caller.start:
        caller.role = "unknown"
        return
    pid, session = caller.pid, 0
    for _ in range(MAX_PARENTS):
        if pid in leaders:
            owner = leaders[pid]
            break
        if pid == keeper_pid:
            below_keeper = True
            break
        fields = stat_fields(pid)
        if fields is None or pid <= 1:
            break
        session = session or int(fields[3])
        pid = int(fields[1])
    owner = owner or leaders.get(session) or run_of(_run_in_environment(caller.pid))
    if owner is None:
        caller.role = "unknown" if below_keeper else "person"
        return
    run = owner.run or owner.planned
    caller.run_id = run.run_id if run else None
    caller.role = "agent" if owner.settings.agent or owner.settings.of_agent else "person"


def check(caller: Caller, command: Command[Reply], owner: Process | None) -> None:
    """Refuse what an agent, or someone unknown, may not do. Raises RequestError `caller.agent_not_allowed`."""
    name = type(command).__name__
    if caller.role == "person" or command.EFFECT == "read":
        return
    if caller.role == "unknown":
        if command.EFFECT == "destroy" or name == "ProcessType":
            raise _refusal(name, "it cannot be told who asks")
        return
    if owner is not None and name in owner.settings.may:
        return
    target = getattr(command, "process", None) or getattr(command, "id", None)
    own = owner.workspace if owner is not None else None
    if name == "ProcessType" or target is None or own is None or not str(target).startswith(f"{own}/"):
        raise _refusal(name, "an agent may use the processes of its own workspace, and type nowhere")


def _refusal(name: str, why: str) -> RequestError:
    return RequestError(
        "caller.agent_not_allowed",
        f"{name} is not allowed here: {why}; ask a person, or add {name} to `may` in the agent's definition",
        command=name,
    )


def _run_in_environment(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            for entry in file.read().split(b"\0"):
                if entry.startswith(b"WEZPARALLEL_RUN="):
                    return os.fsdecode(entry[16:])
    except OSError:
        pass
    return ""
