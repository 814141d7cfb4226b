"""`alerts`: the figures that stay above what the settings allow."""

from __future__ import annotations

from wezparallel.client import text
from wezparallel.frontends.cli import exits
from wezparallel.frontends.cli.render import Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_COLUMNS = (
    Column(cut=""), Column(least=8), Column(cut=""), Column(rank=1), Column(rank=2, right=True, cut=""),
)  # fmt: skip


def list_alerts(context: Context) -> int:
    """Show each alert that holds now, the newest first."""
    alerts = context.call("AlertList")["alerts"]
    if context.json:
        context.dump({"alerts": alerts})
        return exits.OK
    if not alerts:
        context.screen.say("No alert holds; `wezparallel config show` has the thresholds.")
        return exits.OK
    rows = []
    for one in sorted(alerts, key=lambda each: each["raised_at"], reverse=True):
        name = one["process_id"] or "the disk of the logs"
        figure = f"{_figure(one, 'value')}, above {_figure(one, 'threshold')}"
        age = text.age(one["raised_at"], context.now)
        rows.append([Cell("!", "needs"), Cell(name, "bold"), Cell(one["what"]), Cell(figure), Cell(age, "dim")])
    context.screen.table(_COLUMNS, rows)
    return exits.OK


def _figure(alert: JsonObject, which: str) -> str:
    value = alert[which]
    if value is None:
        return "?"
    return text.size(int(value)) if alert["what"] == "memory" else f"{value:.0f} %"
