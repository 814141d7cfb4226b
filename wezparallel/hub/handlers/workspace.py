"""Handlers of the workspace commands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from wezparallel.errors import RequestError
from wezparallel.hub.gui.gui import WRITTEN_S
from wezparallel.hub.handlers import adding, waiting
from wezparallel.hub.handlers import process as processes
from wezparallel.hub.handlers.template import With, compiled_for
from wezparallel.hub.pool import showing
from wezparallel.hub.pool.admission import check_room
from wezparallel.hub.pool.supervise import alive
from wezparallel.hub.workspaces.applying import template_file
from wezparallel.hub.workspaces.naming import default_name
from wezparallel.protocol import workspace as words
from wezparallel.protocol.workspace import Outcome

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted
    from wezparallel.hub.state.model import Process


def create(hub: Hub, command: words.WorkspaceCreate) -> Accepted:
    """Compile the template, make the workspace, have its processes up."""
    root = command.root or os.path.expanduser("~")
    named = command.name or default_name(root)
    name = hub.workspaces.free_name(named, root, command.unique)
    with_ = With(command.variables, command.environment)
    compiled = compiled_for(hub, command.template, command.source, root, with_)
    for settings in compiled.settings:
        adding.check_size(settings)
    check_room(hub, name, len(compiled.settings))
    env_id = hub.environments.put(command.environment)
    workspace = hub.workspaces.add(name, compiled.root, env_id, compiled.name)
    workspace.folder = "" if root == compiled.root else root
    workspace.variables = command.variables
    workspace.template_path = template_file(command.template, command.source, root)
    hub.workspaces.fill(workspace, compiled)
    showing.expect(hub, hub.state.processes.get(workspace.focus or ""), command.terminal)
    runs = hub.workspaces.start(workspace, command.view)
    return {"name": name, "runs": runs, "wanted_name": None if name == named else named, "notes": compiled.notes}


async def created(hub: Hub, command: words.WorkspaceCreate, accepted: Accepted) -> words.WorkspaceCreated:
    """Answer once each process is spawned, refused or known to wait."""
    told = await outcomes(hub, accepted, until_ready=command.wait == "ready")
    return words.WorkspaceCreated(**told, wanted_name=accepted.get("wanted_name"), notes=accepted.get("notes", []))


def open_(hub: Hub, command: words.WorkspaceOpen) -> Accepted:
    """Have a workspace's processes up (again)."""
    workspace = hub.workspaces.get(command.name)
    is_needed = command.refresh_env or not workspace.open or not hub.environments.holds(workspace.env_id)
    if command.environment is not None and is_needed:
        workspace.env_id = hub.environments.put(command.environment)
        hub.store.put_workspace(workspace)
        for process in hub.state.members(workspace.name):
            if command.refresh_env or not alive(process.run):
                process.env_id = workspace.env_id
                hub.store.put_process(process)
    hub.workspaces.reopen(workspace)
    showing.expect(hub, hub.state.processes.get(workspace.focus or ""), command.terminal)
    return {"name": workspace.name, "runs": hub.workspaces.start(workspace, command.view)}


async def opened(hub: Hub, command: words.WorkspaceOpen, accepted: Accepted) -> words.WorkspaceOpened:
    """Answer once each process is spawned, refused or known to wait."""
    told = await outcomes(hub, accepted, until_ready=command.wait == "ready")
    hub.drop_unused_environments()  # only now: no start uses the one from before any more
    return words.WorkspaceOpened(**told)


def switch(hub: Hub, command: words.WorkspaceSwitch) -> Accepted:
    """Make it the current one, wherever workspaces are shown."""
    workspace = hub.workspaces.get(command.name)
    hub.workspaces.switch(workspace, command.focus)
    if command.mux is not None:
        hub.gui.heard(command.mux)
        return {"name": workspace.name, "mux": command.mux}
    fields = {"workspace": workspace.name, "focus": workspace.focus if command.focus is not None else None}
    members = [process.process_id for process in hub.state.members(workspace.name)]
    request = hub.gui.ask("switch", hub.gui.target(members), **fields)
    plugin = hub.gui.requests.plugin(hub.gui.views.muxes_of(members))
    return {"name": workspace.name, "request": request, "mux": plugin}


async def switched(hub: Hub, _command: words.WorkspaceSwitch, accepted: Accepted) -> words.WorkspaceSwitched:
    """Answer with the record, once a GUI that is there can read where it has to go."""
    mux = accepted.get("mux")
    if "request" in accepted:  # else another version accepted it
        await hub.gui.written(accepted["request"], WRITTEN_S if accepted["request"]["mux"] else 0)
    record = hub.workspaces.record(hub.workspaces.get(accepted["name"]))
    return words.WorkspaceSwitched(workspace=record, mux=mux)


def rename(hub: Hub, command: words.WorkspaceRename) -> Accepted:
    """Give it another name; what runs does not notice."""
    workspace = hub.workspaces.get(command.name)
    previous = workspace.name
    hub.workspaces.rename(workspace, command.to)
    return {"name": workspace.name, "previous": previous}


async def renamed(hub: Hub, _command: words.WorkspaceRename, accepted: Accepted) -> words.WorkspaceRenamed:
    """Answer with the record."""
    record = hub.workspaces.record(hub.workspaces.get(accepted["name"]))
    return words.WorkspaceRenamed(workspace=record, previous=accepted["previous"])


def close(hub: Hub, command: words.WorkspaceClose) -> Accepted:
    """Have everything in it down."""
    workspace = hub.workspaces.get(command.name)
    return {"name": workspace.name, "runs": hub.workspaces.close(workspace)}


async def closed(hub: Hub, _command: words.WorkspaceClose, accepted: Accepted) -> words.WorkspaceClosed:
    """Answer when nothing of it runs."""
    for process_id, run_id in accepted["runs"].items():
        process = hub.state.processes.get(process_id)
        if process is not None and run_id is not None:
            await processes.until_down(hub, process, run_id)
    return words.WorkspaceClosed(workspace=hub.workspaces.record(hub.workspaces.get(accepted["name"])))


def delete(hub: Hub, command: words.WorkspaceDelete) -> Accepted:
    """Have it gone."""
    workspace = hub.workspaces.get(command.name)
    return {"name": workspace.name, "processes": hub.workspaces.delete(workspace)}


async def deleted(hub: Hub, _command: words.WorkspaceDelete, accepted: Accepted) -> words.WorkspaceDeleted:
    """Answer when nothing of it is left."""
    for process_id in accepted["processes"]:
        await processes.until_gone(hub, process_id)
    return words.WorkspaceDeleted(name=accepted["name"])


def list_(hub: Hub, command: words.WorkspaceList) -> words.Workspaces:
    """Return a page of workspaces."""
    names = sorted(
        name
        for name, workspace in hub.state.workspaces.items()
        if (command.root is None or workspace.root == command.root)
        and (command.after is None or name > command.after)
    )
    page = names[: command.limit]
    records = [hub.workspaces.record(hub.state.workspaces[name]) for name in page]
    return words.Workspaces(workspaces=records, next=page[-1] if len(names) > len(page) else None)


def get(hub: Hub, command: words.WorkspaceGet) -> words.WorkspaceReply:
    """Return one workspace with its processes."""
    workspace = hub.workspaces.get(command.name)
    return words.WorkspaceReply(
        workspace=hub.workspaces.record(workspace),
        plan=hub.workspaces.plan(workspace),
        processes=[processes.record(hub, process) for process in hub.state.members(workspace.name)],
        settings=[one.settings for one in hub.state.members(workspace.name)] if command.settings else None,
    )


async def outcomes(hub: Hub, accepted: Accepted, *, until_ready: bool = False) -> dict[str, Any]:
    """Wait for the runs that were asked for; return workspace, plan and what became of each process."""
    found = [
        await outcome(hub, process, accepted["runs"].get(process.process_id), until_ready=until_ready)
        for process in hub.state.members(accepted["name"])
    ]
    workspace = hub.workspaces.get(accepted["name"])  # it may have been deleted meanwhile
    return {
        "workspace": hub.workspaces.record(workspace),
        "plan": hub.workspaces.plan(workspace),
        "processes": found,
    }


async def outcome(hub: Hub, process: Process, run_id: str | None, *, until_ready: bool = False) -> Outcome:
    """Wait for a run that was asked for; return what became of it."""
    process_id = process.process_id
    if run_id is None:
        return Outcome(process_id=process_id, now="running" if alive(process.run) else "not_started")
    if process.waits_for is not None and not until_ready:
        return Outcome(process_id=process_id, now="waits", waits_for=process.waits_for)
    try:
        await processes.until_up(hub, process, run_id)
        if until_ready:
            await waiting.until_ready(hub, process, done_counts=True)
    except RequestError as error:
        return Outcome(process_id=process_id, now="refused", error=error.to_json())
    if process.waits_for == "admission":
        return Outcome(process_id=process_id, now="waits", waits_for=process.waits_for)
    return Outcome(process_id=process_id, now="spawned")
