"""Reads files in places of ours, whatever somebody has put there: a named pipe must not hold who reads.

Standard library only. Above: all that reads a file of the state or configuration directory, in the hub or a frontend.
"""

from __future__ import annotations

import errno
import os
import stat


def opened(path: str) -> int:
    """Open a file for reading; return its descriptor. Raises OSError, also for what is no regular file."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is not a regular file", path)
    return fd


def read(path: str, most: int = -1) -> bytes:
    """Return what a file holds, or its beginning. Raises OSError, also for what is no regular file."""
    with open(opened(path), "rb") as file:
        return file.read(most)


def put_aside(path: str, why: str) -> str:
    """Rename what lies in the place of a file, to a name that nothing has; return that. Raises OSError."""
    number, aside = 1, f"{path}.{why}"
    while os.path.lexists(aside):
        number += 1
        aside = f"{path}.{why}-{number}"
    os.rename(path, aside)
    return aside
