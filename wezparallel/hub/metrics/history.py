"""Figures by the minute, made of the samples in it. Pure.

The store keeps the minutes for a day and has quarters of an hour made of them, which it keeps for 30 days. Above:
`sampling.py`, which brings samples and writes what comes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from wezparallel.types import Millis

STEP_S = 60
COARSE_STEP_S = 900
KEPT_MS = {STEP_S: 24 * 3600 * 1000, COARSE_STEP_S: 30 * 24 * 3600 * 1000}
MACHINE = ""
"""The subject that is no process; a process has its id."""


class Figures(NamedTuple):
    """A row of the history: what a subject used in one step."""

    subject: str
    step_s: int
    at: Millis
    """When the step began."""
    samples: int
    cpu_percent: float | None
    cpu_percent_max: float | None
    memory_bytes: int | None
    memory_bytes_max: int | None


class _Sums:
    """The samples of one subject in this minute."""

    __slots__ = ("cpu", "cpu_max", "cpus", "memories", "memory", "memory_max", "samples")

    def __init__(self) -> None:
        self.samples = self.cpus = self.memories = self.memory = self.memory_max = 0
        self.cpu = self.cpu_max = 0.0

    def add(self, cpu: float | None, memory: int | None) -> None:
        self.samples += 1
        if cpu is not None:
            self.cpus += 1
            self.cpu += cpu
            self.cpu_max = max(self.cpu_max, cpu)
        if memory is not None:
            self.memories += 1
            self.memory += memory
            self.memory_max = max(self.memory_max, memory)


class Minutes:
    """The minute that goes on."""

    def __init__(self) -> None:
        self._at: Millis = 0
        self._sums: dict[str, _Sums] = {}

    def turn(self, now: Millis) -> list[Figures]:
        """Return the rows of a minute that is over; to be called before samples of `now` are added."""
        at = now - now % (STEP_S * 1000)
        if at == self._at:
            return []
        rows = self.finish()
        self._at = at
        return rows

    def add(self, subject: str, cpu_percent: float | None, memory_bytes: int | None) -> None:
        """Add a sample; what is unknown is not zero."""
        if cpu_percent is None and memory_bytes is None:
            return
        sums = self._sums.get(subject)
        if sums is None:
            sums = self._sums[subject] = _Sums()
        sums.add(cpu_percent, memory_bytes)

    def finish(self) -> list[Figures]:
        """Return the rows of this minute so far, and forget it."""
        rows = [_row(subject, self._at, sums) for subject, sums in self._sums.items()]
        self._sums = {}
        return rows


def _row(subject: str, at: Millis, sums: _Sums) -> Figures:
    cpu = (round(sums.cpu / sums.cpus, 2), round(sums.cpu_max, 2)) if sums.cpus else (None, None)
    memory = (sums.memory // sums.memories, sums.memory_max) if sums.memories else (None, None)
    return Figures(subject, STEP_S, at, sums.samples, *cpu, *memory)
