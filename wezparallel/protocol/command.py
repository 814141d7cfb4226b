"""What a command is: one model, one reply model, one effect. Pure; everything else is derived from these three.

Commands refuse unknown fields; replies and events ignore them, so that a newer hub may say more.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Effect = Literal["read", "write", "destroy"]


class Reply(BaseModel):
    """Base of every reply; its tag on the wire is `TAG`."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    TAG: ClassVar[str]


R = TypeVar("R", bound=Reply)


class Command(BaseModel, Generic[R]):
    """Base of every command. The class name is the command's name on the wire."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    REPLY: ClassVar[type[Reply]]
    EFFECT: ClassVar[Effect] = "read"
    SINCE: ClassVar[int] = 1
    """Protocol version that brought it."""


class Mutation(Command[R], Generic[R]):
    """A command that changes something; it may carry an idempotency key."""

    EFFECT: ClassVar[Effect] = "write"

    key: Annotated[
        str | None,
        Field(
            min_length=1, max_length=128, description="Idempotency key; the same key never acts twice within 24 h."
        ),
    ] = None


class Record(BaseModel):
    """Base of what stands inside replies and events."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class Settings(BaseModel):
    """Base of what stands inside commands: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


Payload = dict[str, Any]
