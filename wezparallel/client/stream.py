"""`attach` without a terminal: the process's output, byte for byte, to standard output until its run ends."""

from __future__ import annotations

import os
import select
import sys
import time

from wezparallel.client.ended import exit_code
from wezparallel.client.frames import FramesViewer
from wezparallel.errors import LinkError
from wezparallel.wire import frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.client.attach import Options


RECONNECT_S = 2.0  # a new keeper is up long before that


def run(options: Options) -> int:
    """Stream; return the program's exit code, 0 when it was removed or the reader went away."""
    offset = options.offset
    while True:
        with _connected(options, offset) as viewer:
            code = _follow(viewer)
        if code is not None:
            return code
        offset = viewer.offset  # the keeper re-executed itself: go on where it was


def _connected(options: Options, offset: int) -> FramesViewer:
    """Connect; one that was connected before waits a moment for the next keeper. Raises LinkError, RequestError."""
    until = time.monotonic() + RECONNECT_S
    while True:
        try:
            return FramesViewer.connect(options.process_id, offset, path=options.keeper_socket())
        except LinkError:
            if offset == options.offset or time.monotonic() > until:
                raise
            select.select([], [], [], 0.05)


def _follow(viewer: FramesViewer) -> int | None:
    """Write what comes; return the code to exit with, or None when the connection broke."""
    ended = viewer.last_exit
    if ended is not None and viewer.offset >= viewer.welcome.end:
        return exit_code(ended)
    for kind, count, _, data, fields in viewer:
        if kind == frames.DATA:
            if not _write(data):
                return 0
            if ended is not None and viewer.offset >= viewer.welcome.end:
                return exit_code(ended)
        elif kind == frames.EXITED:
            return exit_code(fields)
        elif kind == frames.LOST:
            sys.stderr.write(f"wezparallel: {count} bytes of output are lost\n")
        elif kind == frames.REMOVED:
            return 0
    return 1 if viewer.is_final else None


def _write(data: bytes) -> bool:
    """Write all of it; False when nobody reads any more."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(sys.stdout.fileno(), view) :]
    except BrokenPipeError:
        # Python flushes stdout at exit and would complain about the same thing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
