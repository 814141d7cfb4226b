"""Brings the hub to what a snapshot says: compares first, then adds, changes and forgets; what runs is never stopped.

What is there keeps running, or not, as it is; what comes back is started if it was wanted. Above: the handlers of
`SnapshotImport` and `SnapshotRollback`, and the hub's start after a damaged database. Below: the model, the pool.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import structlog

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub.pool import checks, dependencies
from wezparallel.hub.state import snapshot, snapshot_files, snapshot_reading
from wezparallel.hub.state.model import Process, Workspace
from wezparallel.hub.state.snapshot import Snapshot, bad, is_up
from wezparallel.hub.workspaces.reconcile import differing, field_change, must_restart
from wezparallel.protocol.snapshot import SnapshotChange
from wezparallel.protocol.workspace import FieldChange, Plan

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import State
    from wezparallel.protocol.process import ProcessSettings

_WORKSPACE = ("root", "template", "template_path", "folder", "variables", "plan")
"""What a workspace is told to be; whether it is open is what people do with it."""
_BESIDE = ("workspace", "auto_start_on_restore", "in_template")


log = structlog.get_logger()


@dataclass(slots=True)
class _Step:
    """What a snapshot means for one workspace or process."""

    change: SnapshotChange
    there: Process | Workspace | None = None
    said: Process | Workspace | None = None
    settings: ProcessSettings | None = None
    """Of a process, with the secrets that it has."""


def compare(state: State, said: Snapshot, *, prune: bool) -> list[_Step]:
    """Return what is different, workspaces first, then processes in the order of their names."""
    found = [_workspace(state.workspaces.get(name), one) for name, one in sorted(said.workspaces.items())]
    found += [_missing_workspace(name) for name in _needed(state, said)]
    there = {key: one for key, one in state.processes.items() if not one.is_spare}
    found += [_process(state, there.get(key), one, said) for key, one in sorted(said.processes.items())]
    steps = [step for step in found if step is not None]
    if prune:
        gone = [one for key, one in sorted(there.items()) if key not in said.processes and not one.removed]
        steps += [_gone(one) for one in gone]
        named = said.workspaces.keys() | {one.workspace for one in said.processes.values()}
        steps += [
            _gone_workspace(state, one, said) for name, one in sorted(state.workspaces.items()) if name not in named
        ]
    return steps


def _workspace(there: Workspace | None, said: Workspace) -> _Step | None:
    if there is None:
        return _Step(_change("added", "workspace", said.name, said.root), None, said)
    secret = {name: value for name, value in there.variables.items() if name not in _shown(there)}
    said = replace(said, variables={**secret, **said.variables})
    plan = Plan.model_validate(there.plan).model_dump() if there.plan else {}  # an older one may say less
    before = replace(there, plan=plan)
    fields = [
        FieldChange(field=name, before=_text(getattr(before, name)), after=_text(getattr(said, name)))
        for name in _WORKSPACE
        if getattr(before, name) != getattr(said, name)
    ]
    if not fields:
        return None
    return _Step(_change("changed", "workspace", said.name, said.root, fields=fields), there, said)


def _shown(workspace: Workspace) -> dict[str, str]:
    """Return the variables that a snapshot has of a workspace."""
    return dict(snapshot.workspace_entry(workspace).get("variables", {}))


def _needed(state: State, said: Snapshot) -> list[str]:
    """Return the workspaces that its processes name and nobody has."""
    named = {one.workspace for one in said.processes.values() if one.workspace is not None}
    return sorted(named - state.workspaces.keys() - said.workspaces.keys())


def _missing_workspace(name: str) -> _Step:
    home = os.path.expanduser("~")
    return _Step(_change("added", "workspace", name, home), None, Workspace(name, home))


def _process(state: State, there: Process | None, said: Process, file: Snapshot) -> _Step | None:
    command = said.settings.command or shlex.join(said.settings.argv)
    if there is None:
        change = _change("added", "process", said.process_id, command)
        skipped = _why_not(state, said)
        workspace = state.workspaces.get(said.workspace or "") or file.workspaces.get(said.workspace or "")
        starts = _comes_back(said) and (workspace is None or workspace.open) and skipped is None
        return _Step(change.model_copy(update={"skipped": skipped, "starts": starts}), None, said, said.settings)
    if there.removed:
        change = _change("added", "process", said.process_id, command, skipped="it is still being removed")
        return _Step(change, there, said)
    settings = snapshot.merged(said.settings, there.settings)
    names = differing(there.settings, settings)
    fields = [
        field_change(name, snapshot.masked(there.settings), said.settings)
        for name in names
        if not (name == "argv" and "command" in names) and name != "env_expand"
    ]
    fields += [
        FieldChange(field=name, before=_text(getattr(there, name)), after=_text(getattr(said, name)))
        for name in _BESIDE
        if getattr(there, name) != getattr(said, name)
    ]
    if not fields and not names:
        return None
    is_live = there.run is not None and there.run.status == "spawned"
    change = _change("changed", "process", said.process_id, command, fields=fields, running=is_up(there))
    return _Step(change.model_copy(update={
        "needs_restart": is_live and must_restart(there.running_settings, settings),
        "skipped": "an argument is a secret, which snapshots leave out" if snapshot.lacks_secret(settings) else None,
    }), there, said, settings)  # fmt: skip


def _comes_back(said: Process) -> bool:
    return said.auto_start_on_restore and said.desired == "up" and not said.settings.direct


def _why_not(state: State, said: Process) -> str | None:
    """Return why a process cannot be added, if it cannot."""
    if snapshot.lacks_secret(said.settings):
        return "an argument is a secret, which snapshots leave out; add it by hand"
    for one in state.processes.values():
        has_name = one.workspace == said.workspace and one.settings.name == said.settings.name
        if has_name and not one.removed and not one.is_spare:
            return f"{one.process_id} has its name in {said.workspace or 'the same place'}"
    return None


def _gone(there: Process) -> _Step:
    command = there.settings.command or shlex.join(there.settings.argv)
    running = is_up(there)
    skipped = "it runs; stop it to have it forgotten" if running else None
    change = _change("removed", "process", there.process_id, command, running=running, skipped=skipped)
    return _Step(change, there)


def _gone_workspace(state: State, there: Workspace, said: Snapshot) -> _Step:
    members = state.members(there.name)
    stays = [one.process_id for one in members if is_up(one) and one.process_id not in said.processes]
    skipped = f"{', '.join(stays[:3])} {'runs' if len(stays) == 1 else 'run'} in it" if stays else None
    return _Step(_change("removed", "workspace", there.name, there.root, skipped=skipped), there)


def _change(
    kind: Literal["added", "changed", "removed"], what: Literal["workspace", "process"], name: str, text: str,
    **more: Any,
) -> SnapshotChange:  # fmt: skip
    return SnapshotChange(kind=kind, what=what, name=name, text=text, **more)


def _text(value: Any) -> str | None:
    if isinstance(value, dict):  # a plan, or variables, whose values are nobody's business
        return ", ".join(sorted(value)) if "tabs" not in value else f"{len(value['tabs'])} tabs"
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def check(hub: Hub, said: Snapshot, steps: list[_Step]) -> None:
    """Refuse what cannot be: too many, a folder that goes up, needs that nobody can meet. Raises RequestError."""
    added = [step.said for step in steps if step.change.kind == "added" and step.change.skipped is None]
    opened = sum(isinstance(one, Workspace) and one.open for one in added)
    open_now = sum(one.open for one in hub.state.workspaces.values())
    limit = hub.settings.workspaces.max_workspaces
    if opened and open_now + opened > limit:
        raise RequestError(
            "workspace.limit",
            f"{open_now} workspaces are open, the snapshot has {opened} more, and {limit} may be; close some with "
            "`down`, or raise `workspaces.max_workspaces` in config.yaml",
            limit=limit,
        )
    needs: dict[str | None, dict[str, Any]] = {}
    for process in (*hub.state.processes.values(), *said.processes.values()):
        needs.setdefault(process.workspace, {})[process.settings.name] = process.settings.depends_on
    for process in said.processes.values():
        checks.check_cwd(process.settings.cwd, None)
        wrong = dependencies.problem(needs[process.workspace], process.settings.name)
        if wrong is not None:
            raise bad(f"processes.{process.process_id}: {wrong[1]}", process=process.process_id)


class Restoration:
    """One snapshot and what there is, compared."""

    def __init__(self, hub: Hub, said: Snapshot, *, prune: bool) -> None:
        """Compare; nothing is changed yet. Raises RequestError where it cannot be."""
        self._hub = hub
        self.steps = compare(hub.state, said, prune=prune)
        check(hub, said, self.steps)

    @property
    def changes(self) -> list[SnapshotChange]:
        """Return what clients are told."""
        return [step.change for step in self.steps]

    def act(self, env_id: str) -> dict[str, str]:
        """Carry it out; return the runs that this started, by process id."""
        done = [step for step in self.steps if step.change.skipped is None]
        for step in done:
            if isinstance(step.said, Workspace):
                self._put_workspace(step, step.said, env_id)
        started = [self._put(step, step.said, env_id) for step in done if isinstance(step.said, Process)]
        self._tell_changed(done)
        for step in done:
            if step.change.kind == "removed" and isinstance(step.there, Process):
                self._hub.pool.want_gone(step.there)
        for step in done:
            one = step.there if step.change.kind == "removed" else None
            if isinstance(one, Workspace) and not self._hub.state.members(one.name):  # else something stays in it
                self._hub.workspaces.delete(one)
        # Only now: what starts may wait for one that stands further down.
        return {one.process_id: self._hub.pool.want_up(one) for one in started if one is not None}

    def _put_workspace(self, step: _Step, said: Workspace, env_id: str) -> None:
        hub, there = self._hub, step.there
        if isinstance(there, Workspace):
            for name in _WORKSPACE:
                setattr(there, name, getattr(said, name))
            hub.store.put_workspace(there)
            return
        one = replace(said, created_at=said.created_at or hub.now_ms(), env_id=env_id)
        hub.state.workspaces[one.name] = one
        hub.store.put_workspace(one)
        hub.bus.publish("workspace.created", {"workspace": one.name, "root": one.root})

    def _put(self, step: _Step, said: Process, env_id: str) -> Process | None:
        """Add or change a process; return it if it is to be started."""
        hub, there, settings = self._hub, step.there, step.settings
        assert settings is not None  # of a process that is not skipped
        by = hub.bus.by
        if by is not None and by["role"] != "person":
            env = {name: value for name, value in settings.env.items() if not checks.is_unsafe(name)}
            settings = settings.model_copy(update={"env": env})
        if not isinstance(there, Process):
            one = Process(
                said.process_id, said.workspace, settings, desired="down", created_at=said.created_at or hub.now_ms(),
                order=said.order, env_id=env_id, auto_start_on_restore=said.auto_start_on_restore,
                in_template=said.in_template, runs=said.runs,
            )  # fmt: skip
            hub.workspaces.put(one)
            return one if step.change.starts else None
        running = there.running_settings
        there.settings, there.ran_with = settings, None
        if step.change.needs_restart and there.run is not None:
            there.ran_with = (there.run.run_id, running)
        for name in (*_BESIDE, "order"):
            setattr(there, name, getattr(said, name))
        hub.store.put_process(there)
        hub.pool.watching.look(there)
        return None

    def _tell_changed(self, done: list[_Step]) -> None:
        changed: dict[str, list[str]] = {}
        for step in done:
            if step.change.kind != "changed":
                continue
            if isinstance(step.there, Process) and step.there.workspace is not None:
                changed.setdefault(step.there.workspace, []).append(step.there.settings.name)
            elif isinstance(step.there, Workspace):
                changed.setdefault(step.there.name, [])
        for name, processes in changed.items():
            workspace = self._hub.state.workspaces.get(name)
            if workspace is not None:
                data = {"workspace": name, "root": workspace.root, "added": [], "changed": processes, "removed": []}
                self._hub.bus.publish("workspace.changed", data)


def after_damage(hub: Hub) -> set[str]:
    """Fill an empty database from the newest snapshot that can be read; return who ran then. For the hub's start."""
    for entry in snapshot_files.entries(paths.snapshots_dir()):
        try:
            said = snapshot_reading.read(snapshot_files.text_of(entry.path), os.path.expanduser("~"))
        except RequestError as error:
            log.warning("snapshot.unreadable", path=entry.path, reason=error.message)
            continue
        break
    else:
        log.error("snapshot.none", folder=paths.snapshots_dir(), lost="workspaces and definitions")
        return set()
    for workspace in said.workspaces.values():
        hub.state.workspaces[workspace.name] = workspace
        hub.store.put_workspace(workspace)
    for process in said.processes.values():
        if snapshot.lacks_secret(process.settings):
            log.error("process.not_restored", process=process.process_id, reason="an argument is a secret")
            continue
        process.reason = f"restored from the snapshot of {entry.written_at}"
        hub.state.processes[process.process_id] = process
        hub.store.put_process(process)
    data = {
        "snapshot": entry.snapshot_id, "path": entry.path, "because": "damage",
        "workspaces": len(said.workspaces), "processes": len(said.processes), "epoch": hub.store.epoch,
        "moved_to": hub.store.set_aside,
    }  # fmt: skip
    hub.bus.publish("snapshot.restored", data)
    log.error("database.restored", snapshot=entry.path, written_at=entry.written_at, moved_to=hub.store.set_aside)
    return said.running


def go_on(hub: Hub, ran: set[str]) -> None:
    """Start what ran when a restored snapshot was written and is held by nobody; to be called after adoption."""
    processes = list(hub.state.processes.values())
    for process in processes:
        name = process.workspace
        if name is not None and name not in hub.state.workspaces:  # it is younger than the snapshot
            hub.state.workspaces[name] = Workspace(name, process.settings.cwd, created_at=hub.now_ms())
            hub.store.put_workspace(hub.state.workspaces[name])
    held = any(one.run is not None and one.run.status == "spawned" for one in processes)
    for process in processes:
        # With a keeper that lives, what ended by itself meanwhile and never comes back has ended.
        is_wanted = process.process_id in ran and (not held or process.settings.restart != "never")
        if is_wanted and _comes_back(process) and not is_up(process):
            hub.pool.want_up(process)
