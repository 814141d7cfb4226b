"""A process that begins with a definition of a template, as `ProcessAdd` asks for. Reads files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from wezparallel.hub.handlers import process_templates
from wezparallel.hub.handlers.template import With, compiled_for
from wezparallel.hub.pool.checks import check_cwd
from wezparallel.hub.workspaces import compiling, discovery
from wezparallel.hub.workspaces.compiling import users_shell
from wezparallel.protocol.process import ProcessSettings

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Workspace
    from wezparallel.protocol.process import ProcessAdd

_NOT_OVER = frozenset({"env", "command"})


def from_template(
    hub: Hub, command: ProcessAdd, name: str, owner: Workspace | None, env: dict[str, str]
) -> tuple[ProcessSettings, bool]:
    """Return what a definition says, with what the command says over it, and whether it comes back after a reboot.

    A definition of the workspace's template, or of the configuration, goes before a template of one process.
    Raises RequestError `template.*`, `process.bad_*`.
    """
    root = (owner.folder or owner.root) if owner is not None else command.root or os.path.expanduser("~")
    path = (owner.template_path if owner is not None else None) or discovery.own_template(root)
    template = command.template or ""
    if not _is_path(template) and compiling.defines(path, root, template):
        made, comes_back = _of_definition(hub, command, (path, root, name), owner), False
    elif process_templates.is_meant(template, root, None if _is_path(template) else "process"):
        made, comes_back = _of_file(hub, command, (root, name), owner)
    else:  # says what there is
        made, comes_back = _of_definition(hub, command, (path, root, name), owner), False
    said = command.model_fields_set & set(ProcessSettings.model_fields) - _NOT_OVER
    over: dict[str, Any] = {field: getattr(command, field) for field in said if getattr(command, field) is not None}
    if "cwd" in over:
        check_cwd(over["cwd"], root)
    over["env"] = {**made.env, **env}
    over["env_expand"] = [one for one in made.env_expand if one not in env]
    over["argv"] = [*made.argv, *command.args]
    if command.args:
        over["command"] = " ".join([made.command, *command.args])
    return made.model_copy(update=over), comes_back


def _of_definition(
    hub: Hub, command: ProcessAdd, where: tuple[str | None, str, str], owner: Workspace | None
) -> ProcessSettings:
    path, root, name = where
    env_id = owner.env_id if owner is not None else ""
    values = {**(owner.variables if owner is not None else {}), **command.variables}
    if path is not None:
        # Nothing of it runs before somebody has accepted it.
        compiled_for(hub, path, None, root, With(values, command.environment, env_id))
    return compiling.process_with(
        path, root, name, command.template or "", shell=users_shell(), settings=hub.settings, variables=values,
        environment=hub.environments.at_hand(command.environment, env_id),
    )  # fmt: skip


def _of_file(
    hub: Hub, command: ProcessAdd, where: tuple[str, str], owner: Workspace | None
) -> tuple[ProcessSettings, bool]:
    root, name = where
    found = process_templates.look_up(command.template or "", root)
    found.file.check_given(command.variables)
    environment = hub.environments.at_hand(command.environment, owner.env_id if owner is not None else "")
    made = process_templates.settings_of(hub, found, root, name, command.variables, environment)
    return made, found.file.on_restore


def _is_path(template: str) -> bool:
    return "/" in template or template.endswith((".yaml", ".yml"))
