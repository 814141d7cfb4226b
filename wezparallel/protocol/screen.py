"""The screen of a process as a person would see it, drawn from its log."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from wezparallel.protocol.command import Command, Record, Reply
from wezparallel.protocol.process import MAX_ID

Attribute = Literal["bold", "dim", "italic", "underline", "blink", "reverse", "hidden", "strike"]


class ScreenSpan(TypedDict):
    """Text of one row in one style. A colour is `red`, `bright_red` or `#rrggbb`; without one it is the terminal's.

    What is not there is not told: a screen has many of these.
    """

    text: str
    fg: NotRequired[str]
    bg: NotRequired[str]
    attributes: NotRequired[list[Attribute]]


class ScreenCursor(Record):
    """Where the cursor is; rows and columns count from 0."""

    row: int
    column: int
    visible: bool


class Screen(Reply):
    """A picture of a terminal."""

    TAG: ClassVar[str] = "Screen"
    process_id: str
    run_id: str
    rows: int
    columns: int
    cursor: ScreenCursor
    title: str
    alternate: Annotated[bool, Field(description="The program draws on the alternate screen, as editors do.")]
    offset: Annotated[int, Field(description="Up to where its log was played; pass as `seen` at the next look.")]
    whole: Annotated[
        bool, Field(description="All that the run has written was played; else only its end, from a line's start on.")
    ]
    format: Literal["text", "ansi", "json", "svg"]
    text: Annotated[str | None, Field(description="The picture as `text`, `ansi` or `svg`.")] = None
    lines: Annotated[
        list[list[ScreenSpan]] | None, Field(description="The picture as `json`; empty row ends are left out.")
    ] = None


class ProcessScreen(Command[Screen]):
    """Draw the screen of a process's latest run. One on pipes is drawn as a terminal of 24 by 80 would show it."""

    REPLY: ClassVar[type[Reply]] = Screen
    process: Annotated[str, Field(max_length=MAX_ID)]
    format: Annotated[
        Literal["text", "ansi", "json", "svg"], Field(description="text, ansi (with colours), json or svg.")
    ] = "json"
    seen: Annotated[
        int | None,
        Field(ge=0, description="`offset` of the picture that is known: without anything new none is drawn."),
    ] = None


COMMANDS: tuple[type[Command[Reply]], ...] = (ProcessScreen,)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {}
