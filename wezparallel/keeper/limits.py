"""What a child may use: soft limits of resources and niceness, set around its start or the moment after it.

Between here and the child stands nothing, so what can be inherited safely is set in the keeper itself and put back at
once. Its own memory, processor time and number of processes it never limits: it would be the first to die of that.
"""

from __future__ import annotations

import os
import resource
from contextlib import contextmanager, suppress

from wezparallel.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wezparallel.types import JsonObject

_INHERITED = ("core", "fsize", "memlock", "stack")
_AFTERWARDS = ("as", "cpu", "data", "nproc")


class Limits:
    """What one child is told to live with."""

    __slots__ = ("after", "before", "nice", "nofile")

    def __init__(self) -> None:
        self.before: dict[int, int] = {}
        self.after: dict[int, int] = {}
        self.nofile: int | None = None
        self.nice = 0


def wanted(wish: JsonObject) -> Limits | None:
    """Return the limits of a spawn message, None if there are none. Raises RequestError `process.limit`."""
    ulimits, nice = wish.get("ulimits") or {}, int(wish.get("nice") or 0)
    if wish.get("nofile"):
        ulimits = {"nofile": wish["nofile"], **ulimits}
    if not ulimits and not nice:
        return None
    limits = Limits()
    limits.nice = nice
    for name, value in ulimits.items():
        if name == "nofile":
            limits.nofile = _possible(name, resource.RLIMIT_NOFILE, int(value))
        elif name in _INHERITED:
            number = getattr(resource, f"RLIMIT_{name.upper()}")
            limits.before[number] = _possible(name, number, int(value))
        elif name in _AFTERWARDS and hasattr(resource, "prlimit"):
            number = getattr(resource, f"RLIMIT_{name.upper()}")
            limits.after[number] = _possible(name, number, int(value))
        else:
            raise RequestError("process.limit", f"the limit {name!r} cannot be set here; leave it out", limit=name)
    return limits


@contextmanager
def around(limits: Limits | None) -> Iterator[None]:
    """Have what is started within inherit its limits. Raises RequestError `process.limit`."""
    if limits is None:
        yield
        return
    were = {number: resource.getrlimit(number) for number in limits.before}
    own = os.getpriority(os.PRIO_PROCESS, 0)
    if limits.nice < 0:  # to raise it again afterwards is always allowed
        _hurry(own, limits.nice)
    try:
        for number, soft in limits.before.items():
            resource.setrlimit(number, (soft, were[number][1]))
        yield
    finally:
        for number, pair in were.items():
            resource.setrlimit(number, pair)
        if limits.nice < 0:
            os.setpriority(os.PRIO_PROCESS, 0, own)


def set_on(pid: int, limits: Limits | None) -> None:
    """Limit a child that was started just now; one that has ended already needs no limit."""
    if limits is None:
        return
    for number, soft in limits.after.items():
        with suppress(OSError):
            resource.prlimit(pid, number, (soft, resource.prlimit(pid, number)[1]))
    if limits.nice > 0:
        with suppress(OSError):  # its group, because it may have started somebody by now
            os.setpriority(os.PRIO_PGRP, pid, min(os.getpriority(os.PRIO_PROCESS, 0) + limits.nice, 19))


def _possible(name: str, number: int, value: int) -> int:
    """Return a soft limit that may be set; -1 is as much as may be."""
    hard = resource.getrlimit(number)[1]
    if value < 0:
        return hard
    if hard not in (resource.RLIM_INFINITY, -1) and value > hard:
        raise RequestError(
            "process.limit", f"the limit {name} of {value} is above what is allowed here; at most {hard} is possible",
            limit=name, possible=hard,
        )  # fmt: skip
    return value


def _hurry(own: int, nice: int) -> None:
    try:
        os.setpriority(os.PRIO_PROCESS, 0, max(own + nice, -20))
    except OSError:
        raise RequestError(
            "process.limit", f"a niceness of {nice} needs rights that the daemon has not; at least 0 is possible",
            limit="nice", possible=0,
        ) from None  # fmt: skip
