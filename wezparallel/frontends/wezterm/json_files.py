"""Reads the daemon's JSON files, whatever lies in their places: a named pipe must not hold who looks.

Above: checks.py, init.py, show.py.
"""

from __future__ import annotations

import json

from wezparallel import regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read(path: str) -> Any:
    """Return what a file says. Raises OSError, also for what is no regular file, or ValueError."""
    return json.loads(regular.read(path))
