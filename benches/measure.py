"""How figures are taken and shown: percentiles, interleaved rounds, rows of the table, memory and CPU from /proc.

Ours and its floor or peers are measured in turns within one run, and medians over the rounds are compared, because a
machine that is shared changes its mind every second.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    headline: str
    ours: str
    against: str
    """The floor or peer, and its figure."""
    ratio: float | None
    budget: str
    state: str
    """`ok`, `open`, `peer missing`, or nothing where there is no budget"""

    def to_json(self) -> dict[str, object]:
        """Return it for `--json`."""
        return asdict(self)


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value below which `part` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def p50(values: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def p99(values: Sequence[float]) -> float:
    """Return the 99th percentile."""
    return percentile(values, 0.99)


def in_turns(measures: dict[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """Run each measure once a round, in turns; return the median of each."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            taken[name].append(measure())
    return {name: statistics.median(values) for name, values in taken.items()}


def seconds_of(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def at_most(headline: str, ours: float, peers: dict[str, float], limit: float, unit: str) -> Row:
    """Compare with the least of the peers: not more than `limit` times it."""
    name, best = min(peers.items(), key=lambda peer: peer[1])
    ratio = ours / best
    return Row(headline, show(ours, unit), _all(peers, unit, name), ratio, f"≤ {limit:g}×", _state(ratio <= limit))


def at_least(headline: str, ours: float, peers: dict[str, float], limit: float, unit: str) -> Row:
    """Compare with the greatest of the peers: not less than `limit` times it."""
    name, best = max(peers.items(), key=lambda peer: peer[1])
    ratio = ours / best
    return Row(headline, show(ours, unit), _all(peers, unit, name), ratio, f"≥ {limit:g}×", _state(ratio >= limit))


def compared(headline: str, ours: float, peers: dict[str, float], unit: str) -> Row:
    """Compare with the least of the peers where no limit was set."""
    return dataclasses.replace(at_most(headline, ours, peers, float("inf"), unit), budget="", state="")


def below(headline: str, ours: float, limit: float, unit: str) -> Row:
    """Compare with an absolute limit."""
    return Row(headline, show(ours, unit), "", ours / limit, f"≤ {show(limit, unit)}", _state(ours <= limit))


def none(headline: str, ours: int, what: str) -> Row:
    """Say that something must not happen at all."""
    return Row(headline, f"{ours} {what}", "", None, f"0 {what}", _state(ours == 0))


def missing(headline: str, peer: str, budget: str) -> Row:
    """Say that there was nothing to compare with."""
    return Row(headline, "-", peer, None, budget, "peer missing")


def show(value: float, unit: str) -> str:
    """Return a figure as a person reads it; times are given in seconds."""
    if unit == "s":
        for scale, name in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if value >= scale or name == "µs":
                return f"{value / scale:.3g} {name}" if value / scale < 100 else f"{value / scale:.0f} {name}"
    return f"{value:.3g} {unit}" if value < 100 else f"{value:,.0f} {unit}"


def table(rows: Iterable[Row]) -> str:
    """Return a Markdown table."""
    lines = [("headline", "ours", "against", "ratio", "budget", "state"), ("---",) * 6]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}×"
        lines.append((row.headline, row.ours, row.against, ratio, row.budget, row.state))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def rss(pid: int) -> float:
    """Return resident megabytes."""
    return _rollup(pid, "Rss:")


def pss(pid: int) -> float:
    """Return megabytes, with what is shared divided among who shares it."""
    return _rollup(pid, "Pss:")


def cpu_s(pid: int) -> float:
    """Return the seconds that a process has computed, with the threads that have ended: clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


def wake_ups(pid: int) -> int:
    """Return how often a process's first thread has gone to sleep and come back."""
    lines = _read(f"/proc/{pid}/status").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


def _rollup(pid: int, field: str) -> float:
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise ValueError(field)


def _read(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read()


def _state(kept: bool) -> str:
    return "ok" if kept else "open"


def _all(peers: dict[str, float], unit: str, best: str) -> str:
    ordered = sorted(peers.items(), key=lambda peer: peer[0] != best)
    return ", ".join(f"{name} {show(value, unit)}" for name, value in ordered)
