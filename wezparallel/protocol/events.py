"""An event as it is journalled and published, and which names a subscription takes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wezparallel.protocol.command import Record


class By(Record):
    """Who caused a change."""

    user: str | None
    role: str
    """`person`, `agent`, `hub` or `unknown`"""
    via: str
    """`socket`, `cli`, `policy` …"""
    run_id: str | None = None


FIGURES = "metric."
"""Names that only those get who ask for them by name: there are too many to be told with all others."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the journal. `seq` counts without gaps within an epoch."""

    seq: int
    at: str
    name: str
    data: dict[str, Any]
    by: dict[str, Any] | None = None
    cause: str | None = None
    """Id of what led to it: a run id or an idempotency key."""

    def to_json(self) -> dict[str, Any]:
        """Return the body of an `Event` message."""
        return {
            "seq": self.seq, "at": self.at, "name": self.name, "by": self.by, "cause": self.cause, "data": self.data,
        }  # fmt: skip


class Filter:
    """The names that a subscriber asked for: `process.exited`, `process.*` or `*`, which is all but figures."""

    def __init__(self, patterns: list[str]) -> None:
        self.patterns = patterns
        self._all = "*" in patterns
        self._exact = frozenset(pattern for pattern in patterns if not pattern.endswith("*"))
        self._prefixes = tuple(pattern[:-1] for pattern in patterns if pattern.endswith(".*"))

    def takes(self, name: str) -> bool:
        """Tell whether an event of this name is wanted."""
        if self._all and not name.startswith(FIGURES):
            return True
        return name in self._exact or name.startswith(self._prefixes)

    @property
    def wants_figures(self) -> bool:
        """Tell whether somebody looks at figures, which are sampled more often then."""
        return any(pattern.startswith(FIGURES) for pattern in self.patterns)
