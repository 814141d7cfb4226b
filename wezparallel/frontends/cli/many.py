"""One command for several processes at once, and a living line for each while it takes.

Stopping ten programs that need five seconds each takes five seconds, not fifty. Each request has a connection of its
own; the answers come together here, in the one thread that draws.
"""

from __future__ import annotations

import queue
import threading
import time

from wezparallel.client import states, sync, text
from wezparallel.errors import WezparallelError
from wezparallel.frontends.cli.living import Living

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject, ProcessId

    Answer: TypeAlias = JsonObject | WezparallelError

AT_ONCE = 16
_QUIET_S = 0.3  # what is done before is not worth a line that lives
_REDRAW_S = 0.25


def send(
    context: Context, command: str, processes: list[JsonObject], fields: JsonObject, doing: str
) -> dict[ProcessId, Answer]:
    """Send `command` for each process; return the replies, or what went wrong, in the order of the processes."""
    path = context.client().path
    ids = [process["process_id"] for process in processes]
    waiting: queue.SimpleQueue[ProcessId] = queue.SimpleQueue()
    arrived: queue.SimpleQueue[tuple[ProcessId, Answer]] = queue.SimpleQueue()
    for process_id in ids:
        waiting.put(process_id)

    def work() -> None:
        with sync.Client(path) as client:
            while True:
                try:
                    process_id = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    arrived.put((process_id, client.call(command, {"process": process_id, **fields})))
                except WezparallelError as error:
                    arrived.put((process_id, error))

    for _ in range(min(AT_ONCE, len(ids))):
        threading.Thread(target=work, daemon=True).start()
    answers = _collect(context, ids, arrived, doing)
    return {process_id: answers[process_id] for process_id in ids}


def wait(context: Context, command: str, fields: JsonObject, doing: str) -> JsonObject:
    """Send one command that may take long; a living line says what is waited for, and goes. Raises what it raises."""
    path = context.client().path
    arrived: queue.SimpleQueue[JsonObject | WezparallelError] = queue.SimpleQueue()

    def work() -> None:
        with sync.Client(path) as client:
            try:
                arrived.put(client.call(command, fields))
            except WezparallelError as error:
                arrived.put(error)

    threading.Thread(target=work, daemon=True).start()
    screen = context.screen
    began = time.monotonic()
    with Living(screen, quiet=context.json or not (screen.is_terminal and screen.colour)) as block:
        while True:
            try:
                answer = arrived.get(timeout=_QUIET_S)
            except queue.Empty:
                spent = text.in_seconds(time.monotonic() - began)
                block.draw([f"{screen.paint('◐', 'dim')} {doing} {screen.paint(f'… {spent}', 'dim')}"])
                continue
            block.clear()
            break
    if isinstance(answer, WezparallelError):
        raise answer
    return answer


def _collect(
    context: Context, ids: list[ProcessId], arrived: queue.SimpleQueue[tuple[ProcessId, Answer]], doing: str
) -> dict[ProcessId, Answer]:
    answers: dict[ProcessId, Answer] = {}
    began = time.monotonic()
    moves = context.screen.is_terminal and context.screen.colour and not context.json
    with Living(context.screen, quiet=context.json) as block:
        while len(answers) < len(ids):
            try:
                process_id, answer = arrived.get(timeout=_REDRAW_S if answers or not moves else _QUIET_S)
                answers[process_id] = answer
            except queue.Empty:
                pass
            spent = time.monotonic() - began
            if moves and len(answers) < len(ids) and spent < _QUIET_S:
                continue
            lines = [line(context, one, answers.get(one), doing, spent) for one in ids if moves or one in answers]
            block.draw([one for one in lines if one])
    return answers


def line(context: Context, process_id: ProcessId, answer: Answer | None, doing: str, spent: float) -> str:
    """Return what is known of one request; empty for an error in a pipe, which goes to stderr."""
    screen = context.screen
    if answer is None:
        return f"{screen.paint('◐', 'dim')} {process_id} {screen.paint(f'{doing} … {text.in_seconds(spent)}', 'dim')}"
    if isinstance(answer, WezparallelError):
        return (
            f"{screen.paint('✗', 'bad')} {process_id} {screen.paint(answer.code, 'bad')}"
            if screen.is_terminal
            else ""
        )
    process = answer.get("process")
    if process is None:
        return f"○ {process_id} removed, with its log"
    symbol, style = states.look(process)
    words = [screen.paint(symbol, style), process_id, screen.paint(states.word(process), style)]
    if process["state"] in states.UP and process["pid"] is not None:
        words.append(screen.paint(f"pid {process['pid']}", "dim"))
    if process["state"] not in states.UP or process["state"] == "backoff":
        words.append(screen.paint(states.reason(process, context.now), "dim"))
    said = " ".join(word for word in words if word)
    return said if screen.columns is None or screen.colour else text.cut_end(said, screen.columns)
