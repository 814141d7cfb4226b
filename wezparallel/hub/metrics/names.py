"""Every metric, once: its name, what kind it is, its labels and what it says. Pure.

The reference page is made from here, and what `/metrics` says of each. The first four have the names and the texts
that they always had; `task_duration_seconds` has no samples before there are tasks. Labels are bounded: names of
processes that are defined now, of commands, events and states that exist.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["gauge", "counter", "histogram"]


class Metric(NamedTuple):
    """One family of samples."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()


PROCESS = ("workspace", "process")
LATENCY_S = (
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
)  # fmt: skip
"""Upper bounds of the histogram of requests: a kept reply takes 10 µs, a stop up to its grace."""
TASK_S = (1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)

METRICS = (
    Metric("workspaces_active", "gauge", "Active workspace count"),
    Metric("processes_active", "gauge", "Active process count"),
    Metric("task_duration_seconds", "histogram", "Task execution duration"),
    Metric("errors_total", "counter", "Total error count"),
    Metric("wezparallel_info", "gauge", "Always 1; what runs.", ("version",)),
    Metric("wezparallel_workspaces", "gauge", "Workspaces that are defined, by whether they are open.", ("open",)),
    Metric("wezparallel_processes", "gauge", "Processes that are defined, by state.", ("state",)),
    Metric("wezparallel_processes_waiting", "gauge", "Processes that ask a person for a look."),
    Metric("wezparallel_spares", "gauge", "Of the processes, those started ahead that nobody uses yet."),
    Metric("wezparallel_process_up", "gauge", "1 while a process runs, else 0.", PROCESS),
    Metric(
        "wezparallel_process_cpu_ratio", "gauge",
        "Processor time of a process's whole tree, as a share of one core, between the last two looks.", PROCESS,
    ),
    Metric(
        "wezparallel_process_memory_bytes", "gauge",
        "Resident memory of a process's whole tree; what several share counts for each.", PROCESS,
    ),
    Metric("wezparallel_process_tree_size", "gauge", "Programs in a process's whole tree.", PROCESS),
    Metric("wezparallel_process_restarts_total", "counter", "Restarts by policy.", PROCESS),
    Metric(
        "wezparallel_process_exits_total", "counter",
        "Ends of runs, by exit code or signal, and by whether the end was asked for.", ("code", "signal", "asked"),
    ),
    Metric(
        "wezparallel_log_written_bytes_total", "counter",
        "Output of a process as its log counts it: of all runs, what was lost too.", PROCESS,
    ),
    Metric("wezparallel_log_lost_bytes_total", "counter", "Output that its log could not take.", PROCESS),
    Metric("wezparallel_metrics_left_out", "gauge", "Processes beyond the first 1000, which have no samples."),
    Metric("wezparallel_alerts", "gauge", "Alerts that hold, by what is too much.", ("what",)),
    Metric(
        "wezparallel_request_duration_seconds", "histogram",
        "From a request to its reply, by command. Of reads that come again and again one in 16 is timed.",
        ("command",),
    ),
    Metric("wezparallel_request_errors_total", "counter", "Requests answered with `Error`, by its code.", ("code",)),
    Metric("wezparallel_events_published_total", "counter", "Events that were committed, by name.", ("event",)),
    Metric("wezparallel_events_lagged_total", "counter", "Events that subscribers missed because they did not read."),
    Metric("wezparallel_subscribers", "gauge", "Connections that get events."),
    Metric(
        "wezparallel_queue_depth", "gauge",
        "What waits: commits (batches), mutations, reads (for a commit), keeper (bytes), admission and viewer "
        "(processes).", ("queue",),
    ),
    Metric("wezparallel_hub_restarts_total", "counter", "Deaths of the hub that its keeper has seen."),
    Metric("wezparallel_hub_uptime_seconds", "gauge", "Age of the hub."),
    Metric("wezparallel_hub_memory_bytes", "gauge", "Resident memory of the hub."),
    Metric("wezparallel_store_failing", "gauge", "1 while nothing can be written, else 0."),
    Metric("wezparallel_config_errors", "gauge", "Errors of the configuration; while there are, no file holds."),
    Metric("wezparallel_system_cpu_ratio", "gauge", "Share of all cores that was busy between the last two looks."),
    Metric("wezparallel_system_memory_bytes", "gauge", "Memory of the machine: in use and there is.", ("kind",)),
    Metric("wezparallel_system_disk_bytes", "gauge", "Disk that holds the logs: in use and there is.", ("kind",)),
    Metric(
        "wezparallel_system_network_bytes_total", "counter", "Moved by all network interfaces but the loopback one.",
        ("direction",),
    ),
)  # fmt: skip

BY_NAME = {metric.name: metric for metric in METRICS}
MOST_PROCESSES = 1000
