"""Handlers of `MetricGet` and `MetricHistory`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wezparallel.hub.handlers.log import moment
from wezparallel.hub.metrics.history import COARSE_STEP_S, KEPT_MS, MACHINE, STEP_S
from wezparallel.hub.pool.telling import alive
from wezparallel.hub.state.model import rfc3339
from wezparallel.protocol import metric as words

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub


async def get(hub: Hub, _command: words.MetricGet) -> words.MetricsReply:
    """Return the figures of now."""
    await hub.sampling.fresh()
    system = hub.sampling.system
    network = None
    if system.network is not None:
        network = words.NetworkIO(**system.network._asdict(), rx_rate=system.rx_rate, tx_rate=system.tx_rate)
    running = [process for process in hub.state.processes.values() if alive(process.run) and not process.removed]
    response_ms, errors = hub.counts.last_minute(time.monotonic())
    return words.MetricsReply(
        cpu_usage=_rounded(system.cpu_percent), memory_usage=_rounded(system.memory_percent),
        disk_usage=_rounded(system.disk_percent), network_io=network, process_count=len(running),
        active_sessions=sum(process.settings.agent is not None for process in running),
        api_response_time=_rounded(response_ms, 4), error_rate=_rounded(errors, 4),
    )  # fmt: skip


def history(hub: Hub, command: words.MetricHistory) -> words.MetricHistoryReply:
    """Return the figures of the past, in the finest step that reaches back so far."""
    subject = MACHINE if command.process is None else hub.process(command.process).process_id
    now = hub.now_ms()
    since = moment(command.since, now, "since")
    until = now if command.until is None else moment(command.until, now, "until")
    step_s = STEP_S if since >= now - KEPT_MS[STEP_S] - 1000 * STEP_S else COARSE_STEP_S
    # What the past is cut into begins before `since` where that lies within a step.
    found = hub.store.figures(subject, step_s, (since - since % (1000 * step_s), until), command.limit + 1)
    points = [
        words.MetricPoint(
            at=rfc3339(row.at), cpu_percent=row.cpu_percent, cpu_percent_max=row.cpu_percent_max,
            memory_bytes=row.memory_bytes, memory_bytes_max=row.memory_bytes_max,
        )
        for row in found[: command.limit]
    ]  # fmt: skip
    following = rfc3339(found[command.limit].at) if len(found) > command.limit else None
    return words.MetricHistoryReply(process_id=subject or None, step_s=step_s, points=points, next=following)


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
