"""`views`: which pane of which WezTerm, or which other terminal, shows what."""

from __future__ import annotations

from wezparallel.frontends.cli import exits
from wezparallel.frontends.cli.render import Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_COLUMNS = (Column(least=8), Column(cut=""), Column(rank=1, cut=""), Column(rank=2), Column(rank=3))


def list_views(context: Context) -> int:
    """Show each view, by process."""
    views = context.views()
    if context.json:
        context.dump({"views": views})
        return exits.OK
    if not views:
        context.screen.say("Nothing is shown anywhere; `wezparallel attach NAME` shows a process here.")
        return exits.OK
    context.screen.table(_COLUMNS, [_row(view) for view in views])
    return exits.OK


def _row(view: JsonObject) -> list[Cell]:
    place = f"pane {view['pane']}" if view["pane"] is not None else "terminal"
    size = "×".join(str(number) for number in reversed(view["size"])) if view["size"] else "?"
    told = "read-only" if view["read_only"] else "" if view["origin"] == "viewer" else "not attached"
    mux = (view["mux"] or "").rpartition("/")[2]
    return [Cell(view["process_id"], "bold"), Cell(place), Cell(size, "dim"), Cell(mux, "dim"), Cell(told, "dim")]
