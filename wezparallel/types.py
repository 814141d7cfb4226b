"""Ids and units that every floor speaks of. Bare names for mypy: nothing is imported at run time."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    ProcessId: TypeAlias = str
    """`workspace/name`, or a bare name without a workspace. Lives on over restarts."""
    RunId: TypeAlias = str
    """One life of a process: 32 hexadecimal digits (128 random bits), never reused."""
    WorkspaceName: TypeAlias = str
    Seconds: TypeAlias = float
    Millis: TypeAlias = int
    """Milliseconds since the epoch, UTC, unless a name says otherwise."""
    Json: TypeAlias = Any
    """What `json.loads` can give."""
    JsonObject: TypeAlias = dict[str, Any]
