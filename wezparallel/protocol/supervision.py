"""How a process is supervised beyond its command: what it waits for, how its health is seen, what it may use.

Parts of `protocol.process.ProcessSettings`, whose defaults change nothing, and of its record.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from wezparallel.protocol.command import Record, Settings

Need = Literal["started", "ready", "exited_ok"]
"""What is awaited of another process."""

_URL = re.compile(r"https?://[^/?#\s@]*[^/?#\s@:][^\s]*")
PROBES = ("exec", "http", "tcp", "log_line")
ULIMITS = ("as", "core", "cpu", "data", "fsize", "memlock", "nofile", "nproc", "stack")


def below_folder(glob: str) -> str:
    """Return a glob of `watch:`. Raises ValueError where it leads out of the process's folder."""
    if not glob.strip() or len(glob) > 1000 or "\0" in glob:
        raise ValueError("a glob is a text of at most 1000 characters")
    if glob.startswith("/") or ".." in glob.split("/"):
        raise ValueError(f"{glob!r} leads out of the process's folder; a glob is relative to it, without '..'")
    return glob


class Probe(Settings):
    """One way to see whether a process is ready or healthy. Exactly one of the four is given."""

    exec: Annotated[list[str] | None, Field(min_length=1, description="A program that exits with 0.")] = None
    http: Annotated[str | None, Field(description="A URL that answers with a status below 400.")] = None
    tcp: Annotated[str | None, Field(description="`host:port`, or a port of this machine, that accepts.")] = None
    log_line: Annotated[str | None, Field(description="A regular expression that a line of output matches.")] = None
    interval_s: Annotated[float, Field(ge=0.05, le=3600, description="Seconds between two looks.")] = 10.0
    timeout_s: Annotated[float, Field(gt=0, le=600, description="Seconds that one look may take.")] = 5.0
    threshold: Annotated[int, Field(ge=1, le=100, description="So many failures in a row count.")] = 3
    start_s: Annotated[float, Field(ge=0, le=86400, description="Seconds in which failures are no failures.")] = 30.0

    @model_validator(mode="after")
    def _one_kind(self) -> Probe:
        if sum(getattr(self, name) is not None for name in PROBES) != 1:
            raise ValueError(f"a probe names exactly one of {', '.join(PROBES)}")
        return self

    @field_validator("log_line")
    @classmethod
    def _is_regex(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"log_line {value!r} is no regular expression: {error}") from None
        return value

    @field_validator("tcp")
    @classmethod
    def _is_port(cls, value: str | None) -> str | None:
        port = (value or "1").rpartition(":")[2]
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"tcp {value!r} is neither a port from 1 to 65535 nor host:port")
        return value

    @field_validator("http")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None and not _URL.fullmatch(value):
            raise ValueError(f"http {value!r} is no URL; write http://host:port/path")
        return value


class GiveUp(Settings):
    """When restarts by policy end."""

    tries: Annotated[int, Field(ge=1, le=1000, description="Restarts within the window.")] = 10
    window_s: Annotated[float, Field(gt=0, le=86400, description="Seconds in which they are counted.")] = 600.0
    reset_s: Annotated[float, Field(ge=0, le=86400, description="Seconds of life after which the delay is new.")] = (
        30.0
    )


class Limits(Settings):
    """What a process may use, and from where on somebody is told."""

    nice: Annotated[int, Field(ge=-20, le=19, description="Added niceness; below 0 needs rights.")] = 0
    ulimits: Annotated[dict[str, int], Field(description=f"Soft limits: {' '.join(ULIMITS)}; -1 lifts one.")] = {}
    cpu_alert_percent: Annotated[float | None, Field(gt=0, description="Of one core, over a sample.")] = None
    memory_alert_bytes: Annotated[int | None, Field(gt=0, description="Resident bytes of its whole tree.")] = None

    @field_validator("ulimits")
    @classmethod
    def _known(cls, ulimits: dict[str, int]) -> dict[str, int]:
        unknown = [name for name in ulimits if name not in ULIMITS]
        if unknown:
            raise ValueError(f"there is no limit {unknown[0]!r}; known are {', '.join(ULIMITS)}")
        if any(not -1 <= value < 1 << 63 for value in ulimits.values()):
            raise ValueError("a limit is a number from 0 up, or -1 for as much as may be")
        return ulimits


class Notice(Record):
    """Why a process asks to be looked at."""

    text: str
    at: str
