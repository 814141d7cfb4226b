"""`attach` without a terminal: the process's output, byte for byte, to standard output until its run ends."""

from __future__ import annotations

import os
import sys

from wezparallel.client.ended import exit_code
from wezparallel.client.frames import FramesViewer
from wezparallel.wire import frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.client.attach import Options


def run(options: Options) -> int:
    """Stream; return the program's exit code, 0 when it was removed or the reader went away."""
    with FramesViewer.connect(options.process_id, options.offset, path=options.keeper_socket()) as viewer:
        if viewer.last_exit is not None and viewer.offset >= viewer.welcome.end:
            return exit_code(viewer.last_exit)
        ended = viewer.last_exit
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
        sys.stderr.write("wezparallel: the keeper went away; attach again\n")
        return 1


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
