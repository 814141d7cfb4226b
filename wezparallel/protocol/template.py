"""Templates: what can be opened."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from wezparallel.protocol.command import Command, Record, Reply
from wezparallel.protocol.process import ProcessSettings
from wezparallel.protocol.workspace import Plan


class TemplateRecord(Record):
    """One template that was found."""

    name: str
    description: str
    path: Annotated[str, Field(description="File it came from; `detected` when it was drawn from the folder.")]
    origin: Annotated[str, Field(description="`folder`, `user`, `built-in` or `detected`.")]
    processes: int


class Templates(Reply):
    """Templates, nearest origin first."""

    TAG: ClassVar[str] = "Templates"
    templates: list[TemplateRecord]


class TemplateList(Command[Templates]):
    """List the templates that can be opened from a folder."""

    REPLY: ClassVar[type[Reply]] = Templates
    root: Annotated[str | None, Field(description="Absolute folder to look in, beside the user's and ours.")] = None


class TemplateReply(Reply):
    """One template, compiled."""

    TAG: ClassVar[str] = "Template"
    template: TemplateRecord
    source: Annotated[str, Field(description="Its YAML.")]
    picture: Annotated[str, Field(description="Its layout, drawn with box characters.")]
    found: Annotated[list[str], Field(description="What a detected template was drawn from.")]
    plan: Plan
    settings: list[ProcessSettings]


class TemplateGet(Command[TemplateReply]):
    """Compile a template and show it; without `name` the one that `up` would open in `root`."""

    REPLY: ClassVar[type[Reply]] = TemplateReply
    name: str | None = None
    root: str | None = None


class TemplateChecked(Reply):
    """The template compiles."""

    TAG: ClassVar[str] = "TemplateChecked"
    picture: str
    plan: Plan


class TemplateCheck(Command[TemplateChecked]):
    """Compile YAML without opening it; an error says file, line and column."""

    REPLY: ClassVar[type[Reply]] = TemplateChecked
    source: Annotated[str, Field(max_length=512 * 1024)]
    root: str | None = None


COMMANDS: tuple[type[Command[Reply]], ...] = (TemplateList, TemplateGet, TemplateCheck)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {}
