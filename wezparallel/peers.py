"""Who is at the other end of a local socket: whether it still runs, and whether it lies in an agent's tree.

An agent's whole tree is known, whatever it does to its environment, session and parents, by a limit below the
keeper's own: inherited by all that it starts, never raised again without privilege. Linux counts nothing against it
since 2.6. The keeper sets the mark; keeper and hub read it.
"""

from __future__ import annotations

import errno
import os
import resource
import select
import socket

RLIMIT_LOCKS = 10  # Python does not name it
_HIGHEST = 1 << 62  # unlimited, as a number
_SO_PEERPIDFD = 77  # Linux 6.5; Python does not name it


def mark() -> int | None:
    """Return the limit that an agent's tree gets, lower than our own; None where there is no such limit."""
    own = _limit(0)
    return own - 1 if own else None


def is_marked(pid: int) -> bool:
    """Tell whether a process lies in the tree of an agent: its limit is lower than ours."""
    limit, own = _limit(pid), _limit(0)
    return limit is not None and own is not None and limit < own


def lives(connection: socket.socket) -> bool:
    """Tell whether the process that connected still runs; where the kernel cannot tell, its pid must do."""
    try:
        pidfd = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except ProcessLookupError:
        return False
    except OSError as error:
        return error.errno != errno.EINVAL  # reaped already (Linux before 6.16)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        return not poll.poll(0)
    finally:
        os.close(pidfd)


def _limit(pid: int) -> int | None:
    try:
        soft = resource.prlimit(pid, RLIMIT_LOCKS)[0]
    except (OSError, ValueError, AttributeError):
        return None
    return _HIGHEST if soft == resource.RLIM_INFINITY else min(soft, _HIGHEST)
