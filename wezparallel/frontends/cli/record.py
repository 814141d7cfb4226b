"""`record export`: a run of a process as a file that terminal players replay (asciicast, version 2)."""

from __future__ import annotations

import os
import sys

from wezparallel.client import text
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import Json, JsonObject


def record(context: Context) -> int:
    """Write a recording to a file, or to stdout."""
    process_id = names.process(context, context.args.process)["process_id"]
    target = context.args.output
    if target is None and not sys.stdout.isatty():
        target = "-"
    pages = _pages(context, process_id)
    first = next(pages)  # a refusal leaves no file
    if target == "-":
        sys.stdout.write(first["text"])
        for page in pages:
            sys.stdout.write(page["text"])
        return exits.OK
    path = target or f"{process_id.rpartition('/')[2]}-{first['run_id'][:8]}.cast"
    size = _write(path, first, pages)
    if context.json:
        context.dump({"process_id": process_id, "run_id": first["run_id"], "file": os.path.abspath(path)})
    else:
        run = first["run_id"][:8]
        context.note(f"{process_id}, run {run}: {path} ({text.size(size)}); `asciinema play` shows it")
    return exits.OK


def _pages(context: Context, process_id: str) -> Iterator[JsonObject]:
    cursor: Json = None
    while True:
        page = context.call("LogExport", process=process_id, run=context.args.run, cursor=cursor)
        yield page
        cursor = page["next"]
        if cursor is None:
            return


def _write(path: str, first: JsonObject, pages: Iterator[JsonObject]) -> int:
    """Write all pages; a file that cannot be finished does not stay. Raises RequestError."""
    part = f"{path}.part"
    size = 0
    try:
        with open(part, "w", encoding="utf-8", newline="") as file:
            size += file.write(first["text"])
            for page in pages:
                size += file.write(page["text"])
        os.replace(part, path)
    except OSError as error:
        _drop(part)
        raise RequestError(
            "command.bad_value", f"{path} cannot be written: {error.strerror}; name another file with -o", path=path
        ) from None
    except BaseException:
        _drop(part)
        raise
    return size


def _drop(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
