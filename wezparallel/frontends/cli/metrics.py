"""`metrics`: how machine and daemon are, and where Prometheus finds the rest."""

from __future__ import annotations

from wezparallel.client import text
from wezparallel.frontends.cli import exits
from wezparallel.frontends.cli.render import Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_ROWS = (Column(cut=""), Column(least=20))


def metrics(context: Context) -> int:
    """Show the eight figures."""
    figures = context.call("MetricGet")
    if context.json:
        context.dump(figures)
        return exits.OK
    status = context.call("Status")
    errors = figures["error_rate"]
    rows = [
        ("processor", _percent(figures["cpu_usage"])),
        ("memory", _percent(figures["memory_usage"])),
        ("disk of the logs", _percent(figures["disk_usage"])),
        ("network", _network(figures["network_io"])),
        ("processes", str(figures["process_count"])),
        ("agents", str(figures["active_sessions"])),
        ("a reply takes", "" if figures["api_response_time"] is None else f"{figures['api_response_time']:.2f} ms"),
        ("of them errors", "" if errors is None else _percent(100 * errors)),
        ("Prometheus", status.get("metrics_url") or f"not served: {status.get('metrics_error') or 'switched off'}"),
    ]
    context.screen.table(_ROWS, [[Cell(name, "dim"), Cell(value)] for name, value in rows if value])
    return exits.OK


def _network(moved: JsonObject | None) -> str:
    if moved is None:
        return ""
    if moved["rx_rate"] is None or moved["tx_rate"] is None:
        return f"{text.size(moved['bytes_received'])} received, {text.size(moved['bytes_sent'])} sent"
    return f"{text.size(int(moved['rx_rate']))}/s received, {text.size(int(moved['tx_rate']))}/s sent"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} %"
