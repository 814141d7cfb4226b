"""Processes that are typed into together: what a person types at one of them goes to all.

What a terminal answers or reports by itself stays with the one that asked. One that does not read misses what it
would have to wait for: nobody else waits for it.
"""

from __future__ import annotations

from wezparallel.wire.reports import Reports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wezparallel.keeper.processes import Process


def join(processes: Iterable[Process]) -> None:
    """Make one group of these; each leaves the one that it was in."""
    members = list(processes)
    leave(members)
    if len(members) > 1:
        for one in members:
            one.together = tuple(other for other in members if other is not one)


def leave(processes: Iterable[Process]) -> None:
    """Take these out of their groups."""
    for one in processes:
        for other in one.together:
            other.together = tuple(member for member in other.together if member is not one)
        one.together = ()


def typed(process: Process, data: bytes) -> None:
    """Pass on to the others of its group what was typed at one."""
    reports = Reports()
    data, _ = reports.split(data)
    data += reports.release()
    for other in process.together:
        run = other.run
        if data and run is not None and run.tty and run.input_fd >= 0:
            other.answers.recent = b""
            run.write(data)


def groups(processes: Iterable[Process]) -> list[list[str]]:
    """Return the ids of each group."""
    found: list[list[str]] = []
    seen: set[str] = set()
    for process in processes:
        if process.together and process.process_id not in seen:
            members = [process.process_id, *(other.process_id for other in process.together)]
            seen.update(members)
            found.append(members)
    return found
