"""The configuration: what holds and where it came from, whether a file is right, reading it again."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from wezparallel.protocol.command import Command, Mutation, Record, Reply


class ConfigValue(Record):
    """One option, or one entry of a map. A secret is covered."""

    option: str
    value: Any
    default: Any
    origin: Literal["flag", "environment", "file", "default"]
    where: Annotated[str, Field(description="`file:line`, the variable's or the flag's name; empty for a default.")]
    unit: str
    text: str


class ConfigProblem(Record):
    """Something that is wrong, or good to know."""

    message: Annotated[str, Field(description="With place and lines, where it is about a file.")]
    file: str | None = None
    line: int | None = None
    column: int | None = None


class Config(Reply):
    """What holds."""

    TAG: ClassVar[str] = "Config"
    path: Annotated[str | None, Field(description="The file that was read; null if there is none.")]
    values: list[ConfigValue]
    templates: Annotated[list[str], Field(description="Names of the templates in the file.")]
    errors: Annotated[list[ConfigProblem], Field(description="Why the file, or a value, does not hold.")]
    warnings: list[ConfigProblem]
    notes: Annotated[list[ConfigProblem], Field(description="What was understood, but not as it was written.")]


class ConfigGet(Command[Config]):
    """Show every option, its value and where that came from."""

    REPLY: ClassVar[type[Reply]] = Config


class ConfigChecked(Reply):
    """What there is to say about a file. Without errors it would hold."""

    TAG: ClassVar[str] = "ConfigChecked"
    path: str | None
    options: Annotated[int, Field(description="So many options it says.")]
    templates: list[str]
    errors: list[ConfigProblem]
    warnings: list[ConfigProblem]
    notes: list[ConfigProblem]


class ConfigCheck(Command[ConfigChecked]):
    """Read a configuration without using it: a text, a file, or the one that would be read."""

    REPLY: ClassVar[type[Reply]] = ConfigChecked
    source: Annotated[str | None, Field(max_length=512 * 1024, description="The text itself.")] = None
    path: Annotated[str | None, Field(max_length=4096, description="An absolute path; names the text, if given.")] = (
        None
    )
    format: Annotated[Literal["yaml", "toml"] | None, Field(description="Else the path's end tells.")] = None


class ConfigReloaded(Reply):
    """It holds from now on."""

    TAG: ClassVar[str] = "ConfigReloaded"
    path: str | None
    changed: Annotated[list[str], Field(description="Options whose value is another one now.")]
    warnings: list[ConfigProblem]


class ConfigReload(Mutation[ConfigReloaded]):
    """Read the configuration again. With an error nothing changes."""

    REPLY: ClassVar[type[Reply]] = ConfigReloaded


class ConfigEvent(Record):
    """Data of `config.*` events."""

    path: str | None
    changed: Annotated[list[str], Field(description="Options whose value is another one now.")] = []
    message: Annotated[str | None, Field(description="Why it was rejected.")] = None


COMMANDS: tuple[type[Command[Reply]], ...] = (ConfigGet, ConfigCheck, ConfigReload)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {f"config.{verb}": ConfigEvent for verb in ("changed", "rejected")}
