"""The environment of a process: what its next run would get. It is told, and stored nowhere."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wezparallel.protocol.command import Command, Record, Reply
from wezparallel.protocol.process import MAX_ID


class Variable(Record):
    """One variable."""

    name: str
    value: Annotated[str | None, Field(description="Null where the daemon sets it at the start.", repr=False)]
    origin: Annotated[
        Literal["caller", "login", "template", "daemon"],
        Field(description="The caller of `up`, the login shell, the process's own settings, or the daemon."),
    ]
    masked: Annotated[bool, Field(description="`value` is not shown: its name says that it is a secret.")] = False


class EnvironmentReply(Reply):
    """The variables, sorted by name."""

    TAG: ClassVar[str] = "Environment"
    process_id: str
    variables: list[Variable]


class EnvironmentGet(Command[EnvironmentReply]):
    """Tell the environment that a process's next run would get. An agent may ask for its own workspace's."""

    REPLY: ClassVar[type[Reply]] = EnvironmentReply
    process: Annotated[str, Field(max_length=MAX_ID)]
    show_secrets: Annotated[bool, Field(description="Also the values whose names say that they are secret.")] = False


COMMANDS: tuple[type[Command[Reply]], ...] = (EnvironmentGet,)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {}
