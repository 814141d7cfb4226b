"""`logs`: what processes wrote. From the hub while there is one, else straight from the logs' folders.

One log goes out as it came. Several, or what `--grep` finds, go out line by line, in the order of their times, each
behind a name. Following is log_following.py's.
"""

from __future__ import annotations

import difflib
import fnmatch
import heapq
import os
import sys

from wezparallel import paths
from wezparallel.client import launch, states, text
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import config, exits, log_lines, names
from wezparallel.frontends.cli.log_reading import HubLog, Piece, StoredLog, Wanted
from wezparallel.frontends.cli.output import Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject, ProcessId

DEFAULT_LINES = 100
_QUIET_S = 0.7  # a line without an end is shown after so long: it may be a question


def logs(context: Context) -> int:
    """Write logs; with `--follow` go on."""
    args = context.args
    if args.follow and args.until is not None:
        raise RequestError("command.bad_value", "`--until` ends where `--follow` would go on; take one of them")
    for said in (args.since, args.until):
        if said is not None:
            text.moment(said, context.now)
    grep = log_lines.pattern(args.grep, ignore_case=args.ignore_case)
    if not args.socket and not launch.listens(context.socket):
        found = [StoredLog(context, one, _wanted(context, DEFAULT_LINES)) for one in _stored(context)]
        _print(context, found, grep)
        if args.follow:
            context.note("no daemon runs, so nothing more will come; `wezparallel daemon start` starts it")
        return exits.OK
    processes = _chosen(context)
    wanted = _wanted(context, None)
    _print(context, [HubLog(context, one["process_id"], wanted) for one in processes], grep, processes)
    return exits.OK


def _print(
    context: Context,
    found: Sequence[HubLog | StoredLog],
    grep: re.Pattern[str] | None,
    processes: Sequence[JsonObject] = (),
) -> None:
    if len(found) == 1 and grep is None and not _is_open(context):
        _print_one(context, found[0], processes)
    else:
        _print_lines(context, found, grep, processes)


# Who is meant


def _is_open(context: Context) -> bool:
    """Tell whether somebody may join those whose logs are read."""
    words = context.args.process
    return context.args.all or not words or any(word.endswith("/") or "*" in word for word in words)


def _chosen(context: Context) -> list[JsonObject]:
    """Return the processes whose logs are read. Raises RequestError."""
    args = context.args
    if args.all:
        return context.processes()
    words = args.process
    if not words:
        here = names.workspace_of(context, os.getcwd())
        if here is None:
            raise RequestError(
                "command.bad_value", "which process? This folder is no workspace's; name one, or take `--all`"
            )
        words = [here["name"] + "/"]
    found, wrong = names.processes(context, words)
    if wrong:
        raise wrong[0]
    return found


def _stored(context: Context) -> list[ProcessId]:
    """Return whose logs are read, by the folders there are. Raises RequestError."""
    try:
        folders = os.listdir(paths.logs_dir())
    except FileNotFoundError:
        folders = []
    known = sorted(_unescape(folder) for folder in folders)
    words = context.args.process
    if context.args.all:
        return known
    if not words:
        raise RequestError("command.bad_value", "no daemon runs: name a process, or take `--all`")
    return list(dict.fromkeys(one for word in words for one in _stored_as(known, word)))


def _stored_as(known: list[ProcessId], word: str) -> list[ProcessId]:
    if word in known:
        return [word]
    if "*" in word or word.endswith("/"):
        pattern = word + "*" if word.endswith("/") else word if "/" in word else "*/" + word
        many = [one for one in known if fnmatch.fnmatchcase(one, pattern)]
        if many:
            return many
    found = [one for one in known if one.rpartition("/")[2] == word]
    if len(found) == 1:
        return found
    if found:
        raise RequestError(
            "process.not_found", f"'{word}' means more than one process; say which: {', '.join(found)}", ids=found
        )
    near = difflib.get_close_matches(word, known, n=1) or difflib.get_close_matches(
        word, [one.rpartition("/")[2] for one in known], n=1
    )
    hint = f"did you mean {near[0]}?" if near else "no daemon runs; `wezparallel daemon start` starts it"
    raise RequestError("process.not_found", f"there is no log of '{word}'; {hint}", process=word)


def _unescape(folder: str) -> str:
    if folder.startswith("%2E"):
        folder = "." + folder[3:]
    return folder.replace("%2F", "/").replace("%25", "%")


# Which part


def _last(context: Context, usual: int | None) -> int:
    """Return how many last lines are wanted, 0 for all; `usual` where nothing is said, else what the settings say.

    Raises RequestError `command.bad_value`.
    """
    said = context.args.lines
    if said is None:
        if context.args.since is not None:
            return 0
        return usual if usual is not None else int(config.option(context, "logs.lines", DEFAULT_LINES))
    if said == "all":
        return 0
    if not said.isdigit() or int(said) == 0:
        raise RequestError("command.bad_value", f"--lines takes a number or `all`, not '{said}'")
    return int(said)


def _wanted(context: Context, usual: int | None) -> Wanted:
    """Return what is read of each log; `--grep` looks at all of it."""
    args = context.args
    args.last = _last(context, usual)
    lines = 0 if args.grep is not None else args.last
    return Wanted(lines, args.since, args.until, args.stream)


# Out


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _how(context: Context) -> str:
    args = context.args
    return "json" if context.json else "raw" if args.raw else "times" if args.timestamps else ""


def _print_one(context: Context, log: HubLog | StoredLog, processes: Sequence[JsonObject]) -> None:
    args = context.args
    writer = Writer(
        _write, terminal=context.screen.colour, how=_how(context), process_id=log.process_id,
        lines=args.last if args.since is not None else 0,
    )  # fmt: skip
    for piece in log.pieces():
        writer.piece(piece.at, piece.offset, piece.stream, piece.data, piece.run_id)
    if not processes:
        writer.finish()
        return
    writer.finish(following=args.follow)

    def take(piece: Piece) -> None:
        if args.stream in (None, piece.stream):
            writer.piece(piece.at, piece.offset, piece.stream, piece.data, piece.run_id)

    if args.follow and isinstance(log, HubLog):
        from wezparallel.frontends.cli.log_following import Following  # noqa: PLC0415  only this option needs it

        try:
            Following(context, take, lambda: None).follow([log])
        finally:
            writer.finish()
    elif not log.end and not context.json:
        context.note(f"{log.process_id} has written nothing yet ({states.word(processes[0])})")


def _print_lines(
    context: Context,
    logs: Sequence[HubLog | StoredLog],
    grep: re.Pattern[str] | None,
    processes: Sequence[JsonObject],
) -> None:
    args = context.args
    writer = log_lines.LineWriter(
        _write, how=_how(context), terminal=context.screen.colour, grep=grep, last=args.last
    )  # fmt: skip
    if len(logs) > 1 or _is_open(context):
        writer.name(sorted(log.process_id for log in logs))
    follows = args.follow and bool(processes)
    begun = {log.process_id: log_lines.Lines() for log in logs} if follows else {}
    every = [log_lines.cut(log.pieces(), begun.get(log.process_id)) for log in logs]
    for line in heapq.merge(*every, key=lambda line: line.at):
        writer.line(line)
    writer.end_of_past()
    if follows:
        _follow_lines(context, writer, begun, [log for log in logs if isinstance(log, HubLog)])
    elif not writer.has_written and not context.json:
        asked = grep is not None or args.since or args.until
        context.note("nothing like that is in the log" if asked else "nothing was written yet")


def _follow_lines(
    context: Context,
    writer: log_lines.LineWriter,
    begun: dict[ProcessId, log_lines.Lines],
    logs: Sequence[HubLog],
) -> None:
    from wezparallel.frontends.cli.log_following import Following  # noqa: PLC0415  only this option needs it

    last: dict[ProcessId, float] = {}

    def take(piece: Piece) -> None:
        if context.args.stream in (None, piece.stream):
            last[piece.process_id] = piece.at
            for line in begun.setdefault(piece.process_id, log_lines.Lines()).feed(piece):
                writer.line(line)

    def flush(quiet_s: float = _QUIET_S) -> None:
        for process_id, lines in begun.items():
            if context.now - last.get(process_id, 0) >= quiet_s:
                for line in lines.finish():
                    writer.line(line)

    def join() -> list[ProcessId]:
        found = [one["process_id"] for one in _chosen(context)]
        writer.name(sorted(found))
        return found

    try:
        Following(context, take, flush).follow(logs, join if _is_open(context) else None)
    finally:
        flush(0)
