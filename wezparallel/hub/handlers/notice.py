"""Handlers of `ProcessNotify`: a process asks to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.hub.handlers import process as processes
from wezparallel.hub.pool import notices
from wezparallel.protocol import process as words

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted


def notify(hub: Hub, command: words.ProcessNotify) -> Accepted:
    """Write down what it says, or that it says nothing any more."""
    process = hub.process(command.process)
    notices.put(hub, process, command.text)
    return {"process_id": process.process_id}


async def notified(hub: Hub, _command: words.ProcessNotify, accepted: Accepted) -> words.ProcessNotified:
    """Answer with the record."""
    return words.ProcessNotified(process=processes.record(hub, processes.accepted_one(hub, accepted)))
