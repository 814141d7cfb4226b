"""Views: panes and terminals, and what each shows. Closing one never ends a process by itself."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from wezparallel.protocol.command import Command, Effect, Mutation, Record, Reply
from wezparallel.protocol.process import MAX_ID

MAX_MUX = 4096  # bytes of a path
MAX_SYNCED = 200

ProcessName = Annotated[str, Field(max_length=MAX_ID, description="Process id.")]
Pane = Annotated[str, Field(min_length=1, max_length=64, description="Pane id, unique within its `mux` only.")]
Mux = Annotated[
    str | None, Field(max_length=MAX_MUX, description="WezTerm's socket (`WEZTERM_UNIX_SOCKET`): names the GUI.")
]
Where = Literal["tab", "split", "window"]


class ViewRecord(Record):
    """One place that shows a process. Unknown is null."""

    view_id: str
    process_id: str
    pane: Annotated[str | None, Field(description="WezTerm's pane id; null outside WezTerm.")]
    mux: Annotated[str | None, Field(description="Socket of the WezTerm that has the pane.")]
    pid: Annotated[int | None, Field(description="Of the program in the pane.")]
    size: Annotated[tuple[int, int] | None, Field(description="Rows and columns.")]
    read_only: bool
    origin: Annotated[
        Literal["viewer", "bound"],
        Field(description="`viewer`: its client is attached; `bound`: only `ViewBind` told of it."),
    ]


class ViewBound(Reply):
    """The pane belongs to the process."""

    TAG: ClassVar[str] = "ViewBound"
    view: ViewRecord


class ViewBind(Mutation[ViewBound]):
    """Tell that a pane was made for a process; an attached client in it tells by itself."""

    REPLY: ClassVar[type[Reply]] = ViewBound
    process: ProcessName
    pane: Pane
    mux: Annotated[str, Field(min_length=1, max_length=MAX_MUX, description="Socket of the WezTerm that has it.")]
    pid: Annotated[int | None, Field(ge=1, description="Of the program in it; with that program the view ends.")] = (
        None
    )


class Views(Reply):
    """Views, sorted by process."""

    TAG: ClassVar[str] = "Views"
    views: list[ViewRecord]
    next: Annotated[str | None, Field(description="Pass as `after` for the next page.")] = None


class ViewList(Command[Views]):
    """List the places that show processes."""

    REPLY: ClassVar[type[Reply]] = Views
    process: ProcessName | None = None
    workspace: str | None = None
    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 500


class ViewAsked(Reply):
    """A request to the GUI was written down; `request` is its number in the snapshot file."""

    process_id: str
    mux: Annotated[str | None, Field(description="The GUI that was asked; null: any.")]
    request: int


class ViewOpened(ViewAsked):
    """The GUI was asked to show the process."""

    TAG: ClassVar[str] = "ViewOpened"
    view: Annotated[ViewRecord | None, Field(description="The new view, if it came within `wait_s`.")] = None


class ViewOpen(Mutation[ViewOpened]):
    """Have the GUI show a process in a new pane."""

    REPLY: ClassVar[type[Reply]] = ViewOpened
    process: ProcessName
    where: Annotated[Where, Field(description="A tab, a part of the pane that has the focus, or a window.")] = "tab"
    mux: Mux = None
    wait_s: Annotated[float, Field(ge=0, le=30, description="Answer once it is there, so long at most.")] = 0.0


class ViewFocused(ViewAsked):
    """The GUI was asked to go to the process."""

    TAG: ClassVar[str] = "ViewFocused"


class ViewFocus(Mutation[ViewFocused]):
    """Have the GUI go to a process: to its workspace and its pane; one without a pane gets one."""

    REPLY: ClassVar[type[Reply]] = ViewFocused
    process: ProcessName
    mux: Mux = None


class ViewClosed(Reply):
    """The GUI was asked to close these views; the process goes on."""

    TAG: ClassVar[str] = "ViewClosed"
    process_id: str
    views: list[ViewRecord]


class ViewClose(Mutation[ViewClosed]):
    """Close the views of a process, or one of them; never the process."""

    REPLY: ClassVar[type[Reply]] = ViewClosed
    process: ProcessName
    pane: Pane | None = None
    mux: Mux = None


class ViewSynced(Reply):
    """What is typed into one of these goes to all of them, or no longer."""

    TAG: ClassVar[str] = "ViewSynced"
    processes: Annotated[list[str], Field(description="Process ids; those on pipes and `direct` ones are left out.")]
    on: bool


class ViewSync(Mutation[ViewSynced]):
    """Have what is typed into one process typed into all of a group."""

    REPLY: ClassVar[type[Reply]] = ViewSynced
    EFFECT: ClassVar[Effect] = "destroy"  # who may not type must not have others type there
    processes: Annotated[list[ProcessName] | None, Field(min_length=1, max_length=MAX_SYNCED)] = None
    workspace: Annotated[str | None, Field(description="In the place of `processes`: all with a pane in it.")] = None
    on: bool

    @model_validator(mode="after")
    def _one_of_both(self) -> ViewSync:
        if (self.processes is None) == (self.workspace is None):
            raise ValueError("give either `processes` or `workspace`")
        return self


class ViewSeen(Reply):
    """It asks for no look any more."""

    TAG: ClassVar[str] = "ViewSeen"
    process_id: str


class ViewSee(Mutation[ViewSeen]):
    """Tell that a person looks at a process: what it asked to be looked at with is over."""

    REPLY: ClassVar[type[Reply]] = ViewSeen
    process: ProcessName
    mux: Mux = None


class ViewEvent(Record):
    """Data of `view.*` events."""

    process_id: str
    workspace: str | None
    view_id: str
    pane: str | None
    mux: str | None
    reason: Annotated[str | None, Field(description="Of `view.lost`: `gui_gone`.")] = None
    by: Annotated[
        Literal["user", "program"] | None,
        Field(description="Of `view.closed`: a person closed the pane, or its program ended or was asked to."),
    ] = None
    on_close: Annotated[
        Literal["keep", "stop", "ask"] | None, Field(description="Of `view.closed`: what becomes of the process.")
    ] = None


COMMANDS: tuple[type[Command[Reply]], ...] = (
    ViewBind, ViewList, ViewOpen, ViewFocus, ViewClose, ViewSync, ViewSee,
)  # type: ignore[assignment]  # fmt: skip
EVENTS: dict[str, type[Record]] = {f"view.{verb}": ViewEvent for verb in ("bound", "lost", "closed")}
