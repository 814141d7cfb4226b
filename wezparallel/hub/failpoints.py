"""Where a drill may kill the hub: a failpoint fires once for each time that it was armed by creating a file.

`WEZPARALLEL_FAILPOINTS` names the folder. Without it a failpoint costs one comparison.
"""

from __future__ import annotations

import os
import signal

_FOLDER = os.environ.get("WEZPARALLEL_FAILPOINTS")


def failpoint(name: str) -> None:
    """Kill this process with SIGKILL if the file `name` lies in the folder of failpoints; the file goes first."""
    if _FOLDER is None:
        return
    try:
        os.unlink(f"{_FOLDER}/{name}")
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
