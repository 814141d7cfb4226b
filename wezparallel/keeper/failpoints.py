"""Points at which a drill has a viewer's client killed, between two steps of handing a terminal over or back.

A point is armed by a file of its name in the folder that `WEZPARALLEL_FAILPOINTS` names, and works once. Nothing here
is on the way of output or keys.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress

_FOLDER = os.environ.get("WEZPARALLEL_FAILPOINTS", "")


def kill_at(name: str, pid: int) -> None:
    """Kill the client here if the point is armed."""
    if not _FOLDER:
        return
    with suppress(OSError):
        os.unlink(f"{_FOLDER}/{name}")
        os.kill(pid, signal.SIGKILL)
