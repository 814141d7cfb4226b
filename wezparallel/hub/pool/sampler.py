"""What whole trees of processes use: one pass over the process table a sample, in a worker's thread.

A tree is the leader, everything below it by parent, and whatever was orphaned but is still in the leader's session.
Figures are never invented: what cannot be known is None. Above it `hub/app.py`, which hands the figures to clients.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wezparallel.types import ProcessId, Seconds

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")
_LEAST_S = 0.05
"""Processor time is counted in ticks of 10 ms; over less than five of them a percentage says nothing."""


class Row(NamedTuple):
    """One process in the table."""

    parent: int
    session: int
    start: int
    """Clock ticks since boot; 0 where unknown."""
    cpu_s: Seconds
    """Its own processor time and that of its children that ended and were waited for."""
    memory_bytes: int
    zombie: bool


Table = dict[int, Row]


class Usage(NamedTuple):
    """What one tree uses."""

    cpu_percent: float | None
    """Of one core, since the last sample; None at the first."""
    memory_bytes: int | None
    """Resident memory, summed: pages that several processes share count for each."""
    processes: int


class _Before(NamedTuple):
    root: tuple[int, int]
    at: Seconds
    cpu_s: Seconds
    usage: Usage


class Sampler:
    """Remembers the last sample, because a percentage needs two. Not to be used by two threads at once."""

    def __init__(
        self, read_table: Callable[[], Table] | None = None, clock: Callable[[], Seconds] = time.monotonic
    ) -> None:
        self._read_table = read_table or (proc_table if sys.platform == "linux" else psutil_table)
        self._clock = clock
        self._before: dict[ProcessId, _Before] = {}

    def sample(self, roots: Mapping[ProcessId, tuple[int, int]]) -> dict[ProcessId, Usage]:
        """Return the usage of each tree.

        Args:
            roots: The leader of each process as (pid, start time in clock ticks since boot; 0 if unknown). A leader
                whose pid another process has by now is unknown: its figures are None.
        """
        now, table = self._clock(), self._read_table()
        children, sessions = _relations(table)
        before, self._before = self._before, {}
        result = {}
        for process_id, root in roots.items():
            members = [table[pid] for pid in _tree(root, table, children, sessions)]
            usage, remembered = _measure(root, members, now, before.get(process_id))
            result[process_id] = usage
            if remembered:
                self._before[process_id] = remembered
        return result


def _measure(
    root: tuple[int, int], members: list[Row], now: Seconds, before: _Before | None
) -> tuple[Usage, _Before | None]:
    if not members:
        return Usage(None, None, 0), None
    # The time of a child that was waited for moves to its parent, so the sum over the tree only grows; unless an
    # orphan ended, whose time left the tree with it. Then the difference is unknown, not zero.
    cpu_s = sum(row.cpu_s for row in members)
    alive = [row for row in members if not row.zombie]
    percent = None
    if before and before.root == root:
        elapsed = now - before.at
        if elapsed < _LEAST_S:
            return before.usage, before
        if cpu_s >= before.cpu_s:
            percent = 100 * (cpu_s - before.cpu_s) / elapsed
    usage = Usage(percent, sum(row.memory_bytes for row in alive), len(alive))
    return usage, _Before(root, now, cpu_s, usage)


def _relations(table: Table) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Return the children of each pid, and the members of each session that its parent does not lead to."""
    children: dict[int, list[int]] = {}
    sessions: dict[int, list[int]] = {}
    for pid, row in table.items():
        children.setdefault(row.parent, []).append(pid)
        if row.session and row.session != pid:
            sessions.setdefault(row.session, []).append(pid)
    return children, sessions


def _tree(
    root: tuple[int, int], table: Table, children: dict[int, list[int]], sessions: dict[int, list[int]]
) -> set[int]:
    pid, start = root
    leader = table.get(pid)
    if leader and start and leader.start and leader.start != start:
        return set()  # the number was given to somebody else
    # A session outlives its leader, and until it is empty the kernel gives its number to nobody.
    todo = [*([pid] if leader else []), *sessions.get(pid, ())]
    found: set[int] = set()
    while todo:
        current = todo.pop()
        if current not in found:
            found.add(current)
            todo += children.get(current, ())
    return found


def proc_table() -> Table:
    """Read /proc/PID/stat of every process (proc(5)): about 20 µs each."""
    table = {}
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in os.listdir(proc):
            if name.isdigit():
                try:
                    fd = os.open(f"{name}/stat", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
                except OSError:  # it ended meanwhile
                    continue
                try:
                    table[int(name)] = _stat_row(os.read(fd, 4096))
                except (OSError, ValueError, IndexError):
                    continue
                finally:
                    os.close(fd)
    finally:
        os.close(proc)
    return table


def _stat_row(stat: bytes) -> Row:
    # The name in parentheses may hold spaces and parentheses; counting begins after the last one, at field 3.
    fields = stat[stat.rindex(b")") + 2 :].split(None, 22)
    ticks = int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
    memory = int(fields[21]) * _PAGE
    return Row(int(fields[1]), int(fields[3]), int(fields[19]), ticks / _TICK, memory, fields[0] == b"Z")


def psutil_table() -> Table:
    """Read the process table where there is no /proc: slower, without start times."""
    return dict(_psutil_rows())


def _psutil_rows() -> Iterator[tuple[int, Row]]:
    import psutil  # noqa: PLC0415  2 MB and 20 ms that Linux has no use for

    for process in psutil.process_iter(["ppid", "cpu_times", "memory_info", "status"]):
        info = process.info
        cpu, memory = info["cpu_times"], info["memory_info"]
        if cpu is None or memory is None:  # somebody else's
            continue
        try:
            session = os.getsid(process.pid)
        except OSError:
            continue
        spent = cpu.user + cpu.system + getattr(cpu, "children_user", 0) + getattr(cpu, "children_system", 0)
        yield process.pid, Row(info["ppid"], session, 0, spent, memory.rss, info["status"] == psutil.STATUS_ZOMBIE)
