"""To which run a process belongs that connected to us: a seat belt against agents that type into terminals.

The parent chain reaches a leader, else the session is a run's, else the environment names a run. What has vanished,
may not be read, or descends from the keeper without leading to a run, is unknown.
"""

from __future__ import annotations

import os

from wezparallel.keeper import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.processes import Run


def run_of(runs: dict[str, Run], pid: int) -> tuple[bool, Run | None]:
    """Return whether it is known to whom a pid belongs, and to which run; None: to no run, so to a person."""
    entry = tree.read_entry(pid)
    if entry is None:
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
    if named and named in runs:
        return True, runs[named]
    return named is not None and not below_us, None
