"""Who belongs to a run, by one pass over /proc: descendants, the same session, or the run id in the environment.

A pid means nothing without its start time (field 22 of /proc/PID/stat), so both always go together. It sends
signals, but decides nothing: when is `keeper.py`'s business.
"""

from __future__ import annotations

import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wezparallel.keeper.processes import Run

_RUN_VARIABLE = b"\0WEZPARALLEL_RUN="
_GONE = "ZXx"


class Entry:
    """One line of the process table."""

    __slots__ = ("foreground", "group", "parent", "pid", "session", "start", "state")

    def __init__(self, pid: int, fields: list[bytes]) -> None:
        self.pid = pid
        self.state = chr(fields[0][0])
        self.parent = int(fields[1])
        self.group = int(fields[2])
        self.session = int(fields[3])
        self.foreground = int(fields[5])
        self.start = int(fields[19])


def read_entry(pid: int) -> Entry | None:
    """Read one process; None when it is gone."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        data = os.read(fd, 4096)
    except OSError:
        return None
    finally:
        os.close(fd)
    # A name may hold spaces and parentheses; the last one ends it.
    return Entry(pid, data[data.rindex(b")") + 2 :].split())


def start_of(pid: int) -> int:
    """Return a process's start time in clock ticks since boot; 0 when it is gone."""
    entry = read_entry(pid)
    return entry.start if entry else 0


def is_alive(pid: int, start: int) -> bool:
    """Tell whether this very process still runs; a zombie does not."""
    entry = read_entry(pid)
    return entry is not None and entry.start == start and entry.state not in _GONE


class Table:
    """The process table at one moment. `before` lends what it knows of environments: reading them costs most."""

    def __init__(self, before: Table | None = None) -> None:
        self.entries: dict[int, Entry] = {}
        self.children: dict[int, list[int]] = {}
        self._sessions: dict[int, set[int]] = {}
        self._carriers: dict[str, set[int]] = {}
        self.run_ids: dict[tuple[int, int], str] = {}
        known = before.run_ids if before else {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                entry = read_entry(int(name))
                if entry is not None:
                    self.entries[entry.pid] = entry
                    self.children.setdefault(entry.parent, []).append(entry.pid)
                    self._sessions.setdefault(entry.session, set()).add(entry.pid)
                    key = (entry.pid, entry.start)
                    run_id = self.run_ids[key] = known.get(key) or environment_run(entry.pid) or ""
                    self._carriers.setdefault(run_id, set()).add(entry.pid)

    def descendants(self, pid: int, never: frozenset[int] = frozenset()) -> list[int]:
        """Return all below a process, parents first, without those of `never` and what is below them."""
        found: list[int] = []
        todo = list(self.children.get(pid, ()))
        while todo:
            current = todo.pop()
            if current not in never:
                found.append(current)
                todo += self.children.get(current, ())
        return found

    def members(self, run: Run, never: frozenset[int]) -> dict[int, int]:
        """Return pid and start time of all living members of a run, the leader too.

        Earlier members (`run.members`) stay members when their parent dies and they clear their environment.
        The session counts until it was seen to be empty after its leader's end: then its number may be another's.
        """
        pid, entries = run.pid, self.entries
        found = {p for p, s in run.members.items() if p in entries and entries[p].start == s}
        current = entries.get(pid)
        if current is not None and current.start == run.start:
            found.add(pid)
        elif current is not None:
            run.session_gone = True
        session = set() if run.session_gone else self._sessions.get(pid, set())
        if run.status is not None and not session:
            run.session_gone = True
        found |= session
        found |= self._carriers.get(run.run_id, set())
        found -= never
        for member in list(found):
            found.update(self.descendants(member, never))
        return {p: entries[p].start for p in found if entries[p].state not in _GONE}


def environment_run(pid: int) -> str | None:
    """Return the run id in a process's environment, empty if it has none; None when it may not be read."""
    try:
        fd = os.open(f"/proc/{pid}/environ", os.O_RDONLY)
    except OSError:
        return None
    try:
        data = b""
        while chunk := os.read(fd, 65536):
            data += chunk
    except OSError:
        return None
    finally:
        os.close(fd)
    _, found, rest = (b"\0" + data).partition(_RUN_VARIABLE)
    return rest[: rest.find(b"\0")].decode("utf-8", "replace") if found else ""


def send(members: Iterable[tuple[int, int]], number: int) -> None:
    """Signal each member that is still the same process."""
    for pid, start in members:
        if is_alive(pid, start):
            send_one(pid, number)


def send_one(pid: int, number: int, group: bool = False) -> bool:
    """Signal one process or its group; False when there is nobody, or not ours to signal."""
    try:
        if group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def signal_number(name: object) -> int | None:
    """Return the number of a signal's name, `SIGTERM` or `TERM`; None for what is no signal."""
    if not isinstance(name, str):
        return None
    full = name.upper() if name.upper().startswith("SIG") else "SIG" + name.upper()
    number = getattr(signal, full, None)
    return int(number) if isinstance(number, signal.Signals) else None
