"""`history`: the runs that were, how they ended, the most that each used; or what was used, step by step."""

from __future__ import annotations

import datetime

from wezparallel.client import text
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits
from wezparallel.frontends.cli.render import Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_RUNS = (
    Column(cut=""), Column("process", least=10), Column("run", right=True, cut="", rank=2),
    Column("began", cut="", rank=1), Column("ran", right=True, cut=""), Column("end", least=8),
    Column("most CPU", right=True, cut="", rank=3), Column("most memory", right=True, cut="", rank=3),
)  # fmt: skip
_STEPS = (
    Column("at", cut=""), Column("CPU", right=True, cut=""), Column("most", right=True, cut="", rank=1),
    Column("memory", right=True, cut=""), Column("most", right=True, cut="", rank=1), Column(cut="", rank=2),
)  # fmt: skip
_PAGE = 500
_BARS = " ▁▂▃▄▅▆▇█"


def history(context: Context) -> int:
    """Show runs, the latest last, as a log is read; or figures."""
    if context.args.lines < 1:
        raise RequestError("command.bad_value", "--lines has to be 1 or more")
    return _figures(context) if context.args.figures else _runs(context)


def _runs(context: Context) -> int:
    name = context.args.name or ""
    whose = {"workspace": name[:-1]} if name.endswith("/") else {"process": name or None}
    runs: list[JsonObject] = []
    after: str | None = None
    while len(runs) < context.args.lines:
        reply = context.call(
            "HistoryList", **whose, since=context.args.since, failed=context.args.failed or None, after=after,
            limit=min(_PAGE, context.args.lines - len(runs)),
        )  # fmt: skip
        runs += reply["runs"]
        after = reply.get("next")
        if not after:
            break
    if context.json:
        context.dump({"runs": runs})
        return exits.OK
    if not runs:
        context.screen.say("No run is known" + (" that ended so." if context.args.failed else "."))
        return exits.OK
    context.screen.table(_RUNS, [_row(run) for run in reversed(runs)])
    if after:
        context.note(f"These are the latest {len(runs)}; `--lines N` shows more.")
    return exits.OK


def _row(run: JsonObject) -> list[Cell]:
    mark, end, style = _end(run)
    began = _local(run["started_at"])
    ran = "" if run["ran_s"] is None else text.lasted(run["ran_s"])
    cpu = "" if run["peak_cpu_percent"] is None else f"{run['peak_cpu_percent']:.0f} %"
    return [
        Cell(mark, style), Cell(run["process_id"], "bold"), Cell(str(run["number"]), "dim"), Cell(began, "dim"),
        Cell(ran), Cell(end, style), Cell(cpu), Cell(text.size(run["peak_memory_bytes"])),
    ]  # fmt: skip


def _end(run: JsonObject) -> tuple[str, str, str]:
    """Return mark, words and style of how a run ended."""
    if run["status"] == "spawned":
        return "●", "runs", "good"
    if run["status"] == "lost":
        return "✗", "not known", "bad"
    if run["asked"]:
        return "○", "stopped", "dim"
    if run["signal"] is not None:
        return "✗", f"signal {run['signal']}", "bad"
    return ("✓", "done", "dim") if run["exit_code"] == 0 else ("✗", f"code {run['exit_code']}", "bad")


def _figures(context: Context) -> int:
    points: list[JsonObject] = []
    since = context.args.since
    while True:
        reply = context.call("MetricHistory", process=context.args.name, since=since)
        points += reply["points"]
        since = reply.get("next")
        if not since:
            break
    points = points[-context.args.lines :]
    if context.json:
        context.dump({"process_id": reply["process_id"], "step_s": reply["step_s"], "points": points})
        return exits.OK
    if not points:
        context.screen.say("Nothing is known of that time; figures are written down by the minute.")
        return exits.OK
    most = max((point["cpu_percent"] or 0 for point in points), default=0)
    context.screen.table(_STEPS, [_step(point, most) for point in points])
    return exits.OK


def _step(point: JsonObject, most: float) -> list[Cell]:
    cpu = point["cpu_percent"]
    bar = "" if cpu is None or not most else _BARS[round(cpu / most * (len(_BARS) - 1))]
    return [
        Cell(_local(point["at"]), "dim"), Cell(_percent(cpu)), Cell(_percent(point["cpu_percent_max"]), "dim"),
        Cell(text.size(point["memory_bytes"])), Cell(text.size(point["memory_bytes_max"]), "dim"), Cell(bar),
    ]  # fmt: skip


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} %"


def _local(at: str | None) -> str:
    """Return a time as a clock on the wall shows it, with the day."""
    return "" if at is None else datetime.datetime.fromisoformat(at).astimezone().strftime("%b %d %H:%M:%S")
