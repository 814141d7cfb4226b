"""Tells the keeper of the terminal on which a process will be shown as soon as it runs. Nobody writes it down.

Above: the handlers of what starts something for a caller who goes there at once. Without it a program would begin in
24 rows and the usual TERM, and learn of its real terminal when the viewer comes, a moment too late for many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.hub.pool.telling import alive
from wezparallel.keeper import messages

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process
    from wezparallel.protocol.terminal import Terminal


def expect(hub: Hub, process: Process | None, terminal: Terminal | None) -> None:
    """Have the next run of a process begin in this terminal; to be called before that run is wanted."""
    if process is None or terminal is None or not process.settings.tty or alive(process.run):
        return
    hub.spares.shown_on(process, terminal)
    message = {
        "m": messages.RESERVE, "process_id": process.process_id,
        "size": [terminal.rows, terminal.columns, terminal.x_pixels, terminal.y_pixels],
        "facts": {
            "TERM": terminal.term, "COLORTERM": terminal.colorterm, "TERM_PROGRAM": terminal.term_program,
            "TERM_PROGRAM_VERSION": terminal.term_program_version,
        },
    }  # fmt: skip
    # Behind what makes it known, before what starts it: these wait for the same commit, in this order.
    hub.store.when_committed(hub.store.ticket(), lambda: hub.link.send(message))
