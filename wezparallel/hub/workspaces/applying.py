"""Brings a workspace to what its template says now: starts what is new, changes settings, stops nothing unasked.

Above: the handler of `WorkspaceApply`. Below: `reconcile`, which compares; `collection` and the pool, which act. What
runs keeps the settings that it was started with until it is restarted; an agent in the middle of its work is left
alone unless it is named.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wezparallel.errors import RequestError
from wezparallel.hub.pool import showing
from wezparallel.hub.state.model import Process, Workspace, rfc3339
from wezparallel.hub.workspaces import discovery
from wezparallel.hub.workspaces.reconcile import Step, reconcile, told

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.workspaces.templates import Compiled
    from wezparallel.protocol.terminal import Terminal
    from wezparallel.protocol.workspace import Change

ALL = "*"


def template_file(name: str | None, source: str | None, folder: str) -> str | None:
    """Return the file that a template is read from; None for text, and for what is drawn from a folder."""
    if source is not None:
        return None
    return discovery.find(name, folder) if name is not None else discovery.own_template(folder)


class Application:
    """One template and one workspace, compared."""

    def __init__(self, hub: Hub, workspace: Workspace, compiled: Compiled, *, prune: bool) -> None:
        """Compare; nothing is changed yet. Raises RequestError where they cannot be brought together."""
        self._hub = hub
        self._workspace = workspace
        self._compiled = compiled
        self._prune = prune
        if not os.path.isdir(compiled.root):
            sentence = f"the folder {compiled.root} does not exist; make it first"
            raise RequestError("process.no_directory", sentence, root=compiled.root)
        self.steps = reconcile(compiled.settings, hub.state.members(workspace.name), prune=prune)
        self._check_ids()
        self._plan = self._plan_with_ids()

    @property
    def plan_changed(self) -> bool:
        """Tell whether its panes are drawn in another way than before."""
        return self._plan != self._workspace.plan

    def changes(self, restart: Sequence[str]) -> list[Change]:
        """Return what clients are told, before anything is done."""
        found = []
        for step in self.steps:
            run = step.process.run if step.process is not None and step.is_running else None
            started = rfc3339(run.started_at) if run is not None and run.started_at else None
            change = told(step, started, restarted=step.needs_restart and _is_named(step, restart))
            if not change.process_id:
                change = change.model_copy(update={"process_id": self._id(step.name)})
            found.append(change)
        return found

    def check_named(self, restart: Sequence[str]) -> None:
        """Refuse to restart what the template has not. Raises RequestError `command.bad_value`."""
        names = {step.name for step in self.steps if step.settings is not None}
        for name in restart:
            if name != ALL and name not in names:
                raise RequestError(
                    "command.bad_value",
                    f"`restart` names {name!r}, which the template has not; it has {', '.join(sorted(names))}",
                    field="restart",
                )

    def act(self, restart: Sequence[str], view: str, terminal: Terminal | None = None) -> dict[str, str]:
        """Carry the steps out; return the runs that this started, by process id.

        Args:
            restart: names of changed processes to restart.
            view: `plan` reserves what has a pane for its viewer.
            terminal: in which the focused process begins, if this starts it.
        """
        placed: list[tuple[Step, Process]] = []
        order = {settings.name: at for at, settings in enumerate(self._compiled.settings)}
        for step in self.steps:
            if step.settings is None:
                self._leave(step)
                continue
            process = step.process
            if process is None:
                process = self._new(step, order[step.name])
                self._hub.workspaces.put(process)
            else:
                self._change(step, process, order[step.name])
            placed.append((step, process))
        self._finish_workspace()
        showing.expect(self._hub, self._hub.state.processes.get(self._workspace.focus or ""), terminal)
        # Only now: what starts may wait for one that stands further down.
        runs = {process.process_id: self._start(step, process, restart, view) for step, process in placed}
        return {process_id: run_id for process_id, run_id in runs.items() if run_id is not None}

    def _start(self, step: Step, process: Process, restart: Sequence[str], view: str) -> str | None:
        pool = self._hub.pool
        if process.settings.direct or process.running_settings.direct:
            return None  # it is started where it is shown
        if step.needs_restart and _is_named(step, restart):
            return pool.want_restart(process)
        if step.kind != "added" or step.is_running or not (process.settings.auto_start and self._workspace.open):
            return None
        run_id = pool.want_up(process)
        if view == "plan" and process.settings.pane:
            pool.reserve(process)
        return run_id

    def _new(self, step: Step, order: int) -> Process:
        assert step.settings is not None  # of a step that adds
        return Process(
            self._id(step.name), self._workspace.name, step.settings, desired="down", created_at=self._hub.now_ms(),
            order=order, env_id=self._workspace.env_id, auto_start_on_restore=True, in_template=True,
        )  # fmt: skip

    def _change(self, step: Step, process: Process, order: int) -> None:
        assert step.settings is not None  # of a step that changes
        running = process.running_settings
        process.settings = step.settings.model_copy(update={"of_agent": process.settings.of_agent})
        process.ran_with = None
        if step.needs_restart and process.run is not None:
            process.ran_with = (process.run.run_id, running)
        process.order = order
        process.in_template = process.auto_start_on_restore = True
        self._hub.store.put_process(process)

    def _leave(self, step: Step) -> None:
        """What left the template runs on, comes back by no restart of the machine, and is started by nobody else."""
        process = step.process
        assert process is not None  # only what is there can leave
        process.in_template = process.auto_start_on_restore = False
        if self._prune:
            self._hub.pool.want_gone(process)
        self._hub.store.put_process(process)

    def _finish_workspace(self) -> None:
        workspace, compiled = self._workspace, self._compiled
        data: dict[str, Any] = {
            kind: [step.name for step in self.steps if step.kind == kind] for kind in ("added", "changed", "removed")
        }
        is_new = self.plan_changed or any(data.values())
        workspace.plan = self._plan
        workspace.root = compiled.root
        if compiled.focus is not None:
            workspace.focus = self._id(compiled.focus)
        self._hub.store.put_workspace(workspace)
        if is_new:
            body = {"workspace": workspace.name, "root": workspace.root, **data}
            self._hub.bus.publish("workspace.changed", body)

    def _id(self, name: str) -> str:
        """Return the id of a process of this workspace; ids stay when a workspace is renamed."""
        for process in self._hub.state.members(self._workspace.name):
            if process.settings.name == name:
                return process.process_id
        return f"{self._workspace.name}/{name}"

    def _plan_with_ids(self) -> dict[str, Any]:
        plan = self._compiled.plan_for(self._workspace.name).model_dump()
        for tab in plan["tabs"]:
            for pane in tab["panes"]:
                pane["process_id"] = self._id(pane["process_id"].partition("/")[2])
        return plan

    def _check_ids(self) -> None:
        for step in self.steps:
            taken = self._hub.state.processes.get(self._id(step.name)) if step.process is None else None
            if taken is not None:
                raise RequestError(
                    "process.bad_state",
                    f"{taken.process_id} is still being removed; try again soon, or choose another name",
                    process=taken.process_id,
                )


def _is_named(step: Step, restart: Sequence[str]) -> bool:
    """Tell whether a step is to restart its process; `*` means no agent, which would lose its work."""
    is_agent = step.settings is not None and step.settings.agent is not None
    return step.name in restart or (ALL in restart and not is_agent)
