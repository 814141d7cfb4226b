"""Bare `wezparallel` and `ls`: what runs, and who needs you. Never empty."""

from __future__ import annotations

import os

from wezparallel.client import launch, states, text
from wezparallel.client.branch import git_branch
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits
from wezparallel.frontends.cli.render import Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

# symbol, name, program, state, why, memory, age
_COLUMNS = (
    Column(cut=""), Column(least=20), Column(rank=4, cut=""), Column(least=7), Column(rank=1, least=14),
    Column(rank=3, right=True, cut=""), Column(rank=2, right=True, cut=""),
)  # fmt: skip

_PROGRAM = 12  # columns; a longer program is known by its process's name


def overview(context: Context) -> int:
    """Show every workspace and process, the neediest first."""
    if not context.args.socket and launch.is_stopped():
        return _stopped(context)
    workspaces = context.workspaces()
    processes = context.processes()
    if context.json:
        context.dump({"workspaces": workspaces, "processes": processes})
    elif workspaces or processes:
        _draw(context, workspaces, processes)
    else:
        _nothing(context)
    return exits.OK


def list_workspaces(context: Context) -> int:
    """Show every workspace in a line."""
    workspaces = context.workspaces()
    if context.json:
        context.dump({"workspaces": workspaces})
        return exits.OK
    if not workspaces:
        context.screen.say("No workspace yet; `wezparallel up` opens one here.")
        return exits.OK
    home = os.path.expanduser("~")
    members: dict[str | None, list[JsonObject]] = {}
    for process in context.processes():
        members.setdefault(process["workspace"], []).append(process)
    switched = [(one["switched_at"], one["name"]) for one in workspaces if one.get("switched_at") and one["open"]]
    current = max(switched)[1] if switched else None
    rows = []
    for one in sorted(workspaces, key=lambda each: (not each["open"], each["name"])):
        symbol, style = ("●", "good") if one["open"] and one["running"] else ("○", "dim")
        branch = git_branch(one["root"])
        up = [each for each in members.get(one["name"], []) if each["state"] in states.UP]
        notes = ["current"] if one["name"] == current else []
        if one["open"] and up and not any(each["viewers"] for each in up):
            notes.append("not on screen")
        if one.get("spares"):
            notes.append(text.plural(one["spares"], "spare"))
        if one.get("not_in_template"):
            notes.append(f"{one['not_in_template']} not in its template")
        rows.append([
            Cell(symbol, style), Cell(one["name"], "bold"), Cell("open" if one["open"] else "closed", style),
            Cell(f"{one['running']} of {one['processes']} run"), Cell(text.home(one["root"], home), "dim"),
            Cell(branch, "dim"), Cell(", ".join(notes), "dim"), Cell(one["template"] or "", "dim"),
            Cell(one["created_at"] if context.args.long else text.age(one["created_at"], context.now), "dim"),
        ])  # fmt: skip
    columns = (
        Column(cut=""), Column(least=8), Column(cut=""), Column(rank=1), Column(rank=1, cut="middle", least=12),
        Column(rank=2), Column(rank=2, least=13), Column(rank=4, cut="middle"), Column(rank=3, right=True, cut=""),
    )  # fmt: skip
    context.screen.table(columns, rows)
    return exits.OK


def _draw(context: Context, workspaces: list[JsonObject], processes: list[JsonObject]) -> None:
    screen = context.screen
    screen.spread(_headline(processes), _figures(workspaces, processes))
    screen.say()
    home = os.path.expanduser("~")
    by_workspace: dict[str | None, list[JsonObject]] = {}
    for process in sorted(processes, key=states.need):
        by_workspace.setdefault(process["workspace"], []).append(process)
    # One grid for all, so that states stand below each other.
    lines = iter(
        screen.lines(_COLUMNS, [_row(one, context.now) for all_ in by_workspace.values() for one in all_], indent=2)
    )
    drawn = {name: [next(lines) for _ in all_] for name, all_ in by_workspace.items()}

    def order(one: JsonObject) -> tuple[bool, int, str]:
        neediest = min((states.need(each)[0] for each in by_workspace.get(one["name"], [])), default=9)
        return not one["open"], neediest, one["name"]

    for one in sorted(workspaces, key=order):
        title = _title(one, by_workspace.get(one["name"], []), home)
        while len(title) > 1 and screen.columns and sum(text.width(cell.text) for cell in title) > screen.columns:
            title.pop()
        screen.spread(title, "")
        for line in drawn.pop(one["name"], []):
            screen.say(line)
    for name, rest in drawn.items():
        screen.say(screen.paint(name or "without a workspace", "bold"))
        for line in rest:
            screen.say(line)
    screen.say()
    _hints(context, workspaces, processes)


def _headline(processes: list[JsonObject]) -> list[Cell]:
    needy = sorted((one for one in processes if states.is_failing(one)), key=states.need)
    up = [
        one for one in processes
        if one["state"] in states.UP and not states.is_failing(one) and not states.is_spare(one)
    ]  # fmt: skip
    if not needy:
        return [
            Cell(f"{len(up)} run, none needs you" if up else "nothing runs at the moment", "good" if up else "dim")
        ]
    worst = needy[0]
    said = f": {worst['notified']['text']}" if worst.get("notified") else f" {states.word(worst)}"
    what = f"{worst['process_id']}{said}" if len(needy) == 1 else f"{worst['name']}, {needy[1]['name']}"
    more = ", …" if len(needy) > 2 else ""
    verb = "needs" if len(needy) == 1 else "need"
    return [Cell(f"{len(needy)} {verb} you: {what}{more}", states.look(worst)[1])]


def _figures(workspaces: list[JsonObject], processes: list[JsonObject]) -> str:
    memory = [used for one in processes if (used := states.memory(one)) is not None]
    spares = sum(1 for one in processes if states.is_spare(one))
    processes = [one for one in processes if not states.is_spare(one)]
    agents = sum(1 for one in processes if one.get("agent"))
    parts = [text.plural(len(workspaces), "workspace")]
    if agents:
        parts.append(text.plural(agents, "agent"))
    if len(processes) > agents:
        parts.append(text.plural(len(processes) - agents, "process", "processes"))
    if spares:
        parts.append(text.plural(spares, "spare"))
    if memory:
        parts.append(text.size(sum(memory)))
    return " · ".join(parts)


def _title(workspace: JsonObject, processes: list[JsonObject], home: str) -> list[Cell]:
    cells = [Cell(workspace["name"], "bold" if workspace["open"] else "dim")]
    cells.append(Cell("   " + text.home(workspace["root"], home), "dim"))
    branch = git_branch(workspace["root"])
    if branch:
        cells.append(Cell(f" ({branch})", "dim"))
    if not workspace["open"]:
        cells.append(Cell("   closed", "dim"))
    elif any(one["state"] in states.UP for one in processes) and not any(one["viewers"] for one in processes):
        cells.append(Cell("   not on screen", "dim"))
    return cells


def _row(process: JsonObject, now: float) -> list[Cell]:
    symbol, style = states.look(process)
    return [
        Cell(symbol, style), Cell(process["name"]), Cell(text.cut_end(states.program(process), _PROGRAM), "dim"),
        Cell(states.word(process), style), Cell(states.why(process, now), "dim" if style == "dim" else ""),
        Cell(text.size(states.memory(process)), "dim"), Cell(text.age(states.since(process), now), "dim"),
    ]  # fmt: skip


def _hints(context: Context, workspaces: list[JsonObject], processes: list[JsonObject]) -> None:
    hints = []
    needy = sorted((one for one in processes if states.is_failing(one)), key=states.need)
    up = [one for one in processes if one["state"] in states.UP and not states.is_spare(one)]
    closed = [one for one in workspaces if not one["open"]]
    if needy:
        verb = "look: wezparallel attach" if needy[0].get("notified") else "why: wezparallel logs"
        hints.append(f"{verb} {needy[0]['process_id']}")
    if up and not (needy and needy[0].get("notified")):
        hints.append(f"look: wezparallel attach {up[0]['process_id']}")
    if closed:
        hints.append(f"open: wezparallel up {closed[0]['name']}")
    hints.append("everything: wezparallel help")
    screen = context.screen
    if screen.columns is not None:
        while len(hints) > 1 and len("    ".join(hints)) > screen.columns:
            hints.pop()
    screen.say(screen.paint("    ".join(hints), "dim"))


def _nothing(context: Context) -> None:
    screen = context.screen
    found = ""
    try:
        template = context.call("TemplateGet", root=os.getcwd())
        what = template["found"] or [template["template"]["path"].rpartition("/")[2]]
        found = f"     (found: {', '.join(what)})" if template["template"]["origin"] in ("folder", "detected") else ""
    except RequestError as error:
        found = f"     ({error.message.splitlines()[0]})"
    screen.say("Nothing runs yet.")
    screen.say()
    screen.say(f"  wezparallel up            open a workspace here{screen.paint(found, 'dim')}")
    screen.say("  wezparallel run -- CMD    keep one command, come back to it later")
    screen.say("  wezparallel template list")


def _stopped(context: Context) -> int:
    if context.json:
        context.dump({"workspaces": [], "processes": [], "stopped": True})
    else:
        context.screen.say("The daemon was stopped.")
        context.screen.say()
        context.screen.say("  wezparallel daemon start    start it again; what it kept running is still there")
        context.screen.say("  wezparallel up              open a workspace here (starts it too)")
        context.screen.say("  wezparallel logs PROCESS    read a log, which needs no daemon")
    return exits.NO_DAEMON
