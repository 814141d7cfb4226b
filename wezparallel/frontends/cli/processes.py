"""`ps`, `type`, and the verbs that change what runs: one command per process, and what became of it."""

from __future__ import annotations

import base64
import os
import sys

from wezparallel.client import states, text
from wezparallel.errors import WezparallelError
from wezparallel.frontends.cli import exits, many, names
from wezparallel.frontends.cli.main import complain
from wezparallel.frontends.cli.render import WIDEST, Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import Json, JsonObject

_COLUMNS = (
    Column(cut=""), Column("process", least=24), Column("state", least=7), Column("why", rank=2, least=12),
    Column("pid", rank=3, right=True, cut=""), Column("cpu", rank=5, right=True, cut=""),
    Column("memory", rank=4, right=True, cut=""), Column("restarts", rank=6, right=True, cut=""),
    Column("since", rank=1, right=True, cut=""),
)  # fmt: skip
_LONG = (
    Column("folder", rank=7, cut="middle", least=12), Column("command", rank=8, least=16),
    Column("run", rank=9, cut=""),
)  # fmt: skip


def list_processes(context: Context) -> int:
    """Show every process in a line, sorted as its workspace's neediest first."""
    name = context.args.workspace
    if name is not None:
        name = names.workspace(context, name)["name"]
    processes = context.processes(name)
    if context.json:
        context.dump({"processes": processes})
        return exits.OK
    if not processes:
        where = f"in {name}" if name else "yet"
        context.screen.say(
            f"No process {where}; `wezparallel up` opens a workspace, `wezparallel run -- CMD` keeps a command."
        )
        return exits.OK
    processes.sort(key=lambda one: (one["workspace"] or "", states.need(one)))
    long = context.args.long
    rows = [_row(one, context.now, long=long) for one in processes]
    context.screen.table((*_COLUMNS, *_LONG) if long else _COLUMNS, rows, widest=0 if long else WIDEST)
    return exits.OK


def _row(process: JsonObject, now: float, *, long: bool) -> list[Cell]:
    symbol, style = states.look(process)
    since = states.since(process)
    cpu = process.get("cpu_percent") if process["pid"] is not None else None
    row = [
        Cell(symbol, style), Cell(process["process_id"]), Cell(states.word(process), style),
        Cell(states.why(process, now), "dim"), Cell("" if process["pid"] is None else str(process["pid"])),
        Cell("" if cpu is None else f"{cpu:.0f} %"), Cell(text.size(states.memory(process))),
        Cell(str(process["restarts"]) if process["restarts"] else ""),
        Cell((since or "") if long else text.age(since, now), "dim"),
    ]  # fmt: skip
    if long:
        folder = text.home(process["cwd"], os.path.expanduser("~"))
        row += [
            Cell(folder, "dim"),
            Cell(" ".join(process["argv"]), "dim"),
            Cell((process["run_id"] or "")[:8], "dim"),
        ]
    return row


def start(context: Context) -> int:
    """Start processes."""
    return _each(
        context, "ProcessStart", "starting", asked=True, wait=context.args.wait, environment=_renewed(context)
    )


def stop(context: Context) -> int:
    """Stop processes; answers when nothing of them is left."""
    return _each(context, "ProcessStop", "stopping", grace_s=context.args.grace)


def suspend(context: Context) -> int:
    """Have processes stand still; answers when all of them do."""
    return _each(context, "ProcessSuspend", "suspending")


def resume(context: Context) -> int:
    """Let suspended processes go on."""
    return _each(context, "ProcessResume", "resuming")


def restart(context: Context) -> int:
    """Stop processes and start them again."""
    return _each(
        context, "ProcessRestart", "restarting", asked=True, wait=context.args.wait, environment=_renewed(context)
    )


def _renewed(context: Context) -> JsonObject | None:
    """Return this shell's environment where it is to take the place of the one that the process has."""
    return dict(os.environ) if context.args.refresh_env else None


def kill(context: Context) -> int:
    """SIGKILL processes."""
    return _each(context, "ProcessKill", "stopping")


def remove(context: Context) -> int:
    """Stop processes and forget them, with their logs."""
    return _each(context, "ProcessRemove", "stopping")


def _each(context: Context, command: str, doing: str, *, asked: bool = False, **fields: Json) -> int:
    """Send a command for each named process; one failure does not keep the others from it."""
    context.client(asked=asked)
    processes, wrong = names.processes(context, context.args.process)
    given = {name: value for name, value in fields.items() if value is not None}
    answers = many.send(context, command, processes, given, doing)
    worst = exits.OK
    records = []
    for answer in (*wrong, *answers.values()):
        if isinstance(answer, WezparallelError):
            complain(context, answer)
            worst = worst or exits.of(answer)
            continue
        record = answer.get("process") or answer
        records.append(record)
        if asked and record["state"] in ("failed", "backoff"):
            worst = worst or exits.FAILED
    if context.json:
        context.dump({"processes": records})
    return worst


def type_text(context: Context) -> int:
    """Type into a process, or with `*` in its name into all that run."""
    fields: JsonObject = {"enter": context.args.enter}
    words = " ".join(context.args.text)
    if words == "-":
        data = sys.stdin.buffer.read()
        fields["enter"] = False
        try:
            fields["text"] = data.decode("utf-8")
        except UnicodeDecodeError:
            fields |= {"text": base64.b64encode(data).decode("ascii"), "encoding": "base64"}
    else:
        fields["text"] = words
    if "*" in context.args.process:
        return _type_many(context, fields)
    process = names.process(context, context.args.process)
    reply = context.call("ProcessType", process=process["process_id"], **fields)
    if context.json:
        context.dump(reply)
    else:
        context.note(f"typed {text.plural(reply['bytes'], 'byte')} into {reply['process_id']}")
    return exits.OK


def _type_many(context: Context, fields: JsonObject) -> int:
    found, errors = names.processes(context, [context.args.process])
    if errors:
        raise errors[0]
    reply = context.call("ProcessTypeMany", processes=[one["process_id"] for one in found], **fields)
    if context.json:
        context.dump(reply)
        return exits.OK
    # What does not run was not meant; what runs and got nothing was.
    missed = [one for one in reply["refused"] if one["error"]["code"] != "process.not_running"]
    for one in missed:
        context.note(f"wezparallel: {one['error']['message']}")
    context.note(f"typed {text.plural(reply['bytes'], 'byte')} into {', '.join(reply['processes'])}")
    return exits.FAILED if missed else exits.OK
