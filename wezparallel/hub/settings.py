"""Every option of the daemon, once: type, default, unit, text. Pure.

The canonical file is YAML with these sections; `configuration.py` finds and reads files, the environment and flags,
and says where each value came from. What a section's option is called here is what it is called in the file.
`docs/reference/settings.md`, the JSON Schema and the sample file are made from here.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from wezparallel.protocol.notification import Channel, Rule
from wezparallel.protocol.process import Restart

LogLevel = Literal["trace", "debug", "info", "warn", "error"]
DAY_S = 86400
METRICS_ADDRESS = "127.0.0.1:9464"


def option(text: str, unit: str = "", **limits: Any) -> Any:
    """Return the description of an option; `unit` is what its number counts."""
    return Field(description=text, json_schema_extra={"x-unit": unit} if unit else None, **limits)


class Section(BaseModel):
    """Base of every section."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Framework(Section):
    """The daemon itself."""

    version: Annotated[str, option("Version of the file's format.", max_length=64)] = "1.0.0"
    log_level: Annotated[LogLevel, option("From which level on the daemon writes its own log.")] = "info"


class WorkspaceSettings(Section):
    """Workspaces."""

    max_workspaces: Annotated[int, option("Open at the same time.", "workspaces", ge=1, le=1000)] = 8
    max_processes: Annotated[int, option("In one workspace.", "processes", ge=1, le=10000)] = 100
    default_layout: Annotated[str, option("Layout of a template that draws none.", max_length=64)] = "three_pane"
    default_template: Annotated[
        str | None, option("Template that `up` opens in a folder which has none; else one is drawn for the folder.")
    ] = None
    auto_save_interval: Annotated[
        float, option("Time between two snapshots, if something has changed.", "seconds", ge=1, le=DAY_S)
    ] = 30.0
    snapshots_kept: Annotated[int, option("The newest snapshots, which are kept.", "snapshots", ge=1, le=10_000)] = 50
    templates: Annotated[dict[str, Any], option("Templates by name, as template files have them.")] = {}


class KindSettings(Section):
    """Processes of one kind: an agent's kind such as `claude_code`, or a name of your own."""

    max_instances: Annotated[
        int | None, option("Running at the same time; null is no limit.", "processes", ge=0, le=100_000)
    ] = None
    restart_policy: Annotated[Restart | None, option("When one comes back, unless its template says so.")] = None
    health_check_interval: Annotated[float, option("Time between two looks.", "seconds", ge=0.05, le=3600)] = 10.0
    timeout: Annotated[float, option("Time within which one has to be ready.", "seconds", ge=0, le=DAY_S)] = 30.0
    environment: Annotated[
        dict[str, str], option("Variables; `${NAME}` and `${NAME:-default}` are expanded at each start.", repr=False)
    ] = {}
    command: Annotated[str | None, option("The program, where it is not the kind's own on the PATH.")] = None
    min_idle: Annotated[
        int, option("Spares kept ready in each workspace that has one of the kind.", "processes", ge=0, le=100)
    ] = 0
    idle_timeout: Annotated[
        float | None, option("Time after which an unused spare ends; null is never.", "seconds", ge=0, le=30 * DAY_S)
    ] = None


class Supervision(Section):
    """What holds for every process whose template does not say otherwise."""

    stop_grace: Annotated[float, option("Time between the stop signal and SIGKILL.", "seconds", ge=0, le=3600)] = 5.0
    backoff: Annotated[float, option("First delay before a restart; it doubles.", "seconds", ge=0, le=3600)] = 1.0
    give_up_tries: Annotated[int, option("Restarts in the window, then it is given up.", "", ge=1, le=1000)] = 10
    give_up_window: Annotated[float, option("In which restarts are counted.", "seconds", gt=0, le=DAY_S)] = 600.0
    give_up_reset: Annotated[float, option("Life after which the delay begins anew.", "seconds", ge=0, le=DAY_S)] = (
        30.0
    )


class Alerts(Section):
    """From where on somebody is told; null is never. A template's `limits:` go before."""

    cpu_percent: Annotated[float | None, option("Of one process's whole tree.", "% of a core", gt=0, le=1e6)] = None
    memory_mb: Annotated[float | None, option("Of one process's whole tree.", "MB", gt=0, le=1e9)] = None
    disk_percent: Annotated[
        float | None, option("Used of the disk that holds the logs.", "% of the disk", gt=0, le=100)
    ] = None


class Notifications(Section):
    """Who is told of what. By itself the daemon tells four kinds where somebody is: in WezTerm, else a terminal."""

    tell_exit_abnormal: Annotated[bool, option("By itself: that a process ended badly.")] = True
    tell_finished: Annotated[bool, option("By itself: that a process ended well after a long time.")] = True
    tell_error: Annotated[bool, option("By itself: that a process was given up.")] = True
    tell_waiting: Annotated[bool, option("By itself: that a process asks to be looked at.")] = True
    finished_after: Annotated[float, option("What a long time is.", "seconds", ge=0, le=30 * DAY_S)] = 30.0
    quiet: Annotated[
        float, option("In which the daemon tells the same of the same process once.", "seconds", ge=0, le=DAY_S)
    ] = 30.0
    channels: Annotated[dict[str, Channel], option("Where rules can send to, by name.", repr=False)] = {}
    rules: Annotated[dict[str, Rule], option("Which news go where, by name.")] = {}


class Metrics(Section):
    """What Prometheus scrapes, at `/metrics`."""

    enabled: Annotated[
        bool, option("Whether it is served; with `WEZPARALLEL_RUNTIME_DIR` only where one of these two is set.")
    ] = True
    address: Annotated[str, option("`host:port` that it is served at; port 0 takes any.", max_length=255)] = (
        METRICS_ADDRESS
    )

    @field_validator("address")
    @classmethod
    def _numbers(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if not port.isdecimal() or int(port) > 65535:
            raise ValueError("has to be host:port, as 127.0.0.1:9464 or [::1]:9464")
        if host != "localhost":  # a name would have to be looked up, by the program that must not wait
            ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
        return address


class Communication(Section):
    """The socket."""

    protocol: Annotated[Literal["unix_socket"], option("How the daemon is reached.")] = "unix_socket"
    socket_path: Annotated[str, option("Name of the link to the public socket.", max_length=4000)] = (
        "/tmp/wezterm-parallel.sock"  # noqa: S108  the seed's name; the socket itself lies in a folder of the user's
    )
    message_timeout: Annotated[
        float, option("Time that an agent has to take a message.", "milliseconds", ge=1, le=DAY_S * 1000)
    ] = 5000.0

    @field_validator("socket_path")
    @classmethod
    def _absolute(cls, path: str) -> str:
        if not path.startswith(("/", "~/")) or "\0" in path:
            raise ValueError("has to be an absolute path")
        return path


class Logs(Section):
    """What processes print."""

    keep_days: Annotated[float, option("Age at which output is deleted.", "days", gt=0, le=36500)] = 30.0
    total: Annotated[
        int, option("What all output together may take on disk; above it the oldest goes.", "MB", ge=16, le=1 << 24)
    ] = 1024
    lines: Annotated[int, option("What `logs` shows unless told otherwise.", "lines", ge=1, le=100_000)] = 100
    buffer_lines: Annotated[
        int, option("Of a log that is kept in memory, the newest that are told.", "lines", ge=1, le=100_000)
    ] = 10_000


class Web(Section):
    """The gateway for browsers and phones; it comes with a later version."""

    host: Annotated[str, option("Address that it listens at.", max_length=255)] = "127.0.0.1"
    port: Annotated[int, option("Port that it listens at.", "", ge=1, le=65535)] = 12700
    max_devices: Annotated[int, option("Connected at the same time.", "devices", ge=1, le=10000)] = 50


class Ui(Section):
    """What people see."""

    theme: Annotated[str, option("The dashboard's: `dark`, `light`, `16` (the terminal's).", max_length=64)] = "dark"
    show_process_status: Annotated[bool, option("Counts in WezTerm's status text.")] = False
    auto_hide_inactive_panes: Annotated[bool, option("Close the view of a process that ended.")] = False
    keybindings: Annotated[dict[str, str], option("Action to key, as `ctrl+shift+n`.")] = {}


DEFAULT_KINDS: dict[str, dict[str, Any]] = {"claude_code": {"max_instances": 16}}
"""What differs from `KindSettings` for kinds that we know; a file that names one changes only what it says."""


class Settings(Section):
    """All of it."""

    framework: Framework = Framework()
    workspaces: WorkspaceSettings = WorkspaceSettings()
    processes: Annotated[dict[str, KindSettings], Field(description="By kind.", validate_default=True)] = {}
    process_templates: Annotated[dict[str, Any], option("Processes that templates use by name.")] = {}
    supervision: Supervision = Supervision()
    alerts: Alerts = Alerts()
    notifications: Notifications = Notifications()
    metrics: Metrics = Metrics()
    communication: Communication = Communication()
    logs: Logs = Logs()
    web: Web = Web()
    ui: Ui = Ui()

    @model_validator(mode="before")
    @classmethod
    def _known_kinds(cls, given: Any) -> Any:
        """Put what we know of a kind below what is said of it."""
        if not isinstance(given, dict):
            return given
        kinds = dict(given.get("processes") or {})
        for name, known in DEFAULT_KINDS.items():
            said = kinds.get(name, {})
            kinds[name] = known | said if isinstance(said, dict) else said
        return {**given, "processes": kinds}

    def kind(self, name: str | None) -> KindSettings:
        """Return the settings of a kind of process; the defaults for one that is not named."""
        return self.processes.get(name or "") or KindSettings()


FREE = ("processes", "workspaces.templates", "process_templates", "notifications.channels", "notifications.rules")
"""Where names are the user's own."""
