"""Makes the reference page of metrics from their table."""

from __future__ import annotations

from wezparallel.hub.metrics.names import LATENCY_S, METRICS, MOST_PROCESSES

_INTRO = f"""# Metrics

Served by the hub at `/metrics`, as text for Prometheus or as OpenMetrics, at `metrics.address` (127.0.0.1:9464) while
`metrics.enabled`; where `WEZPARALLEL_RUNTIME_DIR` is set only if one of the two is. The address in force is
`metrics_url` in `wezparallel status --json`. The keeper holds the port: a scrape while the hub is restarted waits.

Figures of processes are of whole trees and at most two seconds old. What is not known has no sample. Counters begin
at zero with each hub. Labels are bounded: names of the first {MOST_PROCESSES} processes that are defined, of
commands, events, states, codes. `config/prometheus/` has a sample configuration and alert rules. Metrics of agents
and of tasks come with these; until then `task_duration_seconds` has no samples.
"""


def page() -> str:
    """Return the reference page."""
    out = ["<!-- Made by scripts/gen; edit the code instead. -->\n\n", _INTRO]
    out.append("\n| metric | kind | labels | meaning |\n|---|---|---|---|\n")
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        out.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.text} |\n")
    bounds = ", ".join(f"{bound:g}" for bound in LATENCY_S)
    out.append(f"\nBuckets of `wezparallel_request_duration_seconds`: {bounds} seconds.\n")
    return "".join(out)
