"""Rows as lines of text with styles, for a width. Pure; the widgets give styles their colours.

A column that would be empty is not drawn. Below 80 columns the figures go, at 40 only symbol, name and state stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from wezparallel.client import states, text
from wezparallel.frontends.tui.state import since

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wezparallel.frontends.tui.state import Row, World
    from wezparallel.types import JsonObject

Spans: TypeAlias = list[tuple[str, str]]
"""Text and the name of its style."""

WITH_FIGURES = 80
WITH_WHY = 56
WITH_PROGRAM = 120
WITH_PID = 160
_AGAIN = re.compile(r"again in [0-9.]+ (?:s|min)\b")
_BARS = "▁▂▃▄▅▆▇█"
_GAP = 2
_MARGIN = 4  # marker, symbol and their spaces


class Columns(NamedTuple):
    """How many columns each thing gets; 0 is not drawn."""

    width: int
    name: int
    state: int
    program: int = 0
    why: int = 0
    age: int = 0
    spark: int = 0
    cpu: int = 0
    memory: int = 0
    pid: int = 0


def columns(rows: Sequence[Row], world: World, width: int) -> Columns:
    """Share a width among what there is to show."""
    processes = [row.record for row in rows if row.kind == "process"]
    name = max((text.width(one["name"]) for one in processes), default=8)
    state = max((text.width(states.word(one)) for one in processes), default=8)
    if width < WITH_WHY:
        name = min(name, max(8, (width - _MARGIN - _GAP) * 11 // 20))
        return Columns(width, name, max(4, width - _MARGIN - _GAP - name))
    name, state = min(name, max(12, width // 5)), min(state, max(11, width // 5))
    program = cpu = memory = spark = pid = 0
    if width >= WITH_FIGURES:
        live = [one for one in processes if one.get("pid") is not None]
        has_cpu = any(one.get("cpu_percent") is not None or world.usage.get(one["process_id"]) for one in live)
        spark, cpu = (7 if width < WITH_PROGRAM else 14, 5 if width < WITH_PROGRAM else 6) if has_cpu else (0, 0)
        memory = 6 if any(states.memory(one) is not None for one in processes) else 0
    if width >= WITH_PROGRAM:
        program = min(12, max((text.width(states.program(one)) for one in processes), default=0))
    if width >= WITH_PID and any(one.get("pid") is not None for one in processes):
        pid = 8
    age = 4
    taken = sum(size + _GAP for size in (name, state, program, age, spark, cpu, memory, pid) if size)
    return Columns(width, name, state, program, max(0, width - _MARGIN - taken - _GAP), age, spark, cpu, memory, pid)


def line(
    row: Row, world: World, sizes: Columns, now: float, *, selected: bool = False, headed: bool = False
) -> Spans:
    """Return one line of the list; `headed` puts what the figures mean above them."""
    if row.kind == "workspace":
        return _title(row, sizes, headed=headed)
    process = row.record
    symbol, style = states.look(process)
    quiet = style == "dim"
    spans: Spans = [("▸ " if selected else "  ", "head"), (f"{symbol} ", style)]
    spans.append((_cell(text.clean(process["name"]), sizes.name), "dim" if quiet else ""))
    if sizes.program:
        spans.append((_cell(text.clean(states.program(process)), sizes.program), "dim"))
    word = text.clean(states.word(process))
    if not sizes.age:
        return [*spans, (text.cut_end(word, sizes.state), style)]
    spans.append((_cell(word, sizes.state), style))
    if sizes.why > 0:
        said = why(process, now)
        link = "link" if said.startswith(("http://", "https://")) else "dim" if quiet else ""
        often = _often(process)
        said = text.cut_end(said, max(0, sizes.why - len(often))) + often
        spans.append((_cell(said, sizes.why), link))
    spans.append((_cell(text.age(since(process), now), sizes.age, right=True), "dim"))
    if sizes.spark:
        spans.append((sparkline(world.usage.get(row.key, ()), sizes.spark) + " " * _GAP, "good"))
    runs = process.get("pid") is not None
    if sizes.cpu:
        used = process.get("cpu_percent") if runs else None
        spans.append((_cell("–" if used is None else f"{used:.0f} %", sizes.cpu, right=True), "dim" if quiet else ""))
    if sizes.memory:
        spans.append((_cell(text.size(states.memory(process)) or "–", sizes.memory, right=True), "dim"))
    if sizes.pid:
        spans.append((_cell(str(process["pid"]) if runs else "–", sizes.pid, right=True), "dim"))
    return spans


def why(process: JsonObject, now: float) -> str:
    """Return what stands beside the state: what it asks, why it is so, where it serves, else its command."""
    told = "" if process.get("notified") else states.reason(process, now)
    if not told and process["state"] == "ready" and process.get("health") and not process.get("notified"):
        told = str(process["health"])
    told = told or states.why(process, now)
    if process["state"] == "backoff" and process.get("next_start_at"):
        left_s = text.parse_time(process["next_start_at"]) - now
        told = _AGAIN.sub(f"again in {text.in_seconds(left_s)}", told)  # the hub said it when that began
    return text.clean(" ".join(told.split()))


def _often(process: JsonObject) -> str:
    """Return how often it was restarted by itself."""
    return f" · {process['restarts']}×" if process.get("restarts") else ""


def sparkline(samples: Sequence[float | None], width: int) -> str:
    """Return the last samples as bars; the highest bar is one core, or more if more was used."""
    last = list(samples)[-width:]
    top = max(100.0, *(one or 0.0 for one in last), 0.0)
    bars = "".join(" " if one is None else _BARS[min(7, int(one / top * 8))] for one in last)
    return bars.rjust(width)


def waiting_lines(processes: Sequence[JsonObject], width: int, now: float) -> list[Spans]:
    """Return a line for each of those who need a person."""
    names = max((text.width(one["process_id"]) for one in processes), default=0)
    return [_waiting_line(one, min(names, max(10, (width - 2) * 2 // 5)), width, now) for one in processes]


def _waiting_line(process: JsonObject, name_width: int, width: int, now: float) -> Spans:
    symbol, style = states.look(process)
    name = text.clean(process["process_id"])
    age = text.age(since(process), now)
    told = process["notified"]["text"] if process.get("notified") else f"{states.word(process)}, {why(process, now)}"
    spans: Spans = [(f"{symbol} ", style), (_cell(name, name_width), "bold"), (_cell(age, 4, right=True), "dim")]
    left = width - 2 - name_width - 4 - 2 * _GAP
    if left > 3:
        spans.append((text.cut_end(text.clean(told), left), ""))
    return spans


def spread(left: Spans, right: Spans, width: int) -> Spans:
    """Return a line with something at both ends; what does not fit goes from the end of the left one."""
    room = width - sum(text.width(said) for said, _ in right)
    shown: Spans = []
    for said, style in left:
        cut = text.cut_end(said, max(0, room))
        if cut:
            shown.append((cut, style))
        room -= text.width(cut)
    return [*shown, (" " * max(0, room), ""), *right]


def _title(row: Row, sizes: Columns, *, headed: bool) -> Spans:
    record = row.record
    spans: Spans = [(f" {text.clean(record['name'])}", "head" if record["open"] else "dim")]
    heads = _heads(sizes) if headed else ""
    room = sizes.width - text.width(spans[0][0]) - len(heads)
    notes = _notes(row)
    if len(notes) + 3 > room:
        notes = ""
    folder = text.clean(str(record.get("shown_root") or ""))
    left = room - (len(notes) + 3 if notes else 0) - 2
    shown = text.cut_middle(folder, left) if folder and left > 12 else ""
    rest = (f"  {shown}" if shown else "") + (f" · {notes}" if notes else "")
    spans.append((text.pad(rest, room) if heads else rest, "dim"))
    return [*spans, (heads, "dim")]


def _notes(row: Row) -> str:
    """Return what is worth saying of a workspace."""
    if not row.record["open"]:
        return "closed"
    up = [one for one in row.members if one["state"] in states.UP]
    if row.record.get("root") and up and not any(one.get("viewers") for one in up):
        return "not on screen"
    return ""


def _heads(sizes: Columns) -> str:
    """Return the words above the figures, as wide as these."""
    heads = "".join(
        _cell(word, size, right=True)
        for word, size in (("cpu", sizes.cpu), ("mem", sizes.memory), ("pid", sizes.pid))
        if size
    )
    return heads + " " * _GAP * bool(heads)


def _cell(said: str, size: int, *, right: bool = False) -> str:
    """Return a text cut and filled, with the gap to what follows."""
    cut = text.pad(text.cut_end(said, size), size, right=right)
    return cut + " " * _GAP
