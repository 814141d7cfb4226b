"""`python -m wezparallel.hub.screens`: draws screens for the hub, so that its loop never does.

A request a line on stdin, a reply a line on stdout, in their order. It ends when nobody has asked for a while, and
with the hub; the next question starts it again. Pictures of those last asked for are kept.
"""

from __future__ import annotations

import base64
import json
import os
import select
import sys
from collections import OrderedDict
from typing import Any

from wezparallel.errors import RequestError, WezparallelError
from wezparallel.hub.screens.replaying import Replay
from wezparallel.wire import screenshot
from wezparallel.wire.lines import LineReader
from wezparallel.wire.logmemory import MemoryFiles
from wezparallel.wire.logreader import LogReader

IDLE_S = 60.0
MOST_KEPT = 16
MOST_TOLD = 1000 * 1024  # bytes of a picture; with its frame it stays below a line's limit
MAX_REQUEST = 8 * 1024 * 1024  # a log in memory comes with the request


class Screens:
    """The pictures that are kept, the one asked for last at the end."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Replay] = OrderedDict()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the picture. Raises RequestError `log.expired` if nothing has run."""
        process_id, folder = request["process_id"], request["folder"]
        memory = request.get("memory")
        files: Any = os if memory is None else MemoryFiles.load(base64.b64decode(memory), folder)
        replay = self._kept.pop(process_id, None) or Replay()
        reader = LogReader(files, folder)
        try:
            if not replay.catch_up(reader, hasty=request.get("seen") is not None):
                raise RequestError(
                    "log.expired", f"{process_id} has no screen: it has not run yet, or its log has expired"
                )
        finally:
            reader.close()
        self._kept[process_id] = replay
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return _picture(
            replay, request["format"], is_known=not replay.began_anew and request.get("seen") == replay.offset
        )


def _picture(replay: Replay, form: str, *, is_known: bool) -> dict[str, Any]:
    terminal = replay.terminal
    row, column = terminal.cursor
    told: dict[str, Any] = {
        "run_id": replay.run_id, "rows": terminal.rows, "columns": terminal.columns,
        "cursor": {"row": row, "column": column, "visible": terminal.cursor_visible}, "title": terminal.title,
        "alternate": terminal.alternate, "offset": replay.offset, "whole": replay.is_whole,
    }  # fmt: skip
    if is_known:
        return told
    if form == "json":
        return told | {"lines": screenshot.lines(terminal)}
    draw = {"text": screenshot.text, "ansi": screenshot.ansi, "svg": screenshot.svg}[form]
    return told | {"text": draw(terminal)}


def reply(screens: Screens, request: dict[str, Any]) -> str:
    """Return the answer to a request, or why there is none, as a line."""
    try:
        said = json.dumps({"ok": screens.answer(request)}, ensure_ascii=False)
        if len(said.encode()) > MOST_TOLD:
            raise RequestError(
                "wire.too_long", "the picture would be over 1 MiB, so much colour is in it; ask for the format `text`"
            )
    except WezparallelError as error:
        return json.dumps({"error": error.to_json()})
    return said


def main() -> int:
    """Answer until nobody asks."""
    screens, incoming = Screens(), LineReader(MAX_REQUEST)
    while select.select([0], [], [], IDLE_S)[0]:
        data = os.read(0, 1 << 20)
        if not data:
            break
        for line in incoming.feed(data):
            sys.stdout.write(reply(screens, json.loads(line)) + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
