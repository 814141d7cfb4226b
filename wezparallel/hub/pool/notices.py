"""What a process asks to be looked at with, from the moment that it asks until somebody looks or types.

It asks by `wezparallel notify`, or as any program does: by its terminal's bell, by OSC 9 or OSC 777.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wezparallel.hub.state.model import rfc3339
from wezparallel.keeper.messages import ANSWERED

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process


def put(hub: Hub, process: Process, text: str) -> None:
    """Write down what it says; an empty text takes it back."""
    # One line of a list: what moves the cursor in somebody's terminal has no place in it.
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if not line:
        clear(hub, process)
        return
    run_id = process.run.run_id if process.run is not None else None
    process.notified = {"text": line, "at": rfc3339(hub.now_ms()), "run_id": run_id}
    hub.store.put_process(process)
    _tell(hub, process, line)


def from_keeper(hub: Hub, message: dict[str, Any]) -> None:
    """Take a bell or a notification for a notice, or that somebody typed for its end."""
    process = hub.state.processes.get(message["process_id"])
    if process is None or process.removed:
        return
    if message["m"] == ANSWERED:
        clear(hub, process)
        return
    text = ": ".join(part for part in (message["title"], message["text"]) if part)
    if text or process.notified is None:  # a bell says less than what stands there
        put(hub, process, text or "rang the bell")


def clear(hub: Hub, process: Process) -> None:
    """Somebody looked, or typed."""
    if process.notified is not None:
        process.notified = None
        hub.store.put_process(process)
        _tell(hub, process, None)


def _tell(hub: Hub, process: Process, text: str | None) -> None:
    run = process.run
    hub.bus.publish(
        "process.notified",
        {"process_id": process.process_id, "workspace": process.workspace, "run_id": run.run_id if run else None,
         "state": process.state, "text": text},
    )  # fmt: skip
