"""Reads the daemon's JSON files, whatever lies in their places: a named pipe must not hold who looks.

Above: checks.py, init.py, show.py.
"""

from __future__ import annotations

import json
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read(path: str) -> Any:
    """Return what a file says. Raises OSError, also for what is no regular file, or ValueError."""
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is not a regular file")
        return json.loads(file.read())
