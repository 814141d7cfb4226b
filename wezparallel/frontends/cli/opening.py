"""The lines of `up` while a workspace's processes start: one living line each, bounded in time.

The events are subscribed to before the command is sent, so that nothing which happens in between is missed.
"""

from __future__ import annotations

import time

from wezparallel.client import states, text
from wezparallel.frontends.cli.living import Living
from wezparallel.frontends.cli.render import Cell, Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.client.sync import Subscription
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject, Seconds

BOUND_S = 15.0  # a dev server that needs longer goes on without us
_COLUMNS = (
    Column(cut=""),
    Column(least=20),
    Column(least=7),
    Column(rank=1, least=12),
    Column(rank=2, right=True, cut=""),
)
_EVENT_STATES = frozenset({
    "starting", "running", "ready", "unhealthy", "suspended", "stopping", "stopped", "exited", "backoff", "failed",
})  # fmt: skip
_REFRESH_S = 0.1  # of the running clock in the first line


class Opening:
    """A workspace that comes up: its processes as they are known now."""

    def __init__(self, reply: JsonObject, processes: list[JsonObject], began: float) -> None:
        self.reply = reply
        self.processes = {one["process_id"]: one for one in processes}
        self._began = began
        self._took: dict[str, Seconds] = {}
        self._waits = {one["process_id"] for one in reply["processes"] if one["now"] in ("waits", "not_started")}
        for one in reply["processes"]:
            if one.get("error") and one["process_id"] in self.processes:
                self.processes[one["process_id"]]["reason"] = one["error"].get("message")
        self._note_times()

    @property
    def first(self) -> str | None:
        """Return the process of the first pane, where nothing else has the focus."""
        for tab in self.reply["plan"]["tabs"]:
            for pane in tab["panes"]:
                if pane["pane"] == tab["first"]:
                    return str(pane["process_id"])
        return next(iter(self.processes), None)

    @property
    def failed(self) -> list[str]:
        """Return the processes that did not come up; of what has left its template nobody asked for that."""
        return [
            name for name, one in self.processes.items()
            if one["state"] in ("failed", "backoff") and one.get("in_template") is not False
        ]  # fmt: skip

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing more is to be waited for."""
        return all(
            one["state"] in states.SETTLED or (one["state"] == "not_started" and name not in self._waits)
            for name, one in self.processes.items()
        )

    def is_up(self, process_id: str) -> bool:
        """Tell whether there is something to attach to."""
        process = self.processes.get(process_id)
        return process is not None and process["state"] in states.UP

    def take(self, event: JsonObject) -> None:
        """Follow one `process.*` event."""
        data = event["data"]
        process = self.processes.get(data["process_id"])
        if process is None:
            return
        verb = event["name"].rpartition(".")[2]
        state = verb if verb in _EVENT_STATES else data.get("state")
        if state:
            process["state"] = state
        for field in ("pid", "exit_code", "signal", "next_start_at", "reason"):
            process[field] = data.get(field)
        self._note_times()

    def lines(self, context: Context) -> list[str]:
        """Return the block as it is now."""
        now = context.now
        rows = []
        for name, one in self.processes.items():
            symbol, style = states.look(one)
            took = self._took.get(name)
            rows.append([
                Cell(symbol, style), Cell(one["name"]), Cell(states.word(one), style),
                Cell(states.why(one, now), "dim"),
                Cell(f"{took:.1f} s" if took is not None else "", "dim"),
            ])  # fmt: skip
        return context.screen.lines(_COLUMNS, rows, indent=2)

    def headline(self, context: Context, *, final: bool) -> str:
        """Return the first line: what is opened, how many of it are up, since when."""
        up = sum(1 for one in self.processes.values() if one["state"] in ("running", "ready"))
        template = self.reply["workspace"]["template"]
        name = self.reply["workspace"]["name"]
        left = name + (f" from {template.rpartition('/')[2]}" if template not in (None, name) else "")
        right = f"{up} of {len(self.processes)} up"
        if context.screen.is_terminal or final:
            right += f" · {time.monotonic() - self._began:.1f} s"
        room = min(context.screen.columns or 0, 78) - text.width(left) - text.width(right)
        return f"{context.screen.paint(left, 'bold')}{' ' * max(2, room)}{context.screen.paint(right, 'dim')}"

    def _note_times(self) -> None:
        for name, one in self.processes.items():
            if one["state"] in ("running", "ready") and name not in self._took:
                self._took[name] = time.monotonic() - self._began


def watch(
    context: Context, command: str, fields: JsonObject, show: Callable[[JsonObject], None] | None = None
) -> Opening:
    """Send the command and show its processes until each is up or down, for BOUND_S at most. Raises RequestError.

    `show` is given the reply before anything is waited for: what makes the panes that processes wait for.
    """
    with context.connect() as client:
        stream = client.subscribe(["process.*"])
        began = time.monotonic()
        reply = context.call(command, **fields)
        name = reply["workspace"]["name"]
        if show is not None:
            show(reply)
        known = context.call("WorkspaceGet", name=name)["processes"]
        opening = Opening(reply, known, began)
        wanted = reply.get("wanted_name")
        if wanted:
            context.note(f"the name {wanted} is taken by another folder; this workspace is called {name}")
        if context.json:
            _wait(opening, stream)
            return opening
        _show(context, opening, stream)
        return opening


def _wait(opening: Opening, stream: Subscription) -> None:
    until = time.monotonic() + BOUND_S
    while not opening.is_settled and (left := until - time.monotonic()) > 0:
        message = stream.next(left)
        if message and "Event" in message:
            opening.take(message["Event"])


def _show(context: Context, opening: Opening, stream: Subscription) -> None:
    until = time.monotonic() + BOUND_S
    terminal = context.screen.is_terminal and context.screen.colour
    with Living(context.screen) as block:
        while True:
            settled = opening.is_settled or time.monotonic() >= until
            if terminal:
                block.draw([opening.headline(context, final=settled), *opening.lines(context)])
            else:
                block.draw(opening.lines(context))
            if settled:
                break
            message = stream.next(_REFRESH_S)
            while message is not None:
                if "Event" in message:
                    opening.take(message["Event"])
                message = stream.next(0)
    if not terminal:
        context.screen.say(opening.headline(context, final=True))
    for name in opening.failed:
        context.note(f"why: wezparallel logs {name}")
