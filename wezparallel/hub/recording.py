"""A recording of one run (wire/asciicast.py), made page by page from a process's log.

A page's cursor says all that the next one needs, so nothing is kept between them: `run:offset:end:start:last:rows:
columns`, times in milliseconds. The end is that of the first page, so a run that goes on has a recording that ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from wezparallel.errors import RequestError
from wezparallel.wire import asciicast
from wezparallel.wire.logformat import RESIZE, RUN, run_id_of, run_values
from wezparallel.wire.logreader import Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wezparallel.wire.logreader import LogReader

PAGE_BYTES = 512 * 1024  # of a page as it is told; 1 MiB is the limit
CHUNK_BYTES = 16 * 1024  # of the log at once; as JSON within JSON it may be seven times as long


class Page(NamedTuple):
    """A part of a recording's text."""

    run_id: str
    text: str
    next: str | None


class Place(NamedTuple):
    """Where a page begins."""

    run_id: str
    offset: int
    end: int
    started_ms: int
    last_ms: int
    rows: int
    columns: int


def page(reader: LogReader, run_id: str | None, cursor: str | None, facts: dict[str, Any]) -> Page:
    """Return one page. Raises RequestError `command.bad_value`, `log.expired`."""
    if cursor is None:
        place = _beginning(reader, run_id)
        lines = [asciicast.header((place.rows, place.columns), place.started_ms, facts)]
    else:
        place, lines = _parse(cursor), []
    cast = asciicast.Cast(place.started_ms, place.last_ms, (place.rows, place.columns))
    size = len(lines)
    for chunk in reader.chunks(place.offset, place.end):
        for piece in _pieces(chunk):
            if size >= PAGE_BYTES:
                at = piece.offset - cast.held
                following = Place(place.run_id, at, place.end, place.started_ms, cast.last_ms, *cast.size)
                return Page(place.run_id, "".join(lines), ":".join(map(str, following)))
            line = cast.event(piece)
            size += _told_length(line)
            lines.append(line)
    lines.append(cast.finish())
    state = reader.state_at(place.end)
    if state.get(RUN) == run_values(place.run_id):  # a size that came after the last output
        lines.append(cast.event(Chunk(cast.last_ms, RESIZE, place.end, b"", state.get(RESIZE, cast.size))))
    return Page(place.run_id, "".join(lines), None)


def _beginning(reader: LogReader, run_id: str | None) -> Place:
    runs = reader.runs()
    wanted = run_values(run_id) if run_id else runs[-1][2] if runs else None
    for at, (offset, when, values) in enumerate(runs):
        if values == wanted:
            end = runs[at + 1][0] if at + 1 < len(runs) else reader.end
            rows, columns = reader.state_at(offset).get(RESIZE, asciicast.DEFAULT_SIZE)
            return Place(run_id_of(values), offset, end, when, when, rows, columns)
    known = [run_id_of(values) for _, _, values in runs]
    if run_id is None:
        raise RequestError("log.expired", "there is no run in the log; it has not run yet, or all has expired")
    raise RequestError(
        "log.expired", f"run {run_id} is not in the log; it has expired or never was; leave `run` out for the latest",
        runs=known[-50:],
    )  # fmt: skip


def _parse(cursor: str) -> Place:
    run_id, *numbers = cursor.split(":")
    try:
        if len(numbers) == len(Place._fields) - 1 and run_values(run_id):
            return Place(run_id, *map(int, numbers))
    except ValueError:
        pass
    raise RequestError("command.bad_value", "that is no cursor of a page; pass `next` as it came", field="cursor")


def _pieces(chunk: Chunk) -> Iterator[Chunk]:
    if len(chunk.data) <= CHUNK_BYTES:
        yield chunk
        return
    for at in range(0, len(chunk.data), CHUNK_BYTES):
        yield chunk._replace(offset=chunk.offset + at, data=chunk.data[at : at + CHUNK_BYTES])


def _told_length(line: str) -> int:
    """Return about how many bytes a line is within a reply."""
    return len(line.encode()) + line.count("\\") + line.count('"')
