"""Workspaces: a root, a name, the processes in it and the plan of their panes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wezparallel.protocol.command import Command, Effect, Mutation, Payload, Record, Reply
from wezparallel.protocol.process import NAME_PATTERN, ProcessRecord


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
    focus: bool = False


class Tab(Record):
    """One tab: the first pane, then cuts in order."""

    title: str
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
WaitFor = Annotated[Literal["spawned", "ready"], Field(description="When to answer.")]


class WorkspaceCreate(Mutation[WorkspaceCreated]):
    """Open a new workspace from a template."""

    REPLY: ClassVar[type[Reply]] = WorkspaceCreated
    name: Annotated[str | None, Field(pattern=NAME_PATTERN, description="Else the root folder's name.")] = None
    template: Annotated[
        str | None, Field(description="Name or absolute path; null: what is found in the root, else `default`.")
    ] = None
    source: Annotated[str | None, Field(max_length=512 * 1024, description="The template's YAML itself.")] = None
    root: Annotated[str | None, Field(description="Absolute; else the home folder.")] = None
    unique: Annotated[bool, Field(description="A name taken by another root becomes `name-2`.")] = False
    view: View = "none"
    wait: WaitFor = "spawned"
    environment: Environment = None


class WorkspaceOpen(Mutation[WorkspaceOpened]):
    """Open a workspace that was closed: start what should run in it."""

    REPLY: ClassVar[type[Reply]] = WorkspaceOpened
    name: str
    view: View = "none"
    wait: WaitFor = "spawned"
    environment: Environment = None
    refresh_env: Annotated[
        bool, Field(description="Take `environment` for what runs or is open too, from each next start on.")
    ] = False


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


class WorkspaceGet(Command[WorkspaceReply]):
    """Tell all about one workspace."""

    REPLY: ClassVar[type[Reply]] = WorkspaceReply
    name: str


class WorkspaceEvent(Record):
    """Data of `workspace.*` events."""

    workspace: str
    root: str


COMMANDS: tuple[type[Command[Reply]], ...] = (
    WorkspaceCreate, WorkspaceOpen, WorkspaceClose, WorkspaceDelete, WorkspaceList, WorkspaceGet,
)  # type: ignore[assignment]  # fmt: skip
EVENTS: dict[str, type[Record]] = {
    f"workspace.{verb}": WorkspaceEvent for verb in ("created", "opened", "closed", "deleted")
}
