"""Where a drill may kill the attach client: each step of handing a terminal over, of relaying it, of taking it back.

A point is armed by a file of its name in the folder `WEZPARALLEL_FAILPOINTS`, and fires once. C modules only.
"""

from __future__ import annotations

import posix

_FOLDER = posix.environ.get(b"WEZPARALLEL_FAILPOINTS")
_SIGKILL = 9


def fail_point(name: str) -> None:
    """Kill this program here if the point is armed."""
    if not _FOLDER:
        return
    try:
        posix.unlink(_FOLDER + b"/" + name.encode())
    except OSError:
        return
    posix.kill(posix.getpid(), _SIGKILL)
