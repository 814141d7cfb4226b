"""Every option of the daemon, once: type, default, unit, text. Pure.

The canonical file is YAML with these sections; `configuration.py` finds and reads files, the environment and flags,
and says where each value came from. What a section's option is called here is what it is called in the file.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from wezparallel.protocol.process import Restart

LogLevel = Literal["trace", "debug", "info", "warn", "error"]


class Section(BaseModel):
    """Base of every section."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Framework(Section):
    """The daemon itself."""

    version: Annotated[str, Field(description="Version of the file's format.")] = "1.0.0"
    log_level: Annotated[LogLevel, Field(description="From which level on the daemon's own log is written.")] = "info"


class WorkspaceSettings(Section):
    """Workspaces."""

    max_workspaces: Annotated[int, Field(ge=1, le=1000, description="Open at the same time.")] = 8
    max_processes: Annotated[int, Field(ge=1, le=10000, description="Of one workspace.")] = 200
    default_layout: Annotated[str, Field(description="Layout of a template that draws none.")] = "three_pane"
    default_template: Annotated[str | None, Field(description="What `up` opens where a folder has none.")] = None
    auto_save_interval: Annotated[float, Field(ge=1, le=86400, description="Seconds between snapshots.")] = 30.0


class KindSettings(Section):
    """Processes of one kind: an agent's kind such as `claude_code`, or a name of your own."""

    max_instances: Annotated[int | None, Field(ge=0, description="Running at the same time; null: no limit.")] = None
    restart_policy: Annotated[Restart | None, Field(description="Unless its template says otherwise.")] = None
    health_check_interval: Annotated[float, Field(ge=0.05, le=3600, description="Seconds between probes.")] = 10.0
    timeout: Annotated[float, Field(ge=0, le=86400, description="Seconds within which it has to be ready.")] = 30.0
    environment: Annotated[dict[str, str], Field(description="Variables; `${NAME}` is expanded.", repr=False)] = {}
    command: Annotated[str | None, Field(description="The program, where its own name is not found.")] = None
    min_idle: Annotated[int, Field(ge=0, le=100, description="Spares kept ready.")] = 0
    idle_timeout: Annotated[float | None, Field(ge=0, description="Seconds after which a spare ends.")] = None


class Communication(Section):
    """The socket."""

    protocol: Literal["unix_socket"] = "unix_socket"
    socket_path: Annotated[str, Field(description="Name of the link to the public socket.")] = (
        "/tmp/wezterm-parallel.sock"  # noqa: S108  the seed's name; the socket itself lies in a folder of the user's
    )
    message_timeout: Annotated[float, Field(ge=1, description="Milliseconds for an agent to take a message.")] = (
        5000.0
    )


class Logs(Section):
    """What processes print."""

    keep_days: Annotated[float, Field(gt=0, le=36500, description="Days after which output is deleted.")] = 30.0


class Ui(Section):
    """What people see in WezTerm and in the dashboard."""

    theme: Annotated[str, Field(description="`dark`, `light`, or a theme's name.")] = "dark"
    show_process_status: Annotated[bool, Field(description="Counts in WezTerm's status text.")] = False
    auto_hide_inactive_panes: Annotated[bool, Field(description="Close the view of a process that ended.")] = False
    keybindings: Annotated[dict[str, str], Field(description="Action to key, as `ctrl+shift+n`.")] = {}


class Settings(Section):
    """All of it."""

    framework: Framework = Framework()
    workspaces: WorkspaceSettings = WorkspaceSettings()
    processes: Annotated[dict[str, KindSettings], Field(description="By kind.")] = {}
    communication: Communication = Communication()
    logs: Logs = Logs()
    ui: Ui = Ui()

    def kind(self, name: str | None) -> KindSettings:
        """Return the settings of a kind of process; the defaults for one that is not named."""
        return self.processes.get(name or "", _DEFAULTS.get(name or "", KindSettings()))


_DEFAULTS = {"claude_code": KindSettings(max_instances=16)}
