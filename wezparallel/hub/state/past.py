"""What was, in SQL: figures by the minute and by the quarter of an hour, and the runs that are known.

Above: `state/store.py`. Quarters are made of minutes by the writer's thread, from what is there, so a hub that died
between two of them has lost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wezparallel.hub.metrics.history import COARSE_STEP_S, KEPT_MS, STEP_S, Figures
from wezparallel.hub.state.rows import RUN_COLUMNS

if TYPE_CHECKING:
    from wezparallel.hub.state.writer import Statement
    from wezparallel.types import Millis

__all__ = ["GET_FIGURES", "PUT_FIGURES", "Figures", "Wanted", "runs_query", "settle"]

_COLUMNS = ", ".join(Figures._fields)
_COARSE_MS = COARSE_STEP_S * 1000

PUT_FIGURES = f"INSERT OR REPLACE INTO figures ({_COLUMNS}) VALUES ({', '.join('?' * len(Figures._fields))})"  # noqa: S608
GET_FIGURES = (
    f"SELECT {_COLUMNS} FROM figures WHERE subject = ? AND step_s = ? AND at >= ? AND at <= ? "  # noqa: S608
    "ORDER BY at LIMIT ?"
)
_MAKE_COARSE = (
    f"INSERT OR REPLACE INTO figures ({_COLUMNS}) "  # noqa: S608
    f"SELECT subject, {COARSE_STEP_S}, at - at % {_COARSE_MS} AS quarter, sum(samples), "
    "round(sum(cpu_percent * samples) / sum(CASE WHEN cpu_percent IS NULL THEN NULL ELSE samples END), 2), "
    "max(cpu_percent_max), "
    "sum(memory_bytes * samples) / sum(CASE WHEN memory_bytes IS NULL THEN NULL ELSE samples END), "
    "max(memory_bytes_max) "
    f"FROM figures WHERE step_s = {STEP_S} AND at >= ? AND at < ? GROUP BY subject, quarter"
)


def settle(now: Millis) -> list[Statement]:
    """Return what makes the quarters that are over, and deletes what is old. May be done as often as one likes."""
    until = now - now % _COARSE_MS
    since = until - KEPT_MS[STEP_S] + _COARSE_MS  # a quarter of which minutes are gone stays as it was made
    made: list[Statement] = [(_MAKE_COARSE, (since, until))]
    old = "DELETE FROM figures WHERE step_s = ? AND at < ?"
    return made + [(old, (step_s, now - kept_ms)) for step_s, kept_ms in KEPT_MS.items()]


class Wanted(NamedTuple):
    """Which runs."""

    process_ids: list[str] | None
    """Of these processes only."""
    since: Millis | None
    """That had not ended before."""
    failed: bool
    """That ended badly without anybody's wish."""
    after: tuple[int, int, str] | None
    """Older than the one with this time, number and id."""
    limit: int


def runs_query(wanted: Wanted) -> tuple[str, tuple[Any, ...]]:
    """Return what finds runs, the latest first."""
    where: list[str] = ["status != 'planned'"]
    parameters: list[Any] = []
    if wanted.process_ids is not None:
        where.append(f"process_id IN ({', '.join('?' * len(wanted.process_ids))})")
        parameters += wanted.process_ids
    if wanted.since is not None:
        where.append("(ended_at IS NULL OR ended_at >= ?)")
        parameters.append(wanted.since)
    if wanted.failed:
        where.append(
            "asked = 0 AND (status = 'lost' OR (status = 'exited' AND (exit_code IS NULL OR exit_code != 0)))"
        )
    if wanted.after is not None:
        where.append("(stored_at, number, run_id) < (?, ?, ?)")
        parameters += wanted.after
    columns = ", ".join(RUN_COLUMNS)
    query = (
        f"SELECT {columns} FROM runs WHERE {' AND '.join(where)} "  # noqa: S608
        "ORDER BY stored_at DESC, number DESC, run_id DESC LIMIT ?"
    )
    return query, (*parameters, wanted.limit)
