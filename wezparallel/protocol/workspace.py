"""Workspaces: a root, a name, the processes in it and the plan of their panes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wezparallel.protocol.command import Command, Effect, Mutation, Payload, Record, Reply
from wezparallel.protocol.process import NAME_PATTERN, ProcessRecord, ProcessSettings
from wezparallel.protocol.terminal import Terminal


class Split(Record):
    """One straight cut: `pane` takes `share` of what `of` had, on the side `direction`."""

    of: Annotated[str, Field(description="Pane that is cut.")]
    pane: Annotated[str, Field(description="Pane that appears.")]
    direction: Literal["right", "down"]
    share: Annotated[float, Field(gt=0, lt=1, description="The new pane's part of what `of` had.")]


class PlannedPane(Record):
    """One pane and what it shows."""

    pane: str
    process_id: str
    title: str
    focus: Annotated[bool, Field(description="It gets the focus, and its tab is the one to see; one of all.")] = False
    direct: Annotated[bool, Field(description="The program runs in the pane itself, held by nobody.")] = False


class Tab(Record):
    """One tab: the first pane, then cuts in order."""

    title: str
    focus: Annotated[str | None, Field(description="Pane that has the focus within the tab; null: the first.")] = None
    first: str
    splits: list[Split]
    panes: list[PlannedPane]


class Plan(Record):
    """How a workspace is drawn. A pure description; WezTerm's plugin or its CLI executes it."""

    tabs: list[Tab]


class WorkspaceRecord(Record):
    """One workspace as it is now."""

    name: str
    root: str
    template: str | None
    created_at: str
    open: bool
    focus: Annotated[str | None, Field(description="Process id of the pane that gets the focus.")]
    processes: int
    running: int
    folder: Annotated[str | None, Field(description="Project folder; a template may put the root elsewhere.")] = None
    switched_at: Annotated[str | None, Field(description="When somebody last switched to it.")] = None
    not_in_template: Annotated[int, Field(description="Processes that have left its template.")] = 0
    spares: Annotated[int, Field(description="Started ahead; not among `processes` and `running`.")] = 0


class Outcome(Record):
    """What became of one process of a workspace that was just opened."""

    process_id: str
    now: Literal["spawned", "running", "refused", "waits", "not_started"]
    waits_for: Literal["viewer", "process", "admission"] | None = None
    error: Payload | None = None


class WorkspaceCreated(Reply):
    """The workspace is open."""

    TAG: ClassVar[str] = "WorkspaceCreated"
    workspace: WorkspaceRecord
    plan: Plan
    processes: list[Outcome]
    notes: Annotated[list[str], Field(description="What the template says that has no meaning here.")] = []
    wanted_name: Annotated[str | None, Field(description="The name that another folder's workspace has.")] = None


class WorkspaceOpened(WorkspaceCreated):
    """The workspace is open (again)."""

    TAG: ClassVar[str] = "WorkspaceOpened"


Environment = Annotated[
    dict[str, str] | None, Field(description="The caller's environment; kept in memory only.", repr=False)
]
View = Annotated[
    Literal["none", "plan"],
    Field(
        description="`plan` keeps a process with a pane waiting for its viewer, 1 s at most; `none` starts at once."
    ),
]
Focused = Annotated[
    Terminal | None,
    Field(description="Of a caller who goes there at once: the focused process begins in it. Kept in memory only."),
]
WaitFor = Annotated[Literal["spawned", "ready"], Field(description="When to answer.")]


class WorkspaceCreate(Mutation[WorkspaceCreated]):
    """Open a new workspace from a template."""

    REPLY: ClassVar[type[Reply]] = WorkspaceCreated
    name: Annotated[str | None, Field(pattern=NAME_PATTERN, description="Else the root folder's name.")] = None
    template: Annotated[
        str | None, Field(description="Name or absolute path; null: what is found in the root, else `default`.")
    ] = None
    source: Annotated[str | None, Field(max_length=512 * 1024, description="The template's YAML itself.")] = None
    variables: Annotated[dict[str, str], Field(description="Values for the template's `${NAME}`; first of all.")] = {}
    root: Annotated[str | None, Field(description="Absolute; else the home folder.")] = None
    unique: Annotated[bool, Field(description="A name taken by another root becomes `name-2`.")] = False
    view: View = "none"
    wait: WaitFor = "spawned"
    environment: Environment = None
    terminal: Focused = None


class WorkspaceOpen(Mutation[WorkspaceOpened]):
    """Open a workspace that was closed: start what should run in it."""

    REPLY: ClassVar[type[Reply]] = WorkspaceOpened
    name: str
    view: View = "none"
    wait: WaitFor = "spawned"
    environment: Environment = None
    terminal: Focused = None
    refresh_env: Annotated[
        bool, Field(description="Take `environment` for what runs or is open too, from each next start on.")
    ] = False


class FieldChange(Record):
    """One setting that differs. Of the environment only names are told."""

    field: str
    before: str | None
    after: str | None


class Change(Record):
    """What a template means for one process of the workspace."""

    process_id: str
    name: str
    kind: Literal["added", "changed", "removed", "kept"]
    command: Annotated[str, Field(description="As people read it; the new one of a changed process.")]
    fields: list[FieldChange] = []
    needs_restart: Annotated[bool, Field(description="It runs on with the old settings until then.")] = False
    running: bool = False
    agent: bool = False
    started_at: str | None = None
    restarted: Annotated[bool, Field(description="It was named in `restart`.")] = False


class WorkspaceApplied(WorkspaceCreated):
    """The workspace is as its template says, but for what runs on with earlier settings."""

    TAG: ClassVar[str] = "WorkspaceApplied"
    changes: list[Change]
    plan_changed: Annotated[bool, Field(description="Its panes are drawn in another way.")]
    dry_run: bool
    template: Annotated[str | None, Field(description="File that it was compared with.")]


class WorkspaceApply(Mutation[WorkspaceApplied]):
    """Bring a workspace to what its template says now: start what is new, change settings, stop nothing unasked."""

    REPLY: ClassVar[type[Reply]] = WorkspaceApplied
    EFFECT: ClassVar[Effect] = "destroy"  # it may be told to restart and to forget
    name: str
    template: Annotated[str | None, Field(description="Name or absolute path; null: the one it was opened from.")] = (
        None
    )
    source: Annotated[str | None, Field(max_length=512 * 1024, description="The template's YAML itself.")] = None
    variables: Annotated[dict[str, str], Field(description="Values for the template's `${NAME}`; first of all.")] = {}
    root: Annotated[str | None, Field(description="Absolute; else its own project folder.")] = None
    restart: Annotated[list[str], Field(description="Names of changed processes to restart now; `*` is all.")] = []
    prune: Annotated[bool, Field(description="Stop and forget what has left the template, with its logs.")] = False
    dry_run: Annotated[bool, Field(description="Only tell what would change.")] = False
    view: View = "none"
    wait: WaitFor = "spawned"
    environment: Environment = None
    terminal: Focused = None


class WorkspaceSwitched(Reply):
    """It is the current workspace now."""

    TAG: ClassVar[str] = "WorkspaceSwitched"
    workspace: WorkspaceRecord
    mux: Annotated[str | None, Field(description="Socket of the WezTerm whose plugin goes there; null: none is.")] = (
        None
    )


class WorkspaceSwitch(Mutation[WorkspaceSwitched]):
    """Make a workspace the current one; frontends that show workspaces go there."""

    REPLY: ClassVar[type[Reply]] = WorkspaceSwitched
    name: str
    focus: Annotated[str | None, Field(description="Process that gets the focus there: a name in it, or an id.")] = (
        None
    )
    mux: Annotated[
        str | None,
        Field(max_length=4096, description="Socket of a WezTerm that is there already; none is asked to go then."),
    ] = None


class WorkspaceRenamed(Reply):
    """It has another name."""

    TAG: ClassVar[str] = "WorkspaceRenamed"
    workspace: WorkspaceRecord
    previous: str


class WorkspaceRename(Mutation[WorkspaceRenamed]):
    """Give a workspace another name, also while it runs. The ids of the processes that it has stay."""

    REPLY: ClassVar[type[Reply]] = WorkspaceRenamed
    name: str
    to: Annotated[str, Field(pattern=NAME_PATTERN, description="Its new name.")]


class WorkspaceClosed(Reply):
    """Everything in it has stopped; definition and logs are kept."""

    TAG: ClassVar[str] = "WorkspaceClosed"
    workspace: WorkspaceRecord


class WorkspaceClose(Mutation[WorkspaceClosed]):
    """Stop everything in a workspace and hide it."""

    REPLY: ClassVar[type[Reply]] = WorkspaceClosed
    EFFECT: ClassVar[Effect] = "destroy"
    name: str


class WorkspaceDeleted(Reply):
    """The workspace is forgotten, with its logs."""

    TAG: ClassVar[str] = "WorkspaceDeleted"
    name: str


class WorkspaceDelete(Mutation[WorkspaceDeleted]):
    """Stop everything in a workspace and forget it, with its logs."""

    REPLY: ClassVar[type[Reply]] = WorkspaceDeleted
    EFFECT: ClassVar[Effect] = "destroy"
    name: str


class Workspaces(Reply):
    """All workspaces, sorted by name."""

    TAG: ClassVar[str] = "Workspaces"
    workspaces: list[WorkspaceRecord]
    next: str | None = None


class WorkspaceList(Command[Workspaces]):
    """List workspaces."""

    REPLY: ClassVar[type[Reply]] = Workspaces
    root: Annotated[str | None, Field(description="Only those with this root.")] = None
    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class WorkspaceReply(Reply):
    """One workspace with its processes and plan."""

    TAG: ClassVar[str] = "Workspace"
    workspace: WorkspaceRecord
    plan: Plan
    processes: list[ProcessRecord]
    settings: Annotated[list[ProcessSettings] | None, Field(description="What each was told, if asked for.")] = None


class WorkspaceGet(Command[WorkspaceReply]):
    """Tell all about one workspace."""

    REPLY: ClassVar[type[Reply]] = WorkspaceReply
    name: str
    settings: Annotated[bool, Field(description="Tell what each process was told, too.")] = False


class WorkspaceEvent(Record):
    """Data of `workspace.*` events."""

    workspace: str
    root: str
    focus: str | None = None
    previous: Annotated[str | None, Field(description="The name before, of `workspace.renamed`.")] = None
    added: list[str] | None = None
    changed: list[str] | None = None
    removed: list[str] | None = None


COMMANDS: tuple[type[Command[Reply]], ...] = (
    WorkspaceCreate, WorkspaceApply, WorkspaceOpen, WorkspaceSwitch, WorkspaceClose, WorkspaceRename, WorkspaceDelete,
    WorkspaceList, WorkspaceGet,
)  # type: ignore[assignment]  # fmt: skip
EVENTS: dict[str, type[Record]] = {
    f"workspace.{verb}": WorkspaceEvent
    for verb in ("created", "opened", "switched", "closed", "renamed", "deleted", "changed")
}
