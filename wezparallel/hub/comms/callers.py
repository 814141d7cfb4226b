"""Who asks, and what they may do. A caller inside an agent's tree is that agent. A seat belt, not the wall.

At accept uid, pid and start time are noted. Which run a pid lies in is found out at the first mutation: its parent
chain reaches a leader, else its session does, else `WEZPARALLEL_RUN` in its environment names a run of ours. Who
carries the mark of an agent's tree is taken for no person, whatever the environment says.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from wezparallel import peers
from wezparallel.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.hub.state.model import Process
    from wezparallel.protocol.command import Command, Reply

_PEERCRED = struct.Struct("3i")
MAX_PARENTS = 64  # deeper chains are fork bombs
_TYPES = frozenset({"ProcessType", "ProcessTypeMany"})
_PRIVATE_READS = frozenset({"EnvironmentGet", "NotificationGet", "ProcessPrepare"})
"""Reads that may show secrets."""
_OF_THE_SCREEN = frozenset({
    "ProcessObserve", "ProcessPrepare", "ViewBind", "ViewClose", "ViewFocus", "ViewOpen", "ViewSee",
})  # fmt: skip
"""What WezTerm says or is asked, for a person: where the focus is, they type; a pane may be a shell of theirs."""
_MAKES_NEW = frozenset({"ProcessAdd", "WorkspaceCreate"})
"""Commands whose environment goes to nothing but what they make."""


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
        start = start_time(pid)
        return cls(uid, pid, start if start and peers.lives(connection) else 0)

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
    owner, below_keeper = _by_parents(caller.pid, leaders, keeper_pid)
    marked = owner is None and peers.is_marked(caller.pid)
    leads_nowhere = False
    if owner is None:
        named = _run_in_environment(caller.pid)
        owner = run_of(named or "")
        # What a person's shell left running (a tmux) outlives that shell's run, and is still the person's.
        leads_nowhere = named is None or (below_keeper and not named)
        if owner is not None and marked and not _is_agent(owner):
            owner = None  # an environment can be forged, the mark cannot be taken off
    if not caller.start or start_time(caller.pid) != caller.start:  # last: all of the above was read of this process
        caller.role = "unknown"
        return
    if owner is None:
        caller.role = "agent" if marked else "unknown" if leads_nowhere else "person"
        return
    run = owner.run or owner.planned
    caller.run_id = run.run_id if run else None
    caller.role = "agent" if _is_agent(owner) else "person"


def _by_parents(pid: int, leaders: dict[int, Process], keeper_pid: int) -> tuple[Process | None, bool]:
    """Return whose tree or session a process is in, and whether its parents lead to the keeper."""
    below_keeper, session = False, 0
    for _ in range(MAX_PARENTS):
        if pid in leaders:
            return leaders[pid], False
        if pid == keeper_pid:
            below_keeper = True
            break
        fields = stat_fields(pid)
        if fields is None or pid <= 1:
            break
        session = session or int(fields[3])
        pid = int(fields[1])
    else:
        below_keeper = True  # who hides that deep is no person
    return leaders.get(session), below_keeper


def _is_agent(process: Process) -> bool:
    return bool(process.settings.agent or process.settings.of_agent)


def check(caller: Caller, command: Command[Reply], owner: Process | None, target: Process | None = None) -> None:
    """Refuse what an agent, or someone unknown, may not do.

    Args:
        caller: who asks; its role is known.
        command: what is asked.
        owner: the process in whose tree the caller is.
        target: the process that the command names, if there is one.

    Raises:
        RequestError: `caller.agent_not_allowed`.
    """
    name = type(command).__name__
    if caller.role == "person" or (command.EFFECT == "read" and name not in _PRIVATE_READS):
        return
    is_own = owner is not None and name in owner.settings.may
    if not is_own and getattr(command, "environment", None) is not None and not _may_give_environment(name, target):
        # What a shell starts with makes it do things: that is typing.
        raise _refusal(name, "an environment may be given only to what an agent added", "leave `environment` out")
    if caller.role == "unknown":
        if command.EFFECT == "destroy" or name in _TYPES | _PRIVATE_READS | _OF_THE_SCREEN:
            raise _refusal(name, "it cannot be told who asks", "ask a person, or ask from a process that is kept")
        return
    if is_own:
        return
    if getattr(command, "show_secrets", False):
        raise _refusal(name, "the secrets of a person's programs are not an agent's", "leave `show_secrets` out")
    own = owner.workspace if owner is not None else None
    if target is not None:  # its workspace, not its id: a renamed workspace's processes keep theirs
        is_inside = own is not None and target.workspace == own
    else:
        is_inside = own is not None and str(getattr(command, "id", "")).startswith(f"{own}/")
    if name in _TYPES | _OF_THE_SCREEN or not is_inside:
        raise _refusal(
            name,
            "an agent may use the processes of its own workspace, but neither type nor say what is on the screen",
            f"ask a person, or have one write `may: [{name}]` into the agent's definition",
        )


def _may_give_environment(name: str, target: Process | None) -> bool:
    if name in _MAKES_NEW:
        return True
    return target is not None and _is_agent(target)


def _refusal(name: str, why: str, instead: str) -> RequestError:
    return RequestError("caller.agent_not_allowed", f"{name} is not allowed here: {why}; {instead}", command=name)


def _run_in_environment(pid: int) -> str | None:
    """Return the run id in a process's environment, empty if it has none; None when it may not be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            for entry in file.read().split(b"\0"):
                if entry.startswith(b"WEZPARALLEL_RUN="):
                    return os.fsdecode(entry[16:])
    except OSError:
        return None
    return ""
