"""A process that begins with a definition of its workspace's template, as `ProcessAdd` asks for. Reads files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from wezparallel.hub.handlers.template import With, compiled_for, users_shell
from wezparallel.hub.workspaces import compiling, discovery
from wezparallel.protocol.process import ProcessSettings

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Workspace
    from wezparallel.protocol.process import ProcessAdd

_NOT_OVER = frozenset({"env", "command"})


def from_template(
    hub: Hub, command: ProcessAdd, name: str, owner: Workspace | None, env: dict[str, str]
) -> ProcessSettings:
    """Return what a definition says, with what the command says over it. Raises RequestError `template.*`."""
    root = (owner.folder or owner.root) if owner is not None else command.root or os.path.expanduser("~")
    path = (owner.template_path if owner is not None else None) or discovery.own_template(root)
    template = command.template or ""
    env_id = owner.env_id if owner is not None else ""
    values = {**(owner.variables if owner is not None else {}), **command.variables}
    if path is not None:
        # Nothing of it runs before somebody has accepted it.
        compiled_for(hub, path, None, root, With(values, command.environment, env_id))
    made = compiling.process_with(
        path, root, name, template, shell=users_shell(), settings=hub.settings, variables=values,
        environment=hub.environments.at_hand(command.environment, env_id),
    )  # fmt: skip
    said = command.model_fields_set & set(ProcessSettings.model_fields) - _NOT_OVER
    over: dict[str, Any] = {field: getattr(command, field) for field in said if getattr(command, field) is not None}
    over["env"] = {**made.env, **env}
    over["env_expand"] = [one for one in made.env_expand if one not in env]
    over["argv"] = [*made.argv, *command.args]
    if command.args:
        over["command"] = " ".join([made.command, *command.args])
    return made.model_copy(update=over)
