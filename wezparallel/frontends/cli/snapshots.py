"""`snapshot list | export | import | diff | rollback`: what there is as YAML, taken in again, and gone back to.

Import and rollback show `+ ~ −` and ask first; nothing that runs is stopped by either. Above: the grammar. Below:
the `Snapshot*` commands.
"""

from __future__ import annotations

import os
import sys

from wezparallel.client import text
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, writing_files
from wezparallel.frontends.cli.reconciling import difference
from wezparallel.frontends.cli.render import Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_SIGNS = {"added": ("+", "good"), "changed": ("~", "needs"), "removed": ("−", "dim")}
_COLUMNS = (Column(cut=""), Column(least=8), Column(least=16), Column(rank=1, least=14))
_MOST = {"list": 0, "export": 0, "import": 1, "diff": 2, "rollback": 1}
_WHY = {"change": "by itself", "asked": "export", "import": "before an import", "rollback": "before a rollback"}


def snapshot(context: Context) -> int:
    """Do one thing with snapshots."""
    what, names = context.args.what, context.args.names
    if len(names) > _MOST[what]:
        raise RequestError(
            "command.bad_value", f"`snapshot {what}` takes {_MOST[what] or 'no'} names, not {len(names)}"
        )
    verbs = {"list": _list, "export": _export, "import": _import, "diff": _diff, "rollback": _rollback}
    return verbs[what](context)


def _list(context: Context) -> int:
    reply = context.call("SnapshotList")
    if context.json:
        context.dump(reply)
        return exits.OK
    if not reply["snapshots"]:
        context.screen.say("No snapshot yet; one is written soon after something changes, or by `snapshot export`.")
        return exits.OK
    rows = [
        [
            Cell(one["snapshot"], "bold"), Cell(text.age(one["written_at"], context.now), "dim"),
            Cell(text.plural(one["workspaces"], "workspace")),
            Cell(text.plural(one["processes"], "process", "processes")),
            Cell(_WHY.get(one["because"], one["because"])),
            Cell("as it is now" if one["current"] else "", "good"), Cell(text.size(one["size_bytes"]), "dim"),
        ]
        for one in reply["snapshots"]
    ]  # fmt: skip
    columns = (
        Column(cut=""), Column(right=True, cut=""), Column(rank=1, right=True, cut=""),
        Column(rank=1, right=True, cut=""), Column(rank=2, cut=""), Column(rank=1, cut=""),
        Column(rank=3, right=True, cut=""),
    )  # fmt: skip
    context.screen.table(columns, rows)
    return exits.OK


def _export(context: Context) -> int:
    """Write one now; into a file or to stdout, if that is asked."""
    output = context.args.output
    if output is not None and output != "-" and os.path.exists(output) and not context.args.force:
        writing_files.allow(context, output)
    reply = context.call("SnapshotExport")
    record = reply["snapshot"]
    if context.json:
        context.dump(reply)
    elif output is None:
        context.screen.say(f"snapshot {record['snapshot']}: {_counts(record)}")
        context.screen.say(context.screen.paint(text.home(record["path"], os.path.expanduser("~")), "dim"))
    if output is None:
        return exits.OK
    source = reply["source"]
    if source is None:  # too long for a reply; the file itself is ours to read
        source = writing_files.read(record["path"])
    if output == "-":
        if not context.json:
            sys.stdout.write(source)
        return exits.OK
    writing_files.put(output, source, mode=0o600)
    if not context.json:
        context.screen.say(f"{writing_files.shown(output)}: {_counts(record)}")
    return exits.OK


def _import(context: Context) -> int:
    """Add and change what a file says, after a question."""
    if not context.args.names:
        raise RequestError("command.bad_value", "`snapshot import` needs a file; `-` reads stdin")
    name = context.args.names[0]
    given: JsonObject = {"source": sys.stdin.read()} if name == "-" else {"path": os.path.abspath(name)}
    fields = {**given, "prune": context.args.prune or None}
    planned = context.call("SnapshotImport", dry_run=True, **fields)
    return _carry_out(
        context, "SnapshotImport", fields, planned, "stdin" if name == "-" else writing_files.shown(name)
    )


def _rollback(context: Context) -> int:
    """Go back to a snapshot, after a question."""
    wanted = context.args.names[0] if context.args.names else None
    planned = context.call("SnapshotRollback", dry_run=True, snapshot=wanted)
    record = planned["snapshot"]
    title = f"back to {record['snapshot']}, {text.age(record['written_at'], context.now)} ago"
    return _carry_out(context, "SnapshotRollback", {"snapshot": record["snapshot"]}, planned, title)


def _carry_out(context: Context, command: str, fields: JsonObject, planned: JsonObject, title: str) -> int:
    """Draw what would change, ask, and have it done."""
    changes = planned["changes"]
    if not context.json:
        for note in planned["notes"]:
            context.note(note)
        if not changes:
            context.screen.say(f"{title}: nothing differs")
            return exits.OK
        _draw(context, title, changes)
    todo = [one for one in changes if one["skipped"] is None]
    if not todo or context.args.dry_run:
        if context.json:
            context.dump(planned)
        return exits.OK
    if not context.args.yes:
        if not context.interactive:
            context.note("wezparallel: this changes what there is; say --yes, or --dry-run to see it only")
            return exits.USAGE
        if context.ask(f"{_question(todo)}? [y/N]", "n") != "y":
            context.screen.say("Nothing was changed.")
            return exits.OK
    reply = context.call(command, environment=dict(os.environ), **fields)
    if context.json:
        context.dump(reply)
    else:
        _tell(context, reply, todo, reply["notes"][len(planned["notes"]) :])
    return exits.OK


def _tell(context: Context, reply: JsonObject, todo: list[JsonObject], notes: list[str]) -> None:
    """Say what was done, how it is taken back, and what is left to do."""
    refused = [one for one in reply["processes"] if one["now"] == "refused"]
    for note in [*notes, *(f"{one['process_id']}: {one['error']['message']}" for one in refused)]:
        context.note(note)
    started = len(reply["processes"]) - len(refused)
    tail = f"; {text.plural(started, 'process', 'processes')} started" if started else ""
    if reply["before"] is not None:
        tail += f"; `wezparallel snapshot rollback {reply['before']}` takes it back"
    context.screen.say(f"done{tail}")
    behind = [one["name"] for one in todo if one["needs_restart"]]
    if behind:
        names = ", ".join(behind)
        context.note(f"{names} runs as before until a restart: wezparallel restart {' '.join(behind)}")


def _diff(context: Context) -> int:
    """Show what has changed since a snapshot, or between two."""
    first, to = (*context.args.names, None, None)[:2]
    reply = context.call("SnapshotDiff", snapshot=first, to=to)
    if context.json:
        context.dump(reply)
        return exits.OK
    until = reply["to"]["snapshot"] if reply["to"] else "now"
    title = f"{reply['snapshot']['snapshot']} → {until}"
    if reply["changes"]:
        _draw(context, title, reply["changes"])
    else:
        context.screen.say(f"{title}: nothing differs")
    return exits.OK


def _draw(context: Context, title: str, changes: list[JsonObject]) -> None:
    context.screen.say(context.screen.paint(title, "bold"))
    context.screen.table(_COLUMNS, [_row(one) for one in changes], indent=2)


def _row(change: JsonObject) -> list[Cell]:
    sign, style = _SIGNS[change["kind"]]
    name = change["name"] + (" (workspace)" if change["what"] == "workspace" else "")
    what = ", ".join(map(difference, change["fields"])) if change["kind"] == "changed" else change["text"]
    if change["skipped"]:
        return [Cell(sign, "dim"), Cell(name, "dim"), Cell(what, "dim"), Cell(f"stays: {change['skipped']}")]
    note = "starts" if change["starts"] else "needs a restart" if change["needs_restart"] else ""
    return [Cell(sign, style), Cell(name), Cell(what), Cell(note, "dim")]


def _question(todo: list[JsonObject]) -> str:
    verbs = {"added": "Add", "changed": "change", "removed": "forget with its logs"}
    parts = [f"{verb} {count}" for kind, verb in verbs.items() if (count := sum(one["kind"] == kind for one in todo))]
    sentence = ", ".join(parts)
    return sentence[:1].upper() + sentence[1:]


def _counts(record: JsonObject) -> str:
    workspaces = text.plural(record["workspaces"], "workspace")
    return f"{workspaces}, {text.plural(record['processes'], 'process', 'processes')}"
