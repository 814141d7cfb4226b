"""`logs`: what a process wrote. From the hub while there is one, else straight from the log's folder.

Following is a read-only, gapless `frames` viewer of the keeper, so that nothing is missed and nothing is slowed.
"""

from __future__ import annotations

import base64
import difflib
import os
import select
import sys

from wezparallel import paths
from wezparallel.client import launch, sync
from wezparallel.errors import LinkError, RequestError
from wezparallel.frontends.cli import config, exits, names, states, text
from wezparallel.frontends.cli.output import Writer
from wezparallel.wire import frames, logformat
from wezparallel.wire.logreader import LogReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.client.frames import FramesViewer
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

DEFAULT_LINES = 100
_STREAMS = {logformat.STDOUT: "stdout", logformat.STDERR: "stderr", logformat.TTY: "tty"}


def logs(context: Context) -> int:
    """Write a process's log; with `--follow` go on."""
    lines, since = _wanted(context)
    if not context.args.socket and not launch.listens(context.socket):
        return _offline(context, lines, since)
    if context.args.lines is None and since is None:
        lines = int(config.option(context, "logs.lines", DEFAULT_LINES))
    process = names.process(context, context.args.process)
    process_id = process["process_id"]
    writer = _writer(context, process_id, lines if since is not None else 0)
    end = _read(context, process_id, writer, None if since is not None else lines, since)
    writer.finish(following=context.args.follow)
    if context.args.follow:
        try:
            _follow(context, process_id, writer, end)
        finally:
            writer.finish()
    elif not end and not context.json:
        context.note(f"{process_id} has written nothing yet ({states.word(process)})")
    return exits.OK


def _wanted(context: Context) -> tuple[int, str | None]:
    """Return how many last lines (0: all) and since when. Raises RequestError `command.bad_value`."""
    said = context.args.lines
    since = context.args.since
    if since is not None:
        text.moment(since, context.now)
    if said is None:
        return (0 if since is not None else DEFAULT_LINES), since
    if said == "all":
        return 0, since
    if not said.isdigit() or int(said) == 0:
        raise RequestError("command.bad_value", f"--lines takes a number or `all`, not '{said}'")
    return int(said), since


def _writer(context: Context, process_id: str, last_lines: int) -> Writer:
    args = context.args
    how = "json" if context.json else "raw" if args.raw else "times" if args.timestamps else ""
    out = sys.stdout.buffer

    def write(data: bytes) -> None:
        out.write(data)
        out.flush()

    return Writer(write, terminal=context.screen.colour, how=how, process_id=process_id, lines=last_lines)


def _read(context: Context, process_id: str, writer: Writer, lines: int | None, since: str | None) -> int:
    """Write what there is, reply by reply; return the offset behind it."""
    start: JsonObject = {"lines": lines} if lines else {"since": since} if since is not None else {}
    while True:
        try:
            reply = context.call("LogRead", process=process_id, stream=context.args.stream, **start)
        except RequestError as error:
            oldest = error.data.get("oldest")
            if error.code != "log.expired" or oldest is None:
                raise
            context.note("older output has expired")
            start = {"offset": oldest}
            continue
        for chunk in reply["chunks"]:
            data = chunk["text"].encode("utf-8")
            if chunk["encoding"] == "base64":
                data = base64.b64decode(chunk["text"])
            writer.piece(text.parse_time(chunk["at"]), chunk["offset"], chunk["stream"], data, chunk["run_id"])
        if reply["lost_bytes"]:
            context.note(f"{text.size(reply['lost_bytes'])} of output are lost here")
        if reply["next"] is None:
            return int(reply["end"])
        start = {"offset": reply["next"]}


def _follow(context: Context, process_id: str, writer: Writer, offset: int) -> None:
    """Go on with what comes, over restarts of the process and of the keeper; ends with its removal or Ctrl-C."""
    from wezparallel.client.frames import FramesViewer  # noqa: PLC0415  only this option needs it

    run_id: str | None = None
    while True:
        with FramesViewer.connect(process_id, offset, path=context.keeper_socket) as viewer:
            _wait_for_more(viewer)
            for kind, at, stream, data, fields in viewer:
                if kind == frames.DATA:
                    name = _STREAMS.get(stream, "tty")
                    if context.args.stream in (None, name):
                        writer.piece(context.now, at, name, data, run_id)
                elif kind == frames.STARTED:
                    run_id = fields.get("run_id")
                _note(context, process_id, kind, at, fields)
                _wait_for_more(viewer)
            offset = viewer.offset
            if viewer.is_final:
                return
        _wait_for_keeper(context)


def _note(context: Context, process_id: str, kind: int, count: int, fields: JsonObject) -> None:
    """Say what is no output: on stderr, so that a pipe gets the program's words alone."""
    if kind == frames.EXITED:
        how = states.how_it_ended(fields) or "ended"
        context.note(context.screen.paint(f"── {process_id} {how}, following goes on ──", "dim"))
    elif kind == frames.STARTED:
        context.note(context.screen.paint(f"── {process_id} started, pid {fields.get('pid')} ──", "dim"))
    elif kind == frames.LOST:
        context.note(f"wezparallel: {text.size(count)} of output are lost here")
    elif kind == frames.REMOVED:
        context.note(f"{process_id} was removed")


def _wait_for_more(viewer: FramesViewer) -> None:
    """Wait for the next frame. Raises BrokenPipeError when our reader goes away: a quiet log would not tell us."""
    if viewer.has_more:
        return
    out = sys.stdout.fileno()
    poll = select.poll()
    poll.register(out, 0)
    poll.register(viewer.fileno(), select.POLLIN)
    while True:
        ready = dict(poll.poll())
        if ready.get(out, 0) & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            raise BrokenPipeError
        if viewer.fileno() in ready:
            return


def _wait_for_keeper(context: Context) -> None:
    for _ in range(100):
        try:
            sync.connect(context.keeper_socket).close()
        except ConnectionError:
            sync.wait(0.1)
        else:
            return
    raise LinkError("the daemon went away; `wezparallel daemon start` starts it again")


# Without a daemon


def _offline(context: Context, lines: int, since: str | None) -> int:
    process_id = _stored(context.args.process)
    reader = LogReader(os, paths.log_dir(process_id))
    writer = _writer(context, process_id, lines if since is not None else 0)
    wanted = context.args.stream
    kind = next((kind for kind, name in _STREAMS.items() if name == wanted), None)
    if since is not None:
        start = reader.offset_at(int(text.moment(since, context.now) * 1000))
    else:
        start = reader.tail_lines(lines, kind) if lines else reader.start
    run_id = None
    try:
        for chunk in reader.chunks(start, reader.end):
            if chunk.kind == logformat.RUN:
                run_id = logformat.run_id_of(chunk.values)
            elif chunk.kind in _STREAMS and wanted in (None, _STREAMS[chunk.kind]):
                writer.piece(chunk.time_ms / 1000, chunk.offset, _STREAMS[chunk.kind], chunk.data, run_id)
    finally:
        reader.close()
    writer.finish()
    if context.args.follow:
        context.note("no daemon runs, so nothing more will come; `wezparallel daemon start` starts it")
    return exits.OK


def _stored(word: str) -> str:
    """Return the id of the process whose log a word names, by the folders there are. Raises RequestError."""
    try:
        folders = os.listdir(paths.logs_dir())
    except FileNotFoundError:
        folders = []
    known = sorted(_unescape(folder) for folder in folders)
    if word in known:
        return word
    found = [one for one in known if one.rpartition("/")[2] == word]
    if len(found) == 1:
        return found[0]
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
