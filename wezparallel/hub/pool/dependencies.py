"""Who needs whom: the order of a workspace's processes, circles, and whether one may start now. Pure.

`depends_on` names processes of the same workspace, and whether each has to be `started`, `ready` or `exited_ok`.
Above it `pool/needs.py`, which asks again whenever a needed process changes; templates ask for `problem`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from wezparallel.hub.state.model import Process
    from wezparallel.protocol.supervision import Need

    Needs = Mapping[str, Iterable[str]]

_STARTED = frozenset({"running", "ready", "unhealthy", "suspended"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a process may start."""

    kind: Literal["go", "wait", "blocked"]
    """`blocked`: it waits in vain, until somebody does something about what it needs"""
    reason: str = ""
    """`waits for db: ready`, or `needs db: ready, but db exited 1`"""


def circle(needs: Needs) -> list[str]:
    """Return a circle as `[a, b, a]`; empty if there is none."""
    done: set[str] = set()
    for first in needs:
        path: list[str] = []
        trail = [iter([first])]
        while trail:
            name = next(trail[-1], None)
            if name is None:
                trail.pop()
                if path:
                    done.add(path.pop())
            elif name in path:
                return [*path[path.index(name) :], name]
            elif name in needs and name not in done:
                path.append(name)
                trail.append(iter(list(needs[name])))
    return []


def problem(needs: Needs, only: str | None = None) -> tuple[str, str] | None:
    """Return whose needs are wrong, and a sentence that says how; None if all is well.

    Args:
        needs: Of each name, the names that it needs.
        only: The one that is new; what the others lack by now is not its fault.
    """
    for name, wanted in needs.items() if only is None else ((only, needs[only]),):
        for other in wanted:
            if other == name:
                return name, f"{name} cannot depend on itself ({name} → {name}); take it out of its `depends_on`"
            if other not in needs:
                near = difflib.get_close_matches(other, needs, n=1)
                known = ", ".join(sorted(set(needs) - {name})[:8]) or "none"
                hint = f"did you mean {near[0]}?" if near and near[0] != name else f"known are {known}"
                return name, f"{name} depends on {other}, and there is no process {other} beside it; {hint}"
    found = circle(needs if only is None else {only: needs[only], **needs})
    if found:
        drawn = " → ".join(found)
        return found[0], f"these depend on each other in a circle: {drawn}; take one of them out of a `depends_on`"
    return None


def order(needs: Needs) -> list[str]:
    """Return the names, what is needed before what needs it, else as given. Of a circle, as given."""
    ordered: dict[str, None] = {}
    for first in needs:
        trail = [(first, iter([n for n in needs[first] if n in needs]))]
        entered = {first}
        while trail:
            name, rest = trail[-1]
            deeper = next((n for n in rest if n not in ordered and n not in entered), None)
            if deeper is None:
                ordered.setdefault(name)
                trail.pop()
            else:
                entered.add(deeper)
                trail.append((deeper, iter([n for n in needs[deeper] if n in needs])))
    return list(ordered)


def verdict(process: Process, find: Callable[[str], Process | None]) -> Verdict:
    """Tell whether a process may start; `find` gives the one of a name beside it."""
    waits: list[str] = []
    for name, need in process.settings.depends_on.items():
        needed = find(name)
        if needed is None or needed.removed:
            return Verdict("blocked", f"needs {name}: {need}, and there is no process {name} any more")
        if is_met(needed, need):
            continue
        if not _may_still(needed, need):
            return Verdict("blocked", f"needs {name}: {need}, but {name} {_state_of(needed, need)}")
        waits.append(f"{name}: {need}")
    return Verdict("wait", "waits for " + ", ".join(waits)) if waits else Verdict("go")


def is_ready(process: Process) -> bool:
    """Tell whether a process is ready; without a probe it is as soon as it runs."""
    return process.state == "ready" or (process.state == "running" and process.settings.ready is None)


def is_met(needed: Process, need: Need) -> bool:
    """Tell whether a process is what another one needs of it."""
    if needed.planned is not None:
        return False  # what it was before does not count
    if need == "ready":
        return is_ready(needed)
    if need == "started" and needed.state in _STARTED:
        return True
    return needed.state == "exited" and _ended_well(needed)


def _ended_well(process: Process) -> bool:
    run = process.run
    return run is not None and run.status == "exited" and run.exit_code == 0


def _may_still(needed: Process, need: Need) -> bool:
    """Tell whether it may become what is needed without anybody's doing."""
    if needed.planned is not None or needed.state in {"backoff", "starting", "stopping"}:
        return True
    if needed.state == "unhealthy" and need == "ready":
        return needed.settings.restart != "never"
    return needed.state in _STARTED


def _state_of(process: Process, need: Need) -> str:
    """Return why it will not be what is needed, as the end of a sentence."""
    reason = process.reason or ""
    if process.state == "exited":
        run = process.run
        if run is not None and run.status == "lost":
            return f"was lost: {reason}"
        return (reason or "exited") + (" before it was ready" if need == "ready" and _ended_well(process) else "")
    if process.state == "stopped":
        return "was stopped"
    if process.state == "not_started":
        return "was not started"
    word = "is unhealthy" if process.state == "unhealthy" else process.state.replace("_", " ")
    return f"{word}: {reason}" if reason else word
