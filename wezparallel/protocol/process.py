"""Processes: what one is told to be, what it is, and the commands and events about it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from wezparallel.protocol.command import Command, Effect, Mutation, Payload, Record, Reply, Settings
from wezparallel.protocol.supervision import GiveUp, Limits, Need, Notice, Probe, below_folder
from wezparallel.protocol.terminal import ShownOn

State = Literal[
    "not_started", "starting", "running", "ready", "unhealthy", "suspended", "stopping", "stopped", "exited",
    "backoff", "failed",
]  # fmt: skip
Restart = Literal["always", "on_failure", "never"]
Stream = Literal["stdout", "stderr", "tty"]
LogKind = Literal["disk", "memory", "off"]

TERM_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$"
NOT_IN_NAMES = r"/\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069"
"""What moves a cursor or turns a line around, and so would show another name than there is."""
NAME_PATTERN = rf"^[^{NOT_IN_NAMES}-][^{NOT_IN_NAMES}]{{0,63}}$"  # `-` first is an option to every program
NAME_RULE = "a name has 1 to 64 characters, no `/` and none that cannot be seen, and does not begin with `-`"
MAX_ID = 200


Watch = Annotated[
    list[Annotated[str, AfterValidator(below_folder)]],
    Field(max_length=100, description="Globs below its folder; a change restarts it, unless it is an agent."),
]
OnClose = Annotated[Literal["keep", "stop", "ask"] | None, Field(description="When its pane is closed by hand.")]


class StopRules(Settings):
    """How a process is stopped."""

    signal: Annotated[str, Field(pattern=r"^SIG[A-Z0-9]+$", description="First signal.")] = "SIGTERM"
    grace_s: Annotated[float, Field(ge=0, le=3600, description="Seconds before SIGKILL.")] = 5.0
    kill: Annotated[
        Literal["tree", "group"], Field(description="Who gets SIGKILL: everything below it, or its group.")
    ] = "tree"


class ProcessSettings(Settings):
    """One process as a template, `ProcessAdd` or `run` describes it."""

    name: Annotated[str, Field(pattern=NAME_PATTERN, description="Unique within its workspace.")]
    argv: Annotated[list[str], Field(min_length=1, max_length=4096, description="Program and arguments; no shell.")]
    command: Annotated[str, Field(description="What a person wrote; shown in lists.")] = ""
    cwd: Annotated[str, Field(description="Absolute folder it starts in.")]
    env: Annotated[dict[str, str | None], Field(description="On top of the workspace's; null removes.")] = {}
    tty: Annotated[bool, Field(description="On a terminal of its own, or on pipes.")] = True
    term: Annotated[str | None, Field(pattern=TERM_PATTERN, description="TERM; else its first viewer's.")] = None
    pane: Annotated[bool, Field(description="Shown in a pane of the layout.")] = False
    focus: bool = False
    title: str | None = None
    agent: Annotated[str | None, Field(description="Kind of agent, if it is one.")] = None
    may: Annotated[list[str], Field(description="What an agent may do beyond its own workspace.")] = []
    restart: Annotated[Restart, Field(description="When it comes back by itself.")] = "on_failure"
    backoff_s: Annotated[float, Field(ge=0, le=3600, description="First delay before a restart; doubles.")] = 1.0
    stop: StopRules = StopRules()
    log: Annotated[LogKind, Field(description="Where output goes; but `disk`, a ring of 1 MB.")] = "disk"
    log_cap_bytes: Annotated[int, Field(ge=1 << 20, description="Oldest output goes above this.")] = 256 << 20
    auto_start: bool = True
    of_agent: Annotated[bool, Field(description="Added by an agent: what it asks for is asked by an agent.")] = False
    depends_on: Annotated[dict[str, Need], Field(description="Names in its workspace, and what of each.")] = {}
    ready: Annotated[Probe | None, Field(description="It counts as ready once this passes.")] = None
    health: Annotated[Probe | None, Field(description="Looked at while it runs; failing, it is restarted.")] = None
    give_up: GiveUp = GiveUp()
    limits: Limits = Limits()
    watch: Watch = []
    on_close: OnClose = None
    isolate: Annotated[bool, Field(description="Only an allow-list of the environment.")] = False
    worktree: Annotated[str | None, Field(description="Branch whose git worktree is its folder.")] = None
    direct: Annotated[bool, Field(description="Runs in the pane itself: no log, no attach, no survival.")] = False
    env_expand: Annotated[
        list[str], Field(description="Names in `env` whose `${…}` is filled in at each start; no value is stored.")
    ] = []
    env_files: Annotated[list[str], Field(description="Files of variables, read at each start; below `env`.")] = []
    prompt: Annotated[str | None, Field(description="What an agent is told at its first start.")] = None


class ProcessRecord(Record):
    """One process as it is now. Unknown is null."""

    process_id: str
    workspace: str | None
    name: str
    command: str
    argv: list[str]
    cwd: str
    state: State
    desired: Literal["up", "down"]
    pid: int | None
    run_id: str | None
    run: Annotated[int, Field(description="How many runs it has had.")]
    restarts: Annotated[int, Field(description="Restarts by policy since it was last started by a person.")]
    created_at: str
    started_at: str | None
    ended_at: str | None
    exit_code: int | None
    signal: int | None
    reason: Annotated[str | None, Field(description="Why it is in this state, as a sentence.")]
    waits_for: Literal["viewer", "process", "admission"] | None
    next_start_at: str | None
    tries: Annotated[int, Field(description="Restarts by policy of late, the one that is due with them.")]
    max_tries: Annotated[int, Field(description="With so many `tries` it is given up when it ends again.")]
    tty: bool
    pane: bool
    direct: Annotated[bool, Field(description="Runs in its pane itself: no log, no attach, no survival.")] = False
    agent: str | None
    restart: Restart
    health: Annotated[str | None, Field(description="What its probe saw last: `port 5432`, or why it failed.")] = None
    on_close: Annotated[
        Literal["keep", "stop", "ask"], Field(description="What becomes of it when its pane is closed by hand.")
    ] = "keep"
    last_heartbeat: Annotated[str | None, Field(description="An agent's last output or hook.")] = None
    viewers: int
    cpu_percent: float | None
    memory_bytes: int | None
    in_template: Annotated[
        bool | None, Field(description="False: it left the template that it came from. Null: added by hand.")
    ] = None
    needs_restart: Annotated[bool, Field(description="It runs with settings from before a change.")] = False
    notified: Annotated[Notice | None, Field(description="Until somebody looks or types.")] = None
    spare: Annotated[bool, Field(description="Started ahead; nobody has asked for it yet.")] = False


class ProcessReply(Reply):
    """A reply that carries one process."""

    TAG: ClassVar[str] = "Process"
    process: ProcessRecord


class ProcessAdded(ProcessReply):
    """The process exists."""

    TAG: ClassVar[str] = "ProcessAdded"
    now: Annotated[str, Field(description="`spawned`, `refused`, `waits` or `added`.")]
    error: Payload | None = None
    dropped: Annotated[list[str], Field(description="Unsafe names that were left out of `env`.")] = []
    reused: Annotated[bool, Field(description="It was a spare: it ran already, and keeps its id.")] = False
    not_reused: Annotated[str | None, Field(description="Why a spare of its kind was not taken.")] = None


class ProcessAdd(Mutation[ProcessAdded]):
    """Add a process, and start it unless `auto_start` is false."""

    REPLY: ClassVar[type[Reply]] = ProcessAdded

    id: Annotated[str, Field(min_length=1, max_length=MAX_ID, description="`workspace/name`, or a bare name.")]
    command: Annotated[str, Field(description="One executable; arguments go into `args`.")] = ""
    args: Annotated[list[str], Field(max_length=4095)] = []
    template: Annotated[
        str | None,
        Field(description="In the place of `command`: a definition of `process_templates`; other fields go over it."),
    ] = None
    variables: Annotated[dict[str, str], Field(description="Values for the definition's `${NAME}`.")] = {}
    env: dict[str, str] = {}
    cwd: Annotated[str | None, Field(description="Absolute; the workspace's root, else the home folder.")] = None
    auto_start_on_restore: Annotated[bool, Field(description="Comes back after a reboot.")] = False
    auto_start: bool = True
    tty: Annotated[bool, Field(description="On a terminal; else on pipes, stdout and stderr apart.")] = False
    restart: Restart = "on_failure"
    backoff_s: Annotated[float, Field(ge=0, le=3600, description="First delay before a restart; doubles.")] = 1.0
    stop: StopRules = StopRules()
    agent: str | None = None
    log: Annotated[LogKind, Field(description="Where output goes; but `disk`, a ring of 1 MB.")] = "disk"
    log_cap_bytes: Annotated[int, Field(ge=1 << 20)] = 256 << 20
    depends_on: Annotated[dict[str, Need], Field(description="Names in its workspace, and what of each.")] = {}
    ready: Annotated[Probe | None, Field(description="It counts as ready once this passes.")] = None
    health: Annotated[Probe | None, Field(description="Looked at while it runs; failing, it is restarted.")] = None
    give_up: GiveUp = GiveUp()
    limits: Limits = Limits()
    watch: Watch = []
    on_close: OnClose = None
    isolate: Annotated[bool, Field(description="Only an allow-list of the environment.")] = False
    root: Annotated[str | None, Field(description="Makes the workspace with this root if there is none.")] = None
    unique: Annotated[bool, Field(description="A taken name becomes `name-2`.")] = False
    reuse: Annotated[
        bool | None, Field(description="Take a spare where one fits; it keeps its id. Null: if `unique` is set.")
    ] = None
    environment: Annotated[
        dict[str, str] | None, Field(description="The caller's environment; kept in memory only.", repr=False)
    ] = None
    terminal: ShownOn = None

    @model_validator(mode="after")
    def _one_command(self) -> ProcessAdd:
        if bool(self.command) == bool(self.template):
            raise ValueError("a process has a `command`, or a `template` that it begins with")
        return self


Wait = Annotated[
    Literal["spawned", "ready"], Field(description="Answer when it was spawned, or only when it is ready.")
]
Renewal = Annotated[
    dict[str, str] | None,
    Field(description="In the place of the environment that it has; kept in memory only. Else it stays.", repr=False),
]


class ProcessStarted(ProcessReply):
    """It runs."""

    TAG: ClassVar[str] = "ProcessStarted"


class ProcessStart(Mutation[ProcessStarted]):
    """Start a process that does not run. Answers at once if it runs already."""

    REPLY: ClassVar[type[Reply]] = ProcessStarted
    process: Annotated[str, Field(max_length=MAX_ID)]
    wait: Wait = "spawned"
    environment: Renewal = None


class ProcessStopped(ProcessReply):
    """Nothing of it is left."""

    TAG: ClassVar[str] = "ProcessStopped"


class ProcessStop(Mutation[ProcessStopped]):
    """Stop a process and everything below it; answers when nothing of it is left."""

    REPLY: ClassVar[type[Reply]] = ProcessStopped
    EFFECT: ClassVar[Effect] = "destroy"
    process: Annotated[str, Field(max_length=MAX_ID)]
    run_id: Annotated[str | None, Field(description="Only if this is still the run.")] = None
    grace_s: Annotated[float | None, Field(ge=0, le=3600)] = None


class ProcessKilled(ProcessReply):
    """Nothing of it is left."""

    TAG: ClassVar[str] = "ProcessKilled"


class ProcessKill(Mutation[ProcessKilled]):
    """SIGKILL a process and everything below it."""

    REPLY: ClassVar[type[Reply]] = ProcessKilled
    EFFECT: ClassVar[Effect] = "destroy"
    process: Annotated[str, Field(max_length=MAX_ID)]
    run_id: str | None = None


class ProcessRestarted(ProcessReply):
    """A new run is up."""

    TAG: ClassVar[str] = "ProcessRestarted"


class ProcessRestart(Mutation[ProcessRestarted]):
    """Stop a process if it runs, and start it again."""

    REPLY: ClassVar[type[Reply]] = ProcessRestarted
    EFFECT: ClassVar[Effect] = "destroy"
    process: Annotated[str, Field(max_length=MAX_ID)]
    wait: Wait = "spawned"
    environment: Renewal = None


class ProcessSuspended(ProcessReply):
    """All of it stands still."""

    TAG: ClassVar[str] = "ProcessSuspended"


class ProcessSuspend(Mutation[ProcessSuspended]):
    """Suspend a process and everything below it (SIGSTOP); answers when all of it stands still."""

    REPLY: ClassVar[type[Reply]] = ProcessSuspended
    EFFECT: ClassVar[Effect] = "destroy"  # who may not stop it may not freeze it either
    process: Annotated[str, Field(max_length=MAX_ID)]


class ProcessResumed(ProcessReply):
    """It goes on."""

    TAG: ClassVar[str] = "ProcessResumed"


class ProcessResume(Mutation[ProcessResumed]):
    """Let a suspended process and everything below it go on."""

    REPLY: ClassVar[type[Reply]] = ProcessResumed
    process: Annotated[str, Field(max_length=MAX_ID)]


class ProcessRemoved(Reply):
    """The process, its definition and its log are gone."""

    TAG: ClassVar[str] = "ProcessRemoved"
    process_id: str


class ProcessRemove(Mutation[ProcessRemoved]):
    """Stop a process and forget it, with its log."""

    REPLY: ClassVar[type[Reply]] = ProcessRemoved
    EFFECT: ClassVar[Effect] = "destroy"
    process: Annotated[str, Field(max_length=MAX_ID)]


class Processes(Reply):
    """A page of processes, sorted by id."""

    TAG: ClassVar[str] = "Processes"
    processes: list[ProcessRecord]
    next: Annotated[str | None, Field(description="Pass as `after` for the next page.")] = None


class ProcessList(Command[Processes]):
    """List processes."""

    REPLY: ClassVar[type[Reply]] = Processes
    workspace: str | None = None
    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class ProcessGet(Command[ProcessReply]):
    """Tell all about one process."""

    REPLY: ClassVar[type[Reply]] = ProcessReply
    process: Annotated[str, Field(max_length=MAX_ID)]


class ProcessNotified(ProcessReply):
    """It asks for a look."""

    TAG: ClassVar[str] = "ProcessNotified"


class ProcessNotify(Mutation[ProcessNotified]):
    """Have a process ask for a look, with a text; without one, take that back."""

    REPLY: ClassVar[type[Reply]] = ProcessNotified
    process: Annotated[str, Field(max_length=MAX_ID)]
    text: Annotated[str, Field(max_length=500, description="One line; empty takes it back.")] = ""


class ProcessEvent(Record):
    """Data of `process.*` events."""

    process_id: str
    workspace: str | None
    run_id: str | None = None
    state: State | None = None
    pid: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    ran_s: float | None = None
    next_start_at: str | None = None
    reason: str | None = None
    text: Annotated[str | None, Field(description="What it asks for a look with; null: no longer.")] = None
    spare: Annotated[bool | None, Field(description="It was added as a spare.")] = None


COMMANDS: tuple[type[Command[Reply]], ...] = (
    ProcessAdd, ProcessStart, ProcessStop, ProcessKill, ProcessRestart, ProcessSuspend, ProcessResume, ProcessRemove,
    ProcessList, ProcessGet, ProcessNotify,
)  # type: ignore[assignment]  # fmt: skip
EVENTS: dict[str, type[Record]] = {
    f"process.{verb}": ProcessEvent
    for verb in (
        "added", "waiting", "starting", "running", "ready", "unhealthy", "suspended", "resumed", "stopping",
        "stopped", "exited", "backoff", "failed", "removed", "notified", "reused", "output_lost",
    )
}  # fmt: skip
