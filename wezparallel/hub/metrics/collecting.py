"""What is scraped: the hub's figures of this moment, written by prometheus-client.

The library is imported at the first scrape, in a worker's thread: it takes 5 MB and 100 ms that a daemon which nobody
scrapes has no use for. Figures are taken in the hub's thread (`_take`), everything slower is done in the worker's.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import anyio

from wezparallel import paths
from wezparallel.hub.handlers import hub as facts
from wezparallel.hub.metrics.names import BY_NAME, LATENCY_S, METRICS, MOST_PROCESSES, TASK_S, Metric
from wezparallel.hub.pool.telling import alive
from wezparallel.wire.logreader import LogReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process

    Labels = tuple[str, ...]
    Sample = tuple[Labels, Any]
    """Values of the labels, and a number; of a histogram its buckets and the sum."""
    Samples = dict[str, list[Sample]]


async def collect(hub: Hub, accept: str) -> tuple[bytes, str]:
    """Return all metrics as text, and the kind of text that a scraper takes."""
    await hub.sampling.fresh()
    samples = _take(hub)
    logged = [process for process in _shown(hub) if _has_log(process)]
    places: dict[Labels, str] = {(p.workspace or "", p.process_id): paths.log_dir(p.process_id) for p in logged}
    return await anyio.to_thread.run_sync(_write, samples, places, accept)


def _has_log(process: Process) -> bool:
    return process.settings.log == "disk" and not process.settings.direct


def _shown(hub: Hub) -> list[Process]:
    """Return the processes that have samples of their own."""
    found = [process for process in hub.state.processes.values() if not process.removed]
    return sorted(found, key=lambda process: (process.created_at, process.process_id))[:MOST_PROCESSES]


def _take(hub: Hub) -> Samples:
    """Take the figures as they are now; in the hub's thread."""
    samples: Samples = {name: [] for name in BY_NAME}
    for part in (_of_processes, _of_requests, _of_hub, _of_system):
        for name, labels, value in part(hub):
            if value is not None:
                samples[name].append((labels, value))
    return samples


def _of_processes(hub: Hub) -> Iterator[tuple[str, Labels, Any]]:
    known = [process for process in hub.state.processes.values() if not process.removed]
    opened = sum(workspace.open for workspace in hub.state.workspaces.values())
    yield "workspaces_active", (), opened
    yield "processes_active", (), sum(alive(process.run) for process in known)
    yield "wezparallel_workspaces", ("true",), opened
    yield "wezparallel_workspaces", ("false",), len(hub.state.workspaces) - opened
    by_state = dict.fromkeys(_states(), 0)
    for process in known:
        by_state[process.state] += 1
    for state, count in by_state.items():
        yield "wezparallel_processes", (state,), count
    yield "wezparallel_processes_waiting", (), sum(process.notice is not None for process in known)
    yield "wezparallel_spares", (), sum(process.is_spare for process in known)
    shown = _shown(hub)
    yield "wezparallel_metrics_left_out", (), len(known) - len(shown)
    for process in shown:
        labels = (process.workspace or "", process.process_id)
        usage = hub.usage.get(process.process_id)
        yield "wezparallel_process_up", labels, int(alive(process.run))
        yield "wezparallel_process_restarts_total", labels, hub.counts.restarts[process.process_id]
        yield "wezparallel_log_lost_bytes_total", labels, hub.counts.lost_bytes[process.process_id]
        if usage is not None and alive(process.run):
            cpu = None if usage.cpu_percent is None else usage.cpu_percent / 100
            yield "wezparallel_process_cpu_ratio", labels, cpu
            yield "wezparallel_process_memory_bytes", labels, usage.memory_bytes
            yield "wezparallel_process_tree_size", labels, usage.processes


def _states() -> tuple[str, ...]:
    from typing import get_args  # noqa: PLC0415  only at a scrape

    from wezparallel.protocol.process import State  # noqa: PLC0415

    return get_args(State)


def _of_requests(hub: Hub) -> Iterator[tuple[str, Labels, Any]]:
    counts = hub.counts
    yield "errors_total", (), counts.all_errors
    yield "task_duration_seconds", (), None  # there are no tasks yet
    for code, count in counts.errors.items():
        yield "wezparallel_request_errors_total", (code,), count
    for command, latency in counts.latency.items():
        latency.settle()
        yield "wezparallel_request_duration_seconds", (command,), (tuple(latency.buckets), latency.seconds)
    for event, count in counts.events.items():
        yield "wezparallel_events_published_total", (event,), count
    for ends, count in counts.exits.items():
        yield "wezparallel_process_exits_total", ends, count
    yield "wezparallel_events_lagged_total", (), counts.lagged
    yield "wezparallel_subscribers", (), hub.bus.subscribers


def _of_hub(hub: Hub) -> Iterator[tuple[str, Labels, Any]]:
    yield "wezparallel_info", (hub.version,), 1
    for what in ("cpu", "memory", "disk"):
        yield "wezparallel_alerts", (what,), sum(alert.what == what for alert in hub.alerts.all())
    mutations, reads = hub.dispatcher.waiting
    processes = hub.state.processes.values()
    depths = {
        "commits": hub.store.ticket() - hub.store.committed, "mutations": mutations, "reads": reads,
        "keeper": hub.link.unsent,
        "admission": sum(process.waits_for == "admission" for process in processes),
        "viewer": sum(process.waits_for == "viewer" for process in processes),
    }  # fmt: skip
    for queue, depth in depths.items():
        yield "wezparallel_queue_depth", (queue,), depth
    yield "wezparallel_hub_restarts_total", (), hub.keeper_facts.get("hub_deaths")
    yield "wezparallel_hub_uptime_seconds", (), facts.uptime(hub)
    yield "wezparallel_hub_memory_bytes", (), facts.own_memory()
    yield "wezparallel_store_failing", (), int(hub.store.error is not None)
    yield "wezparallel_config_errors", (), len(hub.configuration.errors)


def _of_system(hub: Hub) -> Iterator[tuple[str, Labels, Any]]:
    system = hub.sampling.system
    yield "wezparallel_system_cpu_ratio", (), None if system.cpu_percent is None else system.cpu_percent / 100
    yield "wezparallel_system_memory_bytes", ("used",), system.memory_used
    yield "wezparallel_system_memory_bytes", ("total",), system.memory_total
    yield "wezparallel_system_disk_bytes", ("used",), system.disk_used
    yield "wezparallel_system_disk_bytes", ("total",), system.disk_total
    if system.network is not None:
        yield "wezparallel_system_network_bytes_total", ("received",), system.network.bytes_received
        yield "wezparallel_system_network_bytes_total", ("sent",), system.network.bytes_sent


def _write(samples: Samples, places: dict[Labels, str], accept: str) -> tuple[bytes, str]:
    """Ask the files of the logs and make the text; in a worker's thread."""
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415  see above

    for labels, folder in places.items():
        reader = LogReader(os, folder)
        try:
            samples["wezparallel_log_written_bytes_total"].append((labels, reader.end))
        except OSError:
            continue
        finally:
            reader.close()
    encode, kind = choose_encoder(accept)
    return encode(_Families(samples)), kind


class _Families:
    """What the library asks for its families; its own registry would look for names twice at each scrape."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Any]:
        for metric in METRICS:
            yield _family(metric, self._samples[metric.name])


def _family(metric: Metric, samples: list[Sample]) -> Any:
    from prometheus_client import core  # noqa: PLC0415  see above

    name = metric.name.removesuffix("_total") if metric.kind == "counter" else metric.name
    if metric.kind == "histogram":
        histogram = core.HistogramMetricFamily(name, metric.text, labels=metric.labels)
        bounds = TASK_S if metric.name == "task_duration_seconds" else LATENCY_S
        for labels, (counts, seconds) in samples:
            histogram.add_metric(labels, _cumulative(bounds, counts), sum_value=seconds)
        return histogram
    make = core.CounterMetricFamily if metric.kind == "counter" else core.GaugeMetricFamily
    family = make(name, metric.text, labels=metric.labels)
    for labels, value in samples:
        family.add_metric(labels, value)
    return family


def _cumulative(bounds: tuple[float, ...], counts: tuple[int, ...]) -> list[tuple[str, int]]:
    total, buckets = 0, []
    for bound, count in zip((*(repr(bound) for bound in bounds), "+Inf"), counts, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets
