"""The terminal of a caller, who is about to look at what is started. Nobody writes it down."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wezparallel.protocol.command import Settings

Cells = Annotated[int, Field(ge=1, le=65535)]
Pixels = Annotated[int, Field(ge=0, le=65535)]
Fact = Annotated[str, Field(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Terminal(Settings):
    """A terminal's size, and what a program takes it for."""

    rows: Cells
    columns: Cells
    x_pixels: Annotated[Pixels, Field(description="Of the whole window; 0: not known.")] = 0
    y_pixels: Annotated[Pixels, Field(description="Of the whole window; 0: not known.")] = 0
    term: Annotated[Fact, Field(description="Its `TERM`.")] = ""
    colorterm: Annotated[Fact, Field(description="Its `COLORTERM`.")] = ""
    term_program: Annotated[Fact, Field(description="Its `TERM_PROGRAM`.")] = ""
    term_program_version: Annotated[Fact, Field(description="Its `TERM_PROGRAM_VERSION`.")] = ""


ShownOn = Annotated[
    Terminal | None,
    Field(description="Of a caller who goes there at once: it begins in this size and TERM. Kept in memory only."),
]
