"""Templates: what can be opened."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wezparallel.protocol.command import Command, Effect, Mutation, Record, Reply
from wezparallel.protocol.process import ProcessSettings
from wezparallel.protocol.workspace import Plan

MAX_SOURCE = 512 * 1024
Kind = Literal["workspace", "process"]
AnyKind = Annotated[Kind | None, Field(description="What it is a template of; null: what its text says.")]
LookedIn = Annotated[
    dict[str, str] | None, Field(description="The caller's, to look further in; kept nowhere.", repr=False)
]
SHA256 = r"^[0-9a-f]{64}$"


class TemplateVariable(Record):
    """A `{{name}}` of a process template."""

    name: str
    description: str = ""
    default: Annotated[str | None, Field(description="Its value where none is given.")] = None
    required: Annotated[bool, Field(description="Needs a value, if it has no default.")] = True
    type: Annotated[str, Field(description="`string`, `number`, `boolean` or `path`.")] = "string"
    example: str = ""


class TemplateRecord(Record):
    """One template that was found."""

    name: str
    description: str
    path: Annotated[str, Field(description="File it came from; `detected` when it was drawn from the folder.")]
    origin: Annotated[str, Field(description="`folder`, `user`, `config`, `built-in` or `detected`.")]
    processes: int
    trusted: Annotated[bool, Field(description="It may be opened: it is not a repository's, or was accepted.")] = True
    kind: Kind = "workspace"
    variables: Annotated[list[TemplateVariable], Field(description="Of a process template.")] = []
    category: str = ""
    tags: list[str] = []


class Templates(Reply):
    """Templates, nearest origin first."""

    TAG: ClassVar[str] = "Templates"
    templates: list[TemplateRecord]


class TemplateList(Command[Templates]):
    """List the templates of workspaces, or of processes, that can be used in a folder."""

    REPLY: ClassVar[type[Reply]] = Templates
    root: Annotated[str | None, Field(description="Absolute folder to look in, beside the user's and ours.")] = None
    kind: Kind = "workspace"


class TemplateReply(Reply):
    """One template, compiled."""

    TAG: ClassVar[str] = "Template"
    template: TemplateRecord
    source: Annotated[str, Field(description="Its YAML.")]
    picture: Annotated[str, Field(description="Its layout, drawn with box characters.")]
    found: Annotated[list[str], Field(description="What a detected template was drawn from.")]
    plan: Plan
    settings: list[ProcessSettings]
    notes: Annotated[list[str], Field(description="What it says that has no meaning here.")] = []
    commands: Annotated[list[str], Field(description="All that it would run, as it is shown before a trust.")] = []
    sha256: Annotated[str, Field(description="Of all that it would run; `TemplateTrust` takes it.")] = ""


class TemplateGet(Command[TemplateReply]):
    """Compile a template and show it; without `name` the one that `up` would open in `root`."""

    REPLY: ClassVar[type[Reply]] = TemplateReply
    name: str | None = None
    kind: Annotated[Kind | None, Field(description="Null: a workspace's, else a process's.")] = None
    root: str | None = None
    variables: Annotated[dict[str, str], Field(description="Values for its `${NAME}` and `{{name}}`.")] = {}
    environment: LookedIn = None


class TemplateChecked(Reply):
    """The template compiles."""

    TAG: ClassVar[str] = "TemplateChecked"
    picture: str
    plan: Plan
    kind: Kind = "workspace"
    notes: Annotated[list[str], Field(description="What it says that has no meaning here.")] = []


class TemplateCheck(Command[TemplateChecked]):
    """Compile YAML without opening it; an error says file, line and column."""

    REPLY: ClassVar[type[Reply]] = TemplateChecked
    source: Annotated[str, Field(max_length=MAX_SOURCE)]
    root: str | None = None
    variables: Annotated[dict[str, str], Field(description="Values for its `${NAME}`.")] = {}
    environment: LookedIn = None


class TemplateTrusted(Reply):
    """What it runs was accepted; it is not asked about again until that changes."""

    TAG: ClassVar[str] = "TemplateTrusted"
    path: str
    sha256: str


class TemplateTrust(Mutation[TemplateTrusted]):
    """Accept what a repository's template runs, exactly as it was shown. Only people may."""

    REPLY: ClassVar[type[Reply]] = TemplateTrusted
    name: Annotated[str | None, Field(description="Name or path; null: the one that `up` would open in `root`.")] = (
        None
    )
    root: Annotated[str | None, Field(description="Absolute folder that it is opened in.")] = None
    sha256: Annotated[str, Field(pattern=SHA256, description="As `template.untrusted` or `TemplateGet` told it.")]
    variables: Annotated[dict[str, str], Field(description="Values for its `${NAME}`.")] = {}
    environment: LookedIn = None


class TemplateWritten(Reply):
    """A template of the user's."""

    name: str
    path: str


class TemplateCreated(TemplateWritten):
    """The template is written."""

    TAG: ClassVar[str] = "TemplateCreated"


class TemplateCreate(Mutation[TemplateCreated]):
    """Write a new template into the user's folder. Only people may."""

    REPLY: ClassVar[type[Reply]] = TemplateCreated
    name: Annotated[str, Field(max_length=200, description="A word; the file is NAME.yaml.")]
    source: Annotated[str, Field(max_length=MAX_SOURCE, description="Its YAML, which has to compile.")]
    kind: AnyKind = None


class TemplateUpdated(TemplateWritten):
    """The template is replaced."""

    TAG: ClassVar[str] = "TemplateUpdated"


class TemplateUpdate(Mutation[TemplateUpdated]):
    """Replace one of the user's templates. Only people may."""

    REPLY: ClassVar[type[Reply]] = TemplateUpdated
    name: Annotated[str, Field(max_length=200, description="A word; the file is NAME.yaml.")]
    source: Annotated[str, Field(max_length=MAX_SOURCE, description="Its YAML, which has to compile.")]
    kind: AnyKind = None
    was: Annotated[str | None, Field(max_length=MAX_SOURCE, description="Only if this is still its YAML.")] = None


class TemplateDeleted(TemplateWritten):
    """The template's file is gone."""

    TAG: ClassVar[str] = "TemplateDeleted"


class TemplateDelete(Mutation[TemplateDeleted]):
    """Delete one of the user's templates. Only people may."""

    REPLY: ClassVar[type[Reply]] = TemplateDeleted
    EFFECT: ClassVar[Effect] = "destroy"
    name: Annotated[str, Field(max_length=200, description="A word; the file is NAME.yaml.")]
    kind: AnyKind = None


class TemplateEvent(Record):
    """Data of `template.changed`."""

    name: str
    path: str
    change: Annotated[str, Field(description="`created`, `updated`, `deleted` or `trusted`.")]


COMMANDS: tuple[type[Command[Reply]], ...] = (
    TemplateList, TemplateGet, TemplateCheck, TemplateTrust, TemplateCreate, TemplateUpdate, TemplateDelete,
)  # type: ignore[assignment]  # fmt: skip
EVENTS: dict[str, type[Record]] = {"template.changed": TemplateEvent}
