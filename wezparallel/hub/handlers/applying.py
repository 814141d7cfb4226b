"""Handlers of `WorkspaceApply`: compare with the template, change, answer once what was started is up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.errors import RequestError
from wezparallel.hub.handlers import adding
from wezparallel.hub.handlers import process as processes
from wezparallel.hub.handlers.template import With, compiled_for
from wezparallel.hub.handlers.workspace import outcomes
from wezparallel.hub.pool.admission import check_room
from wezparallel.hub.workspaces.applying import Application, template_file
from wezparallel.protocol import workspace as words

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted
    from wezparallel.hub.state.model import Workspace


def apply(hub: Hub, command: words.WorkspaceApply) -> Accepted:
    """Compare, and unless it is only asked for, change what can be changed without stopping anything unasked."""
    workspace = hub.workspaces.get(command.name)
    folder = command.root or workspace.folder or workspace.root
    named = _named(workspace, command, folder)
    variables = {**workspace.variables, **command.variables}
    with_ = With(variables, command.environment, workspace.env_id)
    compiled = compiled_for(hub, named, command.source, folder, with_)
    application = Application(hub, workspace, compiled, prune=command.prune)
    application.check_named(command.restart)
    path = template_file(named, command.source, folder)
    accepted: Accepted = {
        "name": workspace.name, "runs": {}, "template": path, "dry_run": command.dry_run, "gone": [],
        "changes": [change.model_dump(mode="json") for change in application.changes(command.restart)],
        "plan_changed": application.plan_changed, "notes": compiled.notes,
    }  # fmt: skip
    if command.dry_run:
        return accepted
    for settings in compiled.settings:
        adding.check_size(settings)
    check_room(hub, workspace.name, sum(step.process is None for step in application.steps))
    if command.environment is not None and not hub.environments.holds(workspace.env_id):
        workspace.env_id = hub.environments.put(command.environment)
    workspace.template, workspace.template_path, workspace.variables = compiled.name, path, variables
    workspace.folder = "" if folder == compiled.root else folder
    accepted["runs"] = application.act(command.restart, command.view, command.terminal)
    if command.prune:
        accepted["gone"] = [one["process_id"] for one in accepted["changes"] if one["kind"] == "removed"]
    return accepted


async def applied(hub: Hub, command: words.WorkspaceApply, accepted: Accepted) -> words.WorkspaceApplied:
    """Answer once each process that was started is spawned, refused or known to wait; or ready, if that is asked."""
    for process_id in accepted["gone"]:
        await processes.until_gone(hub, process_id)
    told = await outcomes(hub, accepted, until_ready=command.wait == "ready")
    return words.WorkspaceApplied(
        **told, changes=[words.Change.model_validate(one) for one in accepted["changes"]],
        plan_changed=accepted["plan_changed"], dry_run=accepted["dry_run"], template=accepted["template"],
        notes=accepted.get("notes", []),
    )  # fmt: skip


def _named(workspace: Workspace, command: words.WorkspaceApply, folder: str) -> str | None:
    """Return the template that is meant, if it has a name. Raises RequestError `template.not_found`."""
    if command.template is not None or command.source is not None:
        return command.template
    if workspace.template_path is None and template_file(None, None, folder) is None:
        raise RequestError(
            "template.not_found",
            f"{workspace.name} was opened without a file, and there is none in {folder}; name a `template`",
            root=folder,
        )
    return workspace.template_path
