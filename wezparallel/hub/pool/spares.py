"""Processes that are started ahead, for kinds that start slowly: `min_idle` of each in every open workspace.

What the next process of a kind will be is known from the newest one in the workspace: a spare is made after it, and a
later `ProcessAdd` that asks for the same takes one instead of starting. A spare is a process like any other: it is
supervised and logged, counts against the limits, and lives through the death of the hub. Only that nobody has asked
for it: it has no name of its own, and it gives way to what somebody has asked for.

`look` compares what there is with what the configuration says, and may be called at any time and any number of times.
Above: the handler of `ProcessAdd`, a changed configuration, every change of a process. Below: `recipes`, the pool.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from wezparallel.hub.pool import dependencies, environment, recipes, showing
from wezparallel.hub.pool.admission import kind_of
from wezparallel.hub.pool.env_ids import LOGIN
from wezparallel.hub.pool.telling import alive
from wezparallel.hub.state.model import Process
from wezparallel.protocol.process import NOT_IN_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from wezparallel.hub.app import Hub
    from wezparallel.hub.settings import KindSettings, Settings
    from wezparallel.protocol.process import ProcessSettings
    from wezparallel.protocol.terminal import Terminal
    from wezparallel.types import Millis, ProcessId

    Place: TypeAlias = tuple[str | None, str]

_NOT_IN_NAMES = re.compile(f"[{NOT_IN_NAMES}]")
_LONGEST = 56  # characters of a kind in an id; a name has 64
_ENDED = frozenset({"stopped", "exited", "failed"})


class Wanted(NamedTuple):
    """What somebody asks for."""

    settings: ProcessSettings
    environment: Mapping[str, str] | None
    """None: the login shell's."""
    terminal: Terminal | None


class Spares:
    """Who was started ahead."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._has_begun = self._is_due = self._are_there = False
        self._read: Settings | None = None
        self._kinds: frozenset[str] = frozenset()
        self._taken_at: dict[Place, Millis] = {}
        self._configured_at: dict[str, Millis] = {}
        self._terminals: dict[ProcessId, Terminal] = {}
        self._wakes_at: Millis | None = None

    def begin(self) -> None:
        """Look after them from now on: it is known what runs."""
        self._has_begun = self._are_there = True
        self._hub.tasks.start_soon(self._learn_environments)
        self.changed()

    def changed(self) -> None:
        """Look again, once this turn has changed all that it changes."""
        if self._has_begun and not self._is_due and (self._are_there or self._names()):
            self._is_due = True
            self._hub.soon(self.look)

    def configured(self, before: Settings) -> None:
        """Do what a changed configuration says; a number that was changed holds from now on, however old all is."""
        for kind in {*before.processes, *self._hub.settings.processes}:
            old, new = before.kind(kind), self._hub.settings.kind(kind)
            if (old.min_idle, old.idle_timeout) != (new.min_idle, new.idle_timeout):
                self._configured_at[kind] = self._hub.now_ms()
        self.changed()

    def shown_on(self, process: Process, terminal: Terminal) -> None:
        """Note in which terminal a process begins; spares that are made after it begin in it too."""
        self._terminals[process.process_id] = terminal

    def take(self, workspace: str | None, kind: str, wanted: Wanted) -> tuple[Process | None, str | None]:
        """Return a spare that is what somebody asks for; else None, and why not if there is one of the kind."""
        why = None
        for spare in sorted(self._of(workspace, kind), key=_worth):
            run = spare.run
            if not alive(run) or spare.state not in {"running", "ready"} or self._hub.pool.stops(run.run_id):
                why = why or f"the spare {spare.process_id} is {spare.state.replace('_', ' ')}"
            elif self._is_current(spare):
                settings, variables = self._differing(spare, wanted)
                if not settings and not variables:
                    return spare, None
                why = why or recipes.sentence(spare.process_id, settings, variables)
        return None, why

    def give(self, spare: Process, settings: ProcessSettings, kind: str, auto_start_on_restore: bool = False) -> str:
        """Make a spare the process that somebody asks for; it keeps its id. Return its run."""
        hub = self._hub
        spare.order = len(hub.state.members(spare.workspace)) if spare.workspace else 0
        spare.settings, spare.ahead = settings, {"kind": kind, "taken": True}
        spare.created_at = self._taken_at[spare.workspace, kind] = hub.now_ms()
        spare.auto_start_on_restore = auto_start_on_restore
        run_id = hub.pool.want_up(spare)
        data = {"process_id": spare.process_id, "workspace": spare.workspace, "run_id": run_id, "state": spare.state}
        hub.bus.publish("process.reused", data, cause=run_id)
        self.changed()
        return run_id

    def claim(self, process: Process) -> None:
        """Somebody types into it: from now on it is theirs, under the name that its id ends with."""
        if process.is_spare and alive(process.run) and not process.removed:
            self.give(process, process.settings.model_copy(update={"name": process.name}), _kind(process))

    def look(self) -> None:
        """Bring the spares to what the configuration says."""
        self._is_due = False
        own: dict[Place, list[Process]] = {}
        spares: dict[Place, list[Process]] = {}
        for process in self._hub.state.processes.values():
            kind = _kind(process)
            if not process.removed and (process.is_spare or kind in self._names()):
                (spares if process.is_spare else own).setdefault((process.workspace, kind), []).append(process)
        self._are_there = bool(spares)
        for place in [*spares, *(place for place in own if place not in spares)]:
            self._settle(place, own.get(place, []), sorted(spares.get(place, []), key=_worth))
        for place in spares:
            self._give_way(*place)

    def _settle(self, place: Place, own: list[Process], spares: list[Process]) -> None:
        workspace, kind = place
        settings, now = self._hub.settings.kind(kind), self._hub.now_ms()
        used_at = max([self._taken_at.get(place, 0), self._configured_at.get(kind, 0), *map(_used_at, own)])
        newest = max(own, key=lambda one: (one.created_at, one.order), default=None)
        kept = 0
        for spare in spares:
            is_wanted = self._is_open(workspace) and kept < settings.min_idle and self._is_current(spare)
            if is_wanted and self._is_as(spare, newest) and self._may_stay(spare, used_at, settings):
                kept += 1
            else:
                self._hub.pool.want_gone(spare)
        is_late = settings.idle_timeout is not None and now >= used_at + settings.idle_timeout * 1000
        if newest is None or is_late or not self._is_open(workspace) or not dependencies.is_ready(newest):
            return
        recipe = recipes.recipe(newest.settings, kind)
        while recipe is not None and kept < settings.min_idle and self._has_room(workspace, kind, settings):
            self._start(place, newest, recipe)
            kept += 1

    def _start(self, place: Place, newest: Process, recipe: ProcessSettings) -> None:
        hub, (workspace, kind) = self._hub, place
        number = 1
        while self._id(place, number) in hub.state.processes:
            number += 1
        terminal = self._terminals.get(newest.process_id)
        spare = Process(
            self._id(place, number), workspace, recipe, desired="down", created_at=hub.now_ms(),
            env_id=newest.env_id if hub.environments.holds(newest.env_id) else LOGIN,
            ahead={
                "kind": kind, "taken": False, "config": recipes.fingerprint(hub.settings.kind(kind)),
                "facts": _facts(terminal),
            },
        )  # fmt: skip
        hub.workspaces.put(spare)
        showing.expect(hub, spare, terminal)
        hub.pool.want_up(spare)
        self._are_there = True

    def _may_stay(self, spare: Process, used_at: Millis, settings: KindSettings) -> bool:
        """Tell whether nobody has left it unused for too long, and it has not ended before it could be used."""
        if spare.waits_for == "admission":
            return False  # it must not stand in line before what somebody asks for
        if spare.state in _ENDED and spare.planned is None:
            ended_at = spare.run.ended_at if spare.run is not None else None
            # Its end is told until the next one is asked for: what ends by itself would else be started for ever.
            return (ended_at or spare.created_at) >= used_at
        if settings.idle_timeout is None:
            return True
        due = max(spare.created_at, used_at) + int(settings.idle_timeout * 1000)
        now = self._hub.now_ms()
        if now >= due:
            return False
        if self._wakes_at is None or not now < self._wakes_at <= due:
            self._wakes_at = due
            self._hub.timers.after((due - now) / 1000, self.changed)
        return True

    def _is_current(self, spare: Process) -> bool:
        """Tell whether a start of today would give the program the same as this one got."""
        told = spare.ahead or {}
        if spare.process_id.rpartition("/")[0] != (spare.workspace or ""):
            return False  # `WORKSPACE` has the name that its workspace had
        if spare.env_id not in ("", LOGIN) and not self._hub.environments.holds(spare.env_id):
            return False
        return bool(told.get("config") == recipes.fingerprint(self._hub.settings.kind(_kind(spare))))

    def _is_as(self, spare: Process, newest: Process | None) -> bool:
        """Tell whether it is what the next process will be; where there is none to go by, it stays."""
        if newest is None:
            return True
        recipe = recipes.recipe(newest.settings, _kind(spare))
        if recipe is None or recipes.differing(spare.settings, recipe):
            return False
        terminal = self._terminals.get(newest.process_id)
        if terminal is not None and _facts(terminal) != (spare.ahead or {}).get("facts"):
            return False
        if spare.env_id == newest.env_id:
            return True
        have, wanted = (self._hub.environments.seen(one.env_id) for one in (spare, newest))
        return have is None or wanted is None or not recipes.differing_variables(have, wanted)

    def _differing(self, spare: Process, wanted: Wanted) -> tuple[list[str], list[str]]:
        """Return in which settings and variables it is not what is asked for."""
        settings = recipes.differing(spare.settings, wanted.settings)
        if wanted.settings.tty and (spare.ahead or {}).get("facts") != _facts(wanted.terminal):
            settings.append("TERM")
        is_login = spare.env_id in ("", LOGIN)
        if wanted.environment is None or is_login:
            return settings if is_login and wanted.environment is None else [*settings, "environment"], []
        have = self._hub.environments.seen(spare.env_id)
        if have is None:
            return [*settings, "environment"], []
        return settings, recipes.differing_variables(have, environment.filtered(wanted.environment))

    def _give_way(self, workspace: str | None, kind: str) -> None:
        """End spares of a kind while something else of it waits for a place, and in a workspace that is too full."""
        processes = self._hub.state.processes.values()
        of_kind = [one for one in processes if kind_of(one.settings) == kind]
        waiting = sum(one.waits_for == "admission" and not one.is_spare and not one.removed for one in of_kind)
        ending = sum(one.is_spare and one.removed and alive(one.run) for one in of_kind)
        here = sum(one.workspace == workspace and not one.removed for one in processes)
        for spare in sorted(self._of(workspace, kind), key=_worth, reverse=True):
            if waiting <= ending and here <= self._hub.settings.workspaces.max_processes:
                return
            self._hub.pool.want_gone(spare)
            ending += alive(spare.run)
            here -= 1

    def _has_room(self, workspace: str | None, kind: str, settings: KindSettings) -> bool:
        processes = self._hub.state.processes.values()
        here = sum(one.workspace == workspace and not one.removed for one in processes)
        if here >= self._hub.settings.workspaces.max_processes:
            return False
        limit = settings.max_instances
        up = sum(kind_of(one.settings) == kind and (alive(one.run) or one.planned is not None) for one in processes)
        return limit is None or up < limit

    def _of(self, workspace: str | None, kind: str) -> list[Process]:
        return [
            one for one in self._hub.state.processes.values()
            if one.is_spare and not one.removed and one.workspace == workspace and _kind(one) == kind
        ]  # fmt: skip

    def _is_open(self, workspace: str | None) -> bool:
        found = self._hub.state.workspaces.get(workspace or "")
        return workspace is None or (found is not None and found.open)

    def _names(self) -> frozenset[str]:
        """Return the kinds of which there are to be spares."""
        if self._read is not self._hub.settings:
            self._read = self._hub.settings
            self._kinds = frozenset(name for name, kind in self._read.processes.items() if kind.min_idle > 0)
        return self._kinds

    @staticmethod
    def _id(place: Place, number: int) -> ProcessId:
        workspace, kind = place
        name = f"{_NOT_IN_NAMES.sub('-', kind)[:_LONGEST]}.{number}"
        return f"{workspace}/{name}" if workspace else name

    async def _learn_environments(self) -> None:
        """Ask the keeper for the environments of an earlier hub's spares, to compare them with what is asked."""
        for env_id in {one.env_id for one in self._hub.state.processes.values() if one.is_spare}:
            if self._hub.environments.holds(env_id):
                await self._hub.environments.get(env_id)


def _kind(process: Process) -> str:
    """Return the kind that it is of; what was started ahead stays of its kind under whatever name."""
    return str(process.ahead["kind"]) if process.ahead is not None else kind_of(process.settings)


def _worth(spare: Process) -> tuple[int, Millis, ProcessId]:
    """Return a key that sorts those first that are the furthest, and have been there the longest."""
    rank = {"ready": 0, "running": 1, "starting": 2}.get(spare.state, 3)
    return rank, spare.created_at, spare.process_id


def _used_at(process: Process) -> Millis:
    """Return when somebody last asked for a process of the kind."""
    started_at = process.run.started_at if process.run is not None else None
    return max(process.created_at, started_at or 0)


def _facts(terminal: Terminal | None) -> list[str] | None:
    """Return what a program takes its terminal for; its size may change at any time."""
    if terminal is None:
        return None
    return [terminal.term, terminal.colorterm, terminal.term_program, terminal.term_program_version]
