"""Options of other programs' files that people bring along: what each is called here, or why it has no meaning.

Three schemas were in use around the seeds: a `Config` in Rust, `framework.yaml` and `quickstart-config.yaml`. Above:
`configuration.py`, which looks an unknown key up here before it warns. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ours:
    """What an option is called here, and how its value has to be changed."""

    option: str
    convert: Callable[[Any], Any] | None = None


def _restarts(value: Any) -> Any:
    return {True: "on_failure", False: "never"}.get(value, value) if isinstance(value, bool) else value


_CLAUDE = "processes.claude_code."
MEANT: dict[str, Ours] = {
    # the Rust `Config`
    "server.socket_path": Ours("communication.socket_path"),
    "workspace.max_workspaces": Ours("workspaces.max_workspaces"),
    "workspace.default_template": Ours("workspaces.default_template"),
    "workspace.auto_save_interval": Ours("workspaces.auto_save_interval"),
    "process.max_processes_per_workspace": Ours("workspaces.max_processes"),
    "process.startup_timeout": Ours(_CLAUDE + "timeout"),
    "process.health_check_interval": Ours(_CLAUDE + "health_check_interval"),
    "process.auto_restart": Ours(_CLAUDE + "restart_policy", _restarts),
    "process.max_restart_attempts": Ours("supervision.give_up_tries"),
    "process.environment": Ours(_CLAUDE + "environment"),
    "logging.level": Ours("framework.log_level"),
    # framework.yaml
    "framework.socket_path": Ours("communication.socket_path"),
    "dashboard.theme": Ours("ui.theme"),
    "dashboard.metrics.alerts.disk_threshold": Ours("alerts.disk_percent"),
    "process_management.auto_restart": Ours(_CLAUDE + "restart_policy", _restarts),
    "process_management.health_check_interval": Ours(_CLAUDE + "health_check_interval"),
    "process_management.max_restart_attempts": Ours("supervision.give_up_tries"),
    "process_management.restart_delay": Ours("supervision.backoff"),
    "process_management.claude_code.instances": Ours(_CLAUDE + "max_instances"),
    "process_management.claude_code.timeout": Ours(_CLAUDE + "timeout"),
    "process_management.monitoring.cpu_limit": Ours("alerts.cpu_percent"),
    "process_management.monitoring.memory_limit": Ours("alerts.memory_mb"),
    "network.http.host": Ours("web.host"),
    "network.http.port": Ours("web.port"),
    # quickstart-config.yaml
    "server.host": Ours("web.host"),
    "server.port": Ours("web.port"),
    "process_management.max_processes_per_workspace": Ours("workspaces.max_processes"),
    "claude_code.timeout": Ours(_CLAUDE + "timeout"),
}

_ALWAYS = "this is always so here"
_TEMPLATE = "a template says this for each process"
_LATER = "there is no such part yet"
_SQLITE = "the state is kept in a database, whose place XDG_STATE_HOME decides"
_OWN_LOG = (
    "the daemon's own log is one file in the folder of its state; `logs.keep_days` is about what processes print"
)
MEANINGLESS: dict[str, str] = {
    "server.max_connections": "any number of clients may connect",
    "server.connection_timeout": "a client may stay as long as it likes",
    "server.enable_metrics": _ALWAYS,
    "server.health_check_interval": "each kind of process has its own: processes.KIND.health_check_interval",
    "server.websocket_port": "one port serves both: web.port",
    "workspace.state_path": _SQLITE,
    "workspace.templates_dir": "templates lie in the folder `templates` beside this file",
    "process.working_dir_template": "a workspace's `root` is the folder of its processes",
    "ui.dashboard": _LATER,
    "ui.theme.*": "a theme is chosen by its name: ui.theme",
    "ui.keybindings.leader_key": "the key is set in WezTerm's own configuration",
    "ui.keybindings.workspace_prefix": "each action has its own key",
    "ui.keybindings.process_prefix": "each action has its own key",
    "ui.keybindings.pane_prefix": "each action has its own key",
    "ui.keybindings.dashboard_prefix": "each action has its own key",
    "logging": _OWN_LOG,
    "plugins": _LATER,
    "framework.auto_start": "the first command that needs the daemon starts it",
    "framework.data_dir": _SQLITE,
    "framework.max_connections": "any number of clients may connect",
    "framework.connection_timeout": "a client may stay as long as it likes",
    "dashboard": _LATER,
    "dashboard.metrics.alerts.cpu_threshold": "it was of the machine; alerts.cpu_percent is of a process",
    "dashboard.metrics.alerts.memory_threshold": "it was of the machine; alerts.memory_mb is of a process",
    "pane_management": "panes are WezTerm's; a template's `layout` draws them",
    "task_management": _LATER,
    "process_management.enabled": _ALWAYS,
    "process_management.claude_code.auto_start": _TEMPLATE + ": auto_start",
    "process_management.claude_code.working_directory": _TEMPLATE + ": cwd",
    "process_management.monitoring.resource_monitoring": _ALWAYS,
    "network": _LATER,
    "themes": "a theme is chosen by its name: ui.theme",
    "development": "framework.log_level: debug tells more",
    "backup": "workspaces.auto_save_interval is how often snapshots are made",
    "security": _LATER,
    "claude_code.auto_detect": _ALWAYS,
    "claude_code.auto_start": _TEMPLATE + ": auto_start",
}


def meaning(path: tuple[str, ...]) -> Ours | str | None:
    """Return what a foreign option is here, or why it is nothing; None if nobody knows it."""
    name = ".".join(path)
    if name in MEANT:
        return MEANT[name]
    if len(path) > 2 and path[:2] == ("ui", "theme"):
        return MEANINGLESS["ui.theme.*"]
    for length in range(len(path), 0, -1):
        why = MEANINGLESS.get(".".join(path[:length]))
        if why is not None:
            return why
    return None


def is_section(path: tuple[str, ...]) -> bool:
    """Tell whether something below this name is known."""
    prefix = ".".join(path) + "."
    return any(name.startswith(prefix) for name in (*MEANT, *MEANINGLESS))
