"""`up` of a workspace that is there: what its template says now, drawn as `+ ~ −`, and what of it is restarted.

Nothing is stopped unasked: what runs keeps its settings until somebody says yes, and an agent's work is never offered
to be cut off. Without a terminal nobody is asked and nothing is restarted. Above: up.py; below: `WorkspaceApply`.
"""

from __future__ import annotations

import os

from wezparallel.client import text
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import given
from wezparallel.frontends.cli.render import Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_SIGNS = {"added": ("+", "good"), "changed": ("~", "needs"), "removed": ("−", "dim")}
_COLUMNS = (Column(cut=""), Column(least=8), Column(least=16), Column(rank=1, least=14))
_LONGEST = 60
"""Columns of one value; the file itself has the rest."""


def reconcile(context: Context, workspace: JsonObject, fields: JsonObject) -> list[JsonObject]:
    """Bring a workspace to what its template says; return what that changed. Raises RequestError `template.*`."""
    name = workspace["name"]
    try:
        planned = context.call("WorkspaceApply", name=name, dry_run=True, **given.given(context))
    except RequestError as error:
        if error.code != "template.not_found":
            raise
        if workspace["template"] and error.data.get("path"):
            context.note(f"{error.message}; {name} is opened as it was")
        return []
    changes = [one for one in planned["changes"] if one["kind"] != "kept"]
    file = _file(planned["template"], workspace)
    behind = [one["name"] for one in planned["changes"] if one["kind"] == "kept" and one["needs_restart"]]
    if not changes and not planned["plan_changed"]:
        if not context.json:
            context.screen.say(context.screen.paint(f"{name}: nothing changed in {file}", "dim"))
            _tell_behind(context, behind, name)
        return []
    if not context.json:
        _draw(context, f"{name}: {file} changed", planned, changes)
    restart = _restarted(context, changes, name)
    variables = given.given(context)["variables"]
    applied = context.call("WorkspaceApply", name=name, restart=restart, variables=variables, **fields)
    _tell_behind(context, behind, name)
    return [one for one in applied["changes"] if one["kind"] != "kept"]


def _draw(context: Context, title: str, planned: JsonObject, changes: list[JsonObject]) -> None:
    rows = [_row(one, context.now) for one in changes]
    if planned["plan_changed"] and all(one["kind"] == "changed" for one in changes):
        rows.append([Cell("~", "needs"), Cell("layout"), Cell("its panes are drawn in another way"), Cell("")])
    context.screen.say(context.screen.paint(title, "bold"))
    context.screen.table(_COLUMNS, rows, indent=2)


def _row(change: JsonObject, now: float) -> list[Cell]:
    sign, style = _SIGNS[change["kind"]]
    note = ""
    if change["kind"] == "added":
        what = change["command"]
    elif change["kind"] == "removed":
        what = "removed from the file" + ("; it keeps running until you stop it" if change["running"] else "")
    else:
        what = ", ".join(map(difference, change["fields"]))
        if change["needs_restart"]:
            note = f"needs a restart (running {text.age(change['started_at'], now)})"
    return [Cell(sign, style), Cell(change["name"]), Cell(what), Cell(note, "dim")]


def difference(field: JsonObject) -> str:
    """Return one changed setting as people read it."""
    before, after, name = field["before"], field["after"], field["field"]
    if name == "env":
        old, new = (set((side or "").split(", ")) - {""} for side in (before, after))
        words = [f"+{one}" for one in sorted(new - old)]
        words += [f"~{one}" for one in sorted(new & old)] + [f"−{one}" for one in sorted(old - new)]
        return "env " + " ".join(words)
    old_text, new_text = (
        text.cut_end(str(side), _LONGEST) if side is not None else "none" for side in (before, after)
    )
    shown = f"{old_text} → {new_text}"
    return shown if name in ("command", "argv") else f"{name} {shown}"


def _restarted(context: Context, changes: list[JsonObject], workspace: str) -> list[str]:
    """Return the names of what is restarted, after a question where somebody can be asked."""
    waiting = [one for one in changes if one["kind"] == "changed" and one["needs_restart"]]
    agents = [one["name"] for one in waiting if one["agent"]]
    others = [one["name"] for one in waiting if not one["agent"]]
    if agents and not context.json:
        context.note(f"{_and(agents)} goes on as it is; when it suits: {_restart(agents, workspace)}")
    if not others or context.args.no_restart:
        return []
    if context.args.yes:
        return others
    if not context.interactive:
        context.note(f"{_and(others)} keeps its settings until a restart: {_restart(others, workspace)}")
        return []
    return others if context.ask(f"Restart {_and(others)}? [y/N]", "n") == "y" else []


def _tell_behind(context: Context, behind: list[str], workspace: str) -> None:
    if behind:
        context.note(f"{_and(behind)} still runs as it was before an edit: {_restart(behind, workspace)}")


def _restart(names: list[str], workspace: str) -> str:
    return "wezparallel restart " + " ".join(f"{workspace}/{name}" for name in names)


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _file(path: str | None, workspace: JsonObject) -> str:
    if path is None:
        return "its template"
    folder = workspace.get("folder") or workspace["root"]
    if path.startswith(folder.rstrip("/") + "/"):
        return path[len(folder.rstrip("/")) + 1 :]
    return text.home(path, os.path.expanduser("~"))
