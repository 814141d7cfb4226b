"""Handler of the screen command. What is drawn is drawn by a program of its own (hub/screens)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from wezparallel import paths
from wezparallel.hub.handlers import log
from wezparallel.protocol import screen as words

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub


async def screen(hub: Hub, command: words.ProcessScreen) -> words.Screen:
    """Return the picture of a process's screen."""
    process = hub.process(command.process)
    process_id = process.process_id
    memory = await log.in_memory(hub, process)
    told = await hub.screens.ask({
        "process_id": process_id, "folder": paths.log_dir(process_id), "format": command.format, "seen": command.seen,
        "memory": None if memory is None else base64.b64encode(memory).decode(),
    })  # fmt: skip
    cursor = words.ScreenCursor(**told.pop("cursor"))
    # Not validated: the program beside us is ours, and a screen may have thousands of spans.
    return words.Screen.model_construct(process_id=process_id, format=command.format, cursor=cursor, **told)
