"""What the dashboard knows: a snapshot, what events have changed in it since, and what of it stands in which row.

Pure: times are handed in. Above: connection.py, which feeds it, and the widgets, which draw it. An event tells less
than a record has, so what it names is `stale` until a new record has come.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal, NamedTuple

from wezparallel.client import states, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wezparallel.types import JsonObject

SAMPLES = 40
"""Figures that are kept of each process; one comes every two seconds."""
_ENDED = frozenset({"stopped", "exited", "backoff", "failed"})
_TOLD = ("state", "pid", "exit_code", "signal", "next_start_at", "reason", "run_id")
NOWHERE = "without a workspace"


class Row(NamedTuple):
    """One line of the list."""

    kind: Literal["workspace", "process"]
    key: str
    """Name of the workspace, or id of the process."""
    record: JsonObject
    members: Sequence[JsonObject] = ()
    """Of a workspace: all its processes."""


class World:
    """Everything that runs, as far as it was told."""

    def __init__(self) -> None:
        self.workspaces: dict[str, JsonObject] = {}
        self.processes: dict[str, JsonObject] = {}
        self.usage: dict[str, deque[float | None]] = {}
        """Processor time of each process in percent of a core, the latest at the end."""
        self.machine: JsonObject = {}
        """The fields of `Metrics`; empty until they were told."""
        self.is_known = False
        """A snapshot has come."""
        self.away_since: float | None = None
        """Since when the hub cannot be asked: all this grows old."""
        self.is_stopped = False
        """It is away because somebody stopped it."""
        self.stale: set[str] = set()
        """Processes whose record is to be fetched."""
        self.workspaces_are_stale = False
        self.figures_are_stale = False

    def snapshot(self, workspaces: Iterable[JsonObject], processes: Iterable[JsonObject]) -> None:
        """Take all there is in the place of what was known."""
        self.workspaces = {one["name"]: one for one in workspaces}
        self.all_processes(processes)
        self.is_known = True

    def all_processes(self, processes: Iterable[JsonObject]) -> None:
        """Take a list of every process."""
        self.processes = {one["process_id"]: one for one in processes}
        self.stale.clear()
        self.usage = {name: kept for name, kept in self.usage.items() if name in self.processes}

    def sampled(self) -> None:
        """Remember the figures that the records have now as one more sample."""
        self.figures_are_stale = False
        for name, one in self.processes.items():
            kept = self.usage.get(name)
            if kept is None:
                kept = self.usage[name] = deque(maxlen=SAMPLES)
            kept.append(_cpu(one))

    def one_process(self, process: JsonObject) -> None:
        """Take a new record."""
        self.processes[process["process_id"]] = process
        self.stale.discard(process["process_id"])

    def forget(self, process_id: str) -> None:
        """It is no more."""
        self.processes.pop(process_id, None)
        self.usage.pop(process_id, None)
        self.stale.discard(process_id)

    def happened(self, event: JsonObject) -> None:
        """Take what an event says."""
        noun, _, verb = event["name"].partition(".")
        data = event["data"]
        process_id = data.get("process_id")
        if noun == "workspace" or verb in ("added", "removed"):
            self.workspaces_are_stale = True
        if noun == "metric":
            self.figures_are_stale = True
        elif noun == "process" and verb == "removed":
            self.forget(process_id)
        elif noun in ("process", "view") and process_id:
            self.stale.add(process_id)
            if noun == "process" and process_id in self.processes:
                self.processes[process_id] = _changed(self.processes[process_id], verb, event["at"], data)

    @property
    def is_stale(self) -> bool:
        """Tell whether something is to be fetched."""
        return bool(self.stale) or self.workspaces_are_stale or self.figures_are_stale


def _changed(process: JsonObject, verb: str, at: str, data: JsonObject) -> JsonObject:
    """Return a record with what an event says about it."""
    if verb == "notified":
        said = data.get("text")
        return {**process, "notified": {"text": said, "at": at, "run_id": data.get("run_id")} if said else None}
    new = {**process, **{name: data[name] for name in _TOLD if data.get(name) is not None}}
    state = new["state"]
    if state in _ENDED:
        new |= {"pid": None, "ended_at": at, "next_start_at": data.get("next_start_at"), "reason": data.get("reason")}
    elif verb in ("starting", "running") and process["state"] in _ENDED:
        new |= {"started_at": at, "exit_code": None, "signal": None, "reason": None, "next_start_at": None}
    return new


def _cpu(process: JsonObject) -> float | None:
    return process.get("cpu_percent") if process.get("pid") is not None else None


def waiting(world: World) -> list[JsonObject]:
    """Return who needs a person: who asks, longest first, then what was given up."""

    def order(one: JsonObject) -> tuple[bool, str, str]:
        return not one.get("notified"), str(since(one) or ""), one["process_id"]

    return sorted((one for one in world.processes.values() if needs_you(one)), key=order)


def needs_you(process: JsonObject) -> bool:
    """Tell whether nothing will happen to it until a person does something."""
    return bool(process.get("notified")) or process["state"] == "failed"


def since(process: JsonObject) -> str | None:
    """Return since when it asks, or is as it is."""
    notified = process.get("notified")
    return str(notified["at"]) if notified else states.since(process)


def rows(world: World, wanted: str = "", before: Sequence[str] = ()) -> list[Row]:
    """Return the list: each workspace and below it its processes, the neediest first.

    Args:
        wanted: Words that all have to stand in what is shown of a process; else it is left out.
        before: Keys in the order in which they stand on the screen and stay; what is new goes behind them.
    """
    words = wanted.lower().split()
    members: dict[str | None, list[JsonObject]] = {}
    for one in world.processes.values():
        if not words or _has(one, words):
            members.setdefault(one["workspace"], []).append(one)
    place = {key: index for index, key in enumerate(before)}
    found: list[tuple[tuple[float, bool, float, str], list[Row]]] = []
    for name in {*members, *(() if words else world.workspaces)}:
        record = world.workspaces.get(name or "", {"name": name or NOWHERE, "open": True, "root": ""})
        own = members.get(name, [])
        own.sort(key=lambda one: (place.get(one["process_id"], len(place)) if place else 0, states.need(one)))
        neediest = min((states.need(one)[0] for one in own), default=9)
        title = Row("workspace", record["name"], record, own)
        stands = place.get(record["name"], len(place)) if place else 0
        found.append((
            (stands, not record["open"], neediest, record["name"]),
            [title, *(Row("process", one["process_id"], one) for one in own)],
        ))  # fmt: skip
    found.sort(key=lambda each: each[0])
    return [row for _, group in found for row in group]


def _has(process: JsonObject, words: list[str]) -> bool:
    shown = " ".join((
        process["process_id"], states.word(process), str(process.get("command")), *(process.get("argv") or ()),
        (process.get("notified") or {}).get("text") or "",
    )).lower()  # fmt: skip
    return all(word in shown for word in words)


def counts(world: World) -> list[tuple[str, str]]:
    """Return what is said first: who waits, what fails, else that nobody needs you; each with its style."""
    all_ = list(world.processes.values())
    asking = sum(1 for one in all_ if one.get("notified"))
    bad = sum(1 for one in all_ if not one.get("notified") and states.is_failing(one))
    up = sum(1 for one in all_ if one["state"] in states.UP and not states.is_failing(one))
    said = []
    if asking:
        said.append((f"{asking} {'waits' if asking == 1 else 'wait'}", "needs"))
    if bad:
        said.append((f"{bad} {'fails' if bad == 1 else 'fail'}", "bad"))
    if up and not said:
        said.append((f"{up} {'runs' if up == 1 else 'run'}, none needs you", "good"))
    return said or [("nothing runs", "dim")]


def figures(world: World) -> list[str]:
    """Return what all of them use together; what is unknown is left out."""
    cpu = [used for one in world.processes.values() if (used := _cpu(one)) is not None]
    memory = [used for one in world.processes.values() if (used := states.memory(one)) is not None]
    parts = [f"cpu {sum(cpu):.0f} %"] if cpu else []
    return [*parts, f"mem {text.size(sum(memory))}"] if memory else parts


def machine(world: World) -> list[str]:
    """Return how the whole machine is; what is unknown is left out."""
    words = (("cpu", "cpu_usage"), ("mem", "memory_usage"), ("disk", "disk_usage"))
    known = [f"{word} {world.machine[name]:.0f} %" for word, name in words if world.machine.get(name) is not None]
    return ["machine " + " ".join(known)] if known else []


def freshness(world: World, now: float) -> tuple[str, str]:
    """Return whether this is how things are, and its style."""
    if world.away_since is not None and world.is_stopped:
        return "daemon stopped", "bad"
    if world.away_since is not None:
        return f"hub away {text.in_seconds(now - world.away_since)}", "bad"
    return ("live", "good") if world.is_known else ("connecting", "dim")
