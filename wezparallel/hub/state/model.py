"""Everything that the hub knows, as plain mutable dataclasses, and how they look to clients. Pure.

Changed by handlers and by the pool in the hub's one thread; `state/store.py` writes them down. Times are milliseconds
since the epoch unless a name says otherwise. What a client sees (`protocol/`) is a projection made here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from wezparallel.protocol.process import ProcessSettings
from wezparallel.protocol.process import State as ProcessState

if TYPE_CHECKING:
    from wezparallel.types import JsonObject, Millis, ProcessId, RunId, WorkspaceName

Desired = Literal["up", "down"]
RunStatus = Literal["planned", "spawned", "exited", "lost"]
WaitsFor = Literal["viewer", "process", "admission"]

SHELLS = frozenset({"sh", "bash", "zsh", "fish", "dash", "ksh", "mksh", "tcsh", "nu", "elvish", "xonsh"})

LIVE: frozenset[ProcessState] = frozenset({"starting", "running", "ready", "unhealthy", "suspended", "stopping"})
"""States in which there is a run, or one is on its way."""

_EPOCH = datetime(1970, 1, 1)  # in UTC, like everything here


@dataclass(slots=True)
class Run:
    """One life of a process."""

    run_id: RunId
    process_id: ProcessId
    number: int
    """1 for the first run of the process."""
    status: RunStatus = "planned"
    stored_at: Millis = 0
    """When it was first written down, before anything was spawned."""
    pid: int | None = None
    start: int | None = None
    """Start time in clock ticks since boot; with `pid` it names a process for good."""
    started_at: Millis | None = None
    ended_at: Millis | None = None
    exit_code: int | None = None
    signal: int | None = None
    asked: bool = False
    """Its end was asked for."""
    boot_id: str | None = None
    ready: bool = False
    peak_cpu_percent: float | None = None
    """The most that its whole tree used at a look; None where it was never looked at."""
    peak_memory_bytes: int | None = None


@dataclass(slots=True)
class Process:
    """One process over all its runs."""

    process_id: ProcessId
    workspace: WorkspaceName | None
    settings: ProcessSettings
    desired: Desired = "up"
    state: ProcessState = "not_started"
    reason: str | None = None
    created_at: Millis = 0
    order: int = 0
    """Position among the processes of its workspace."""
    run: Run | None = None
    """The current run, or the last one."""
    planned: Run | None = None
    """A stored run that is spawned once the current one has ended."""
    runs: int = 0
    """How many runs it has had; the number of the newest."""
    restarts: list[float] = field(default_factory=list)
    """Seconds since the epoch of the restarts by policy that still count (`pool/restarts.py`)."""
    streak: int = 0
    """Restarts by policy since a run last lived long enough; the exponent of the backoff."""
    restart_count: int = 0
    """Restarts by policy since it was last started by a person."""
    backoff_until: Millis | None = None
    waits_for: WaitsFor | None = None
    env_id: str = ""
    """Name of the environment that the keeper holds; never the environment itself."""
    auto_start_on_restore: bool = False
    removed: bool = False
    """It is being removed: hidden from lists, kept until nothing of it is left."""
    in_template: bool | None = None
    """False: it has left the template that it came from. None: it was added by hand."""
    ran_with: tuple[RunId, ProcessSettings] | None = None
    """A run that began before its settings changed, and those that it began with."""
    notified: JsonObject | None = None
    """Why it asks for a look: `text`, `at` and `run_id`; until somebody looks or types."""
    ahead: JsonObject | None = None
    """It was started ahead (`pool/spares.py`): `kind`, what else has to fit, and `taken` once it is somebody's."""

    @property
    def is_spare(self) -> bool:
        """Tell whether it was started ahead and nobody has asked for it yet."""
        return self.ahead is not None and not self.ahead["taken"]

    @property
    def name(self) -> str:
        """Return what it is called within its workspace; a spare, which has no name yet, as its id ends."""
        return self.process_id.rpartition("/")[2] if self.is_spare else self.settings.name

    @property
    def notice(self) -> JsonObject | None:
        """Return why it asks for a look; what an earlier run had to say is over."""
        run_id = self.run.run_id if self.run is not None else None
        return self.notified if self.notified is not None and self.notified.get("run_id") == run_id else None

    @property
    def running_settings(self) -> ProcessSettings:
        """What its live run was started with; without one, what the next will be."""
        if self.ran_with is not None and self.run is not None and self.run.run_id == self.ran_with[0]:
            return self.ran_with[1]
        return self.settings


@dataclass(slots=True)
class Workspace:
    """A root, a name and the plan of its panes."""

    name: WorkspaceName
    root: str
    template: str | None = None
    created_at: Millis = 0
    open: bool = True
    focus: ProcessId | None = None
    plan: JsonObject = field(default_factory=dict)
    env_id: str = ""
    folder: str = ""
    """Project folder that it was opened for, where its template puts the root elsewhere; else empty."""
    template_path: str | None = None
    """File that it was opened from; None: from what was found in the folder, or from text."""
    variables: dict[str, str] = field(default_factory=dict)
    """What its template was opened with (`--var`)."""
    switched_at: Millis | None = None
    """When somebody last switched to it."""


@dataclass(slots=True)
class State:
    """All of it."""

    workspaces: dict[WorkspaceName, Workspace] = field(default_factory=dict)
    processes: dict[ProcessId, Process] = field(default_factory=dict)

    def members(self, workspace: WorkspaceName, *, spares: bool = False) -> list[Process]:
        """Return a workspace's processes in the order of their definition, without those being removed.

        Spares are nobody's yet: they have no name of their own, so they are left out unless they are asked for.
        """
        found = [p for p in self.processes.values() if p.workspace == workspace and not p.removed]
        found = found if spares else [p for p in found if not p.is_spare]
        return sorted(found, key=lambda process: (process.order, process.process_id))


@lru_cache(1024)
def rfc3339(ms: Millis) -> str:
    """Return `2026-11-24T12:00:00.250Z` for milliseconds since the epoch."""
    # strftime would take ten times as long; the cache, because every record shows the same moments again.
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds") + "Z"


def process_record(
    process: Process,
    *,
    viewers: int = 0,
    cpu_percent: float | None = None,
    memory_bytes: int | None = None,
    max_tries: int = 0,
    health: str | None = None,
    last_heartbeat: Millis | None = None,
) -> JsonObject:
    """Return what clients see of a process (`protocol.process.ProcessRecord`)."""
    settings, run = process.settings, process.run
    return {
        "process_id": process.process_id,
        "workspace": process.workspace,
        "name": process.name,
        "command": settings.command or " ".join(settings.argv),
        "argv": settings.argv,
        "cwd": settings.cwd,
        "state": process.state,
        "desired": process.desired,
        "pid": run.pid if run and run.status == "spawned" else None,
        "run_id": run.run_id if run else None,
        "run": process.runs,
        "restarts": process.restart_count,
        "created_at": rfc3339(process.created_at),
        "started_at": _moment(run.started_at if run else None),
        "ended_at": _moment(run.ended_at if run else None),
        "exit_code": run.exit_code if run else None,
        "signal": run.signal if run else None,
        "reason": process.reason,
        "waits_for": process.waits_for,
        "next_start_at": _moment(process.backoff_until) if process.state == "backoff" else None,
        "tries": len(process.restarts),
        "max_tries": max_tries,
        "tty": settings.tty,
        "pane": settings.pane,
        "direct": settings.direct,
        "agent": settings.agent,
        "restart": settings.restart,
        "on_close": on_close(settings),
        "health": health,
        "last_heartbeat": _moment(last_heartbeat),
        "viewers": viewers,
        "cpu_percent": cpu_percent,
        "memory_bytes": memory_bytes,
        "in_template": process.in_template,
        "needs_restart": process.running_settings is not settings and run is not None and run.status == "spawned",
        "notified": process.notice,
        "spare": process.is_spare,
    }


def on_close(settings: ProcessSettings) -> str:
    """Return what becomes of a process when its pane is closed by hand: a shell stops, all else is kept."""
    if settings.on_close is not None:
        return settings.on_close
    words = settings.argv[:1] if settings.argv[1:] in ([], ["-l"], ["-i"], ["-il"]) else []
    is_shell = bool(words) and words[0].rpartition("/")[2].lstrip("-") in SHELLS
    return "stop" if is_shell and settings.agent is None else "keep"


def workspace_record(workspace: Workspace, members: Iterable[Process]) -> JsonObject:
    """Return what clients see of a workspace (`protocol.workspace.WorkspaceRecord`)."""
    members = [process for process in members if not process.removed]
    states = [process.state for process in members if not process.is_spare]
    return {
        "name": workspace.name,
        "root": workspace.root,
        "template": workspace.template,
        "created_at": rfc3339(workspace.created_at),
        "open": workspace.open,
        "folder": workspace.folder or workspace.root,
        "switched_at": _moment(workspace.switched_at),
        "not_in_template": sum(one.in_template is False for one in members),
        "focus": workspace.focus,
        "processes": len(states),
        "running": sum(state in LIVE for state in states),
        "spares": len(members) - len(states),
    }


def _moment(ms: Millis | None) -> str | None:
    return None if ms is None else rfc3339(ms)
