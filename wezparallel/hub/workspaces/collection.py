"""The workspaces that there are: opened from a template, closed, forgotten."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING, Any

from wezparallel.errors import RequestError
from wezparallel.hub.pool import checks
from wezparallel.hub.pool.supervise import alive
from wezparallel.hub.state.model import Process, Workspace, workspace_record
from wezparallel.keeper import messages
from wezparallel.protocol.workspace import Plan, WorkspaceRecord

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.workspaces.templates import Compiled


class Workspaces:
    """What handlers ask about workspaces."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def get(self, name: str) -> Workspace:
        """Return a workspace. Raises RequestError `workspace.not_found`."""
        found = self._hub.state.workspaces.get(name)
        if found is None:
            known = sorted(self._hub.state.workspaces)
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known) or 'none'}"
            raise RequestError(
                "workspace.not_found", f"there is no workspace {name!r}; {hint}", name=name, known=known
            )
        return found

    def record(self, workspace: Workspace) -> WorkspaceRecord:
        """Return what clients see of it."""
        members = self._hub.state.members(workspace.name, spares=True)
        return WorkspaceRecord.model_validate(workspace_record(workspace, members))

    def plan(self, workspace: Workspace) -> Plan:
        """Return how its panes are drawn."""
        return Plan.model_validate(workspace.plan or {"tabs": []})

    def free_name(self, wanted: str, root: str, unique: bool) -> str:
        """Return the name that a new workspace gets. Raises RequestError `workspace.exists`."""
        if not self._is_taken(wanted):
            return wanted
        taken = self._hub.state.workspaces.get(wanted)
        if taken is None and not unique:
            self.check_former(wanted)
            raise RequestError(
                "workspace.exists",
                f"the workspace {wanted!r} is still being deleted; try again soon, or choose another name",
                name=wanted,
            )
        if taken is not None and (not unique or taken.root == root):
            how = "open" if taken.open else "closed"
            raise RequestError(
                "workspace.exists",
                f"a workspace named {wanted!r} is {how} already; open it with WorkspaceOpen or choose another name",
                name=wanted, root=taken.root,
            )  # fmt: skip
        number = 2
        while self._is_taken(f"{wanted}-{number}"):
            number += 1
        return f"{wanted}-{number}"

    def check_former(self, name: str) -> None:
        """Refuse a name that stands in the ids of a workspace which was called so. Raises `workspace.exists`."""
        renamed = {
            str(process.workspace)
            for process_id, process in self._hub.state.processes.items()
            if process_id.startswith(f"{name}/") and not process.removed and process.workspace != name
        }
        if renamed:
            raise RequestError(
                "workspace.exists",
                f"{name!r} stands in ids of {', '.join(sorted(renamed))}, which was called so; choose another name",
                name=name,
            )

    def _is_taken(self, name: str) -> bool:
        """Tell whether there is one, or something of a deleted one that has not ended yet."""
        state = self._hub.state
        return name in state.workspaces or any(
            process.workspace == name or process_id.startswith(f"{name}/")  # a renamed workspace's keep their ids
            for process_id, process in state.processes.items()
        )

    def add(self, name: str, root: str, env_id: str = "", template: str | None = None) -> Workspace:
        """Make an open, empty workspace. Raises RequestError."""
        if not root.startswith("/"):
            raise RequestError("process.bad_directory", f"{root!r} is not absolute; give the whole path", root=root)
        if not os.path.isdir(root):
            raise RequestError("process.no_directory", f"the folder {root} does not exist; make it first", root=root)
        self._admit()
        workspace = Workspace(name, root, template, self._hub.now_ms(), env_id=env_id)
        self._hub.state.workspaces[name] = workspace
        self._hub.store.put_workspace(workspace)
        self._hub.bus.publish("workspace.created", {"workspace": name, "root": root})
        return workspace

    def fill(self, workspace: Workspace, compiled: Compiled) -> None:
        """Give a new workspace the processes and the plan of its template."""
        workspace.plan = compiled.plan_for(workspace.name).model_dump()
        if compiled.focus is not None:
            workspace.focus = f"{workspace.name}/{compiled.focus}"
        for order, settings in enumerate(compiled.settings):
            process = Process(
                f"{workspace.name}/{settings.name}", workspace.name, settings, desired="down",
                created_at=self._hub.now_ms(), order=order, env_id=workspace.env_id, auto_start_on_restore=True,
                in_template=True,
            )  # fmt: skip
            self.put(process)
        self._hub.store.put_workspace(workspace)

    def put(self, process: Process) -> None:
        """Add a process. One that an agent adds is an agent to the hub, whatever it calls itself and asks for."""
        process.settings = checks.as_callers(process.settings, self._hub.bus.by)
        self._hub.state.processes[process.process_id] = process
        self._hub.store.put_process(process)
        self._hub.store.when_committed(self._hub.store.ticket(), lambda: self._make_known(process))
        data: dict[str, Any] = {
            "process_id": process.process_id, "workspace": process.workspace, "state": process.state
        }  # fmt: skip
        if process.is_spare:
            data["spare"] = True
        self._hub.bus.publish("process.added", data)

    def start(self, workspace: Workspace, view: str) -> dict[str, str]:
        """Have everything in it up that starts by itself; return the runs by process id."""
        runs: dict[str, str] = {}
        for process in self._hub.state.members(workspace.name):
            if process.settings.direct or not (process.settings.auto_start and process.auto_start_on_restore):
                continue  # what `run` or the socket added is started by whoever wants it again
            runs[process.process_id] = self._hub.pool.want_up(process)
            if view == "plan" and process.settings.pane and not alive(process.run):
                self._hub.pool.reserve(process)
        return runs

    def reopen(self, workspace: Workspace) -> None:
        """Show a closed workspace again."""
        if not workspace.open:
            self._admit()
            workspace.open = True
            self._hub.store.put_workspace(workspace)
        self._hub.bus.publish("workspace.opened", {"workspace": workspace.name, "root": workspace.root})

    def switch(self, workspace: Workspace, focus: str | None) -> None:
        """Make it the current one. Raises RequestError `process.not_found`, `process.bad_state`."""
        if focus is not None:
            named = next((p for p in self._hub.state.members(workspace.name) if p.settings.name == focus), None)
            process = named or self._hub.process(focus)
            if process.workspace != workspace.name:
                raise RequestError(
                    "process.bad_state", f"{process.process_id} is not in {workspace.name}; switch to its workspace",
                    process=process.process_id,
                )  # fmt: skip
            workspace.focus = process.process_id
        workspace.switched_at = self._hub.now_ms()
        self._hub.store.put_workspace(workspace)
        data = {"workspace": workspace.name, "root": workspace.root, "focus": workspace.focus}
        self._hub.bus.publish("workspace.switched", data)

    def rename(self, workspace: Workspace, name: str) -> None:
        """Give it another name, as `rename-session` of tmux does, also while it runs.

        An id names a process for its keeper, its log, its viewers and its children (`WEZPARALLEL_PROCESS`), so ids
        stay: `old/server` lives on in `new`, and `new/server` means it too (`Hub.process`). The old name is not given
        to another workspace while ids begin with it. Raises RequestError `workspace.exists`.
        """
        previous = workspace.name
        if name == previous:
            return
        ids_before = any(one.process_id.startswith(f"{name}/") for one in self._hub.state.members(previous))
        if name in self._hub.state.workspaces or not ids_before:  # back to the name that its ids have is free
            self.free_name(name, workspace.root, unique=False)
        state, store = self._hub.state, self._hub.store
        workspace.name = name
        for tab in workspace.plan.get("tabs", []):
            if tab.get("title") == previous:
                tab["title"] = name
        del state.workspaces[previous]
        state.workspaces[name] = workspace
        store.delete_workspace(previous)
        store.put_workspace(workspace)
        for process in state.processes.values():
            if process.workspace == previous:
                process.workspace = name
                store.put_process(process)
        self._hub.bus.publish("workspace.renamed", {"workspace": name, "root": workspace.root, "previous": previous})
        self._hub.spares.changed()

    def close(self, workspace: Workspace) -> dict[str, str | None]:
        """Stop everything in it and hide it; return what has to end, by process id."""
        workspace.open = False
        self._hub.store.put_workspace(workspace)
        self._hub.bus.publish("workspace.closed", {"workspace": workspace.name, "root": workspace.root})
        members = self._hub.state.members(workspace.name, spares=True)
        return {process.process_id: self._hub.pool.want_down(process) for process in members}

    def delete(self, workspace: Workspace) -> list[str]:
        """Stop everything in it and forget it; return the ids that have to be gone."""
        members = self._hub.state.members(workspace.name, spares=True)
        for process in members:
            self._hub.pool.want_gone(process)
        del self._hub.state.workspaces[workspace.name]
        self._hub.store.delete_workspace(workspace.name)
        self._hub.bus.publish("workspace.deleted", {"workspace": workspace.name, "root": workspace.root})
        return [process.process_id for process in members]

    def snapshot(self) -> dict[str, Any]:
        """Return all workspaces as a subscriber's snapshot lists them."""
        return {name: self.record(workspace).model_dump() for name, workspace in self._hub.state.workspaces.items()}

    def _make_known(self, process: Process) -> None:
        """Let viewers attach before its first run; nobody can attach to what runs in its pane itself."""
        if self._hub.state.processes.get(process.process_id) is process and not process.settings.direct:
            self._hub.link.send({"m": messages.RESERVE, "process_id": process.process_id})

    def _admit(self) -> None:
        open_now = sum(workspace.open for workspace in self._hub.state.workspaces.values())
        limit = self._hub.settings.workspaces.max_workspaces
        if open_now >= limit:
            raise RequestError(
                "workspace.limit",
                f"{open_now} workspaces are open, and {limit} may be; close one with `down`, or raise "
                "`workspaces.max_workspaces` in config.yaml",
                limit=limit, open=sorted(one.name for one in self._hub.state.workspaces.values() if one.open),
            )  # fmt: skip
