"""`top`: a living table of what runs and what it uses; into a pipe one table.

Figures come every two seconds while it looks (`metric.sampled`), changes of state as they happen.
"""

from __future__ import annotations

import os
import select
import shutil
import sys
import termios
import time
import tty

from wezparallel.client import states, text
from wezparallel.frontends.cli import exits, names
from wezparallel.frontends.cli.living import WholeScreen
from wezparallel.frontends.cli.render import Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_COLUMNS = (
    Column(cut=""), Column("process", least=16), Column("state", least=7),
    Column("cpu", rank=1, right=True, cut=""), Column("memory", rank=2, right=True, cut=""),
    Column("why", rank=5, least=12), Column("pid", rank=4, right=True, cut=""),
    Column("since", rank=3, right=True, cut=""),
)  # fmt: skip
SORTS = ("cpu", "memory", "need", "name")
_TICK_S = 1.0  # ages move on
_LEAST_S = 0.2  # between two looks at a storm of events
_KEYS = {
    b"q": "quit",
    b"\x03": "quit",
    b"\x1b": "quit",
    b"s": "sort",
    b"\x1b[A": "up",
    b"\x1b[B": "down",
    b"\x1bOA": "up",
    b"\x1bOB": "down",
    b"k": "up",
    b"j": "down",
    b"\x1b[5~": "page_up",
    b"\x1b[6~": "page_down",
}


class Table:
    """What is shown, how it is sorted, which part of it."""

    def __init__(self, processes: list[JsonObject]) -> None:
        self.sort = SORTS[0]
        self.first = 0
        """Number of the first row on the screen."""
        self.processes = processes

    def press(self, key: str, page: int) -> None:
        """Sort otherwise, or scroll."""
        if key == "sort":
            self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]
            self.first = 0
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        self.first += steps.get(key, 0)

    def sorted(self) -> list[JsonObject]:
        """Return the processes in the order that is asked for; what is equal, by name."""
        return sorted(self.processes, key=lambda one: (self._rank(one), one["process_id"]))

    def _rank(self, process: JsonObject) -> float:
        if self.sort == "cpu":
            return -(_cpu(process) or 0.0)
        if self.sort == "memory":
            return -(states.memory(process) or 0)
        return states.need(process)[0] if self.sort == "need" else 0

    def lines(self, context: Context, room: int | None) -> list[str]:
        """Return the headline, the table and the hint, in at most `room` lines."""
        rows = [_row(one, context.now) for one in self.sorted()]
        table = context.screen.lines(_COLUMNS, rows, widest=0)
        if not table:
            table = ["Nothing runs yet; `wezparallel up` opens a workspace."]
        head, body = (table[:1], table[1:]) if rows else ([], table)
        left = self.headline()
        if room is None:
            return [left, "", *head, *body]
        fits = max(1, room - 3 - len(head))
        self.first = max(0, min(self.first, len(body) - fits))
        shown = body[self.first : self.first + fits]
        more = f"{self.first + 1}–{self.first + len(shown)} of {len(body)} · ↑↓ " if len(shown) < len(body) else ""
        hint = f"{more}s sort ({self.sort}) · q quit"
        columns = context.screen.columns or 80
        paint = context.screen.paint
        return [
            paint(text.cut_end(left, columns), "bold"), "", *head, *shown,
            paint(text.cut_end(hint, columns), "dim"),
        ]  # fmt: skip

    def headline(self) -> str:
        """Return the sums."""
        live = [one for one in self.processes if one["pid"] is not None]
        cpu = [known for one in live if (known := _cpu(one)) is not None]
        memory = [known for one in live if (known := states.memory(one)) is not None]
        parts = [f"{len(live)} of {len(self.processes)} run"]
        if cpu:
            parts.append(f"cpu {sum(cpu):.0f} %")
        if memory:
            parts.append(f"mem {text.size(sum(memory))}")
        return " · ".join(parts)


def top(context: Context) -> int:
    """Show it until `q`; into a pipe, or as JSON, once."""
    name = context.args.workspace
    if name is not None:
        name = names.workspace(context, name)["name"]
    table = Table(context.processes(name))
    if context.json:
        context.dump({"processes": table.sorted()})
    elif not context.interactive or not context.screen.colour:
        for line in table.lines(context, None):
            context.screen.say(line)
    else:
        _live(context, table, name)
    return exits.OK


def _live(context: Context, table: Table, name: str | None) -> None:
    stdin = sys.stdin.fileno()
    before = termios.tcgetattr(stdin)
    with context.connect() as client, WholeScreen(context.screen) as screen:
        try:
            tty.setcbreak(stdin)
            stream = client.subscribe(["process.*", "metric.sampled"])
            looked = time.monotonic()
            while True:
                size = shutil.get_terminal_size()
                context.screen.columns = size.columns
                screen.draw(table.lines(context, size.lines))
                ready, _, _ = select.select([stdin, client], [], [], _TICK_S)
                if stdin in ready:
                    key = _KEYS.get(os.read(stdin, 16), "")
                    if key == "quit":
                        return
                    table.press(key, max(1, size.lines - 5))
                    continue
                changed = False
                while client in ready and stream.next(0) is not None:
                    changed = True
                if changed and time.monotonic() - looked < _LEAST_S:
                    select.select([stdin], [], [], _LEAST_S)
                if changed:
                    table.processes = context.processes(name)
                    looked = time.monotonic()
        finally:
            termios.tcsetattr(stdin, termios.TCSADRAIN, before)


def _row(process: JsonObject, now: float) -> list[Cell]:
    symbol, style = states.look(process)
    cpu = _cpu(process)
    return [
        Cell(symbol, style), Cell(process["process_id"]), Cell(states.word(process), style),
        Cell("" if cpu is None else f"{cpu:.0f} %"), Cell(text.size(states.memory(process))),
        Cell(states.why(process, now), "dim"), Cell("" if process["pid"] is None else str(process["pid"])),
        Cell(text.age(states.since(process), now), "dim"),
    ]  # fmt: skip


def _cpu(process: JsonObject) -> float | None:
    return process.get("cpu_percent") if process["pid"] is not None else None
