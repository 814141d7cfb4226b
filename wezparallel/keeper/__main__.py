"""The keeper's start: one per runtime directory, everything imported before it works, then the loop.

    python -m wezparallel.keeper [--foreground]

It daemonises nothing by itself: client/launch.py starts it in a session and scope of its own. Without `--foreground`
its own output goes to keeper.log.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from contextlib import suppress

from wezparallel import paths
from wezparallel.errors import LinkError
from wezparallel.keeper import handover
from wezparallel.keeper.child import take_surroundings
from wezparallel.keeper.door import Door
from wezparallel.keeper.keeper import Keeper
from wezparallel.keeper.listeners import prepare_runtime_dir, take_lock
from wezparallel.keeper.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.keeper.child import Surroundings

TAKEN = 75  # exit code: another keeper holds this runtime directory
_PR_SET_CHILD_SUBREAPER = 36
_OURS = ("WEZPARALLEL_RUN", "WEZPARALLEL_PROCESS", "WORKSPACE")


def main(argv: list[str]) -> int:
    """Run the keeper; return its exit code."""
    carried = handover.carried_by(argv)
    if "--check" in argv:
        return handover.check(carried)
    if carried is None:
        try:
            prepare_runtime_dir()
            lock = take_lock()
            if lock is None:
                sys.stderr.write(f"a keeper runs already in {paths.runtime_dir()}\n")
                return TAKEN
            keeper = _begin(argv, take_surroundings)
            keeper.listeners.open(lock)
            keeper.start_hub()
        except LinkError as error:
            sys.stderr.write(error.message + "\n")
            return 1
    else:
        try:
            keeper = _begin(argv, lambda: take_surroundings(carried.get("umask"), carried.get("soft")))
            handover.resume(keeper, carried)
        except Exception as error:
            handover.go_back(carried, error)
            raise
    Door(keeper)
    keeper.loop.on_signal(signal.SIGCONT, keeper.listeners.keep)  # after a suspension much may have changed in /tmp
    keeper.listeners.keep()
    _give_memory_back()
    keeper.loop.run()
    keeper.loop.close()
    return 0


def _begin(argv: list[str], surroundings: Callable[[], Surroundings]) -> Keeper:
    """Return a keeper that holds nothing yet."""
    _settle("--foreground" in argv)
    loop = Loop()
    keeper = Keeper(loop, surroundings())
    loop.on_signal(signal.SIGCHLD, keeper.reap)
    loop.on_signal(signal.SIGTERM, keeper.may_end)
    loop.on_signal(signal.SIGINT, keeper.may_end)
    return keeper


def _settle(foreground: bool) -> None:
    """Leave nothing of where we were started: directory, names of a run, signals of a terminal, its descriptors."""
    for name in _OURS if "WEZPARALLEL_RUN" in os.environ else ():
        os.environ.pop(name, None)
    for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    while null < 3:  # pipes of children must not land on 0 to 2
        null = os.dup(null)
    os.dup2(null, 0)
    with suppress(OSError):  # a successor that finds a full or broken disk goes on without words, but it goes on
        os.makedirs(paths.state_dir(), 0o700, exist_ok=True)
        if not foreground:
            log = os.open(paths.own_log("keeper"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
    os.close(null)
    os.chdir("/")
    # Orphans of our trees come to us, so that a tree can be seen to be empty and nothing stays a zombie.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _give_memory_back() -> None:
    """Return to the system what imports and compiled patterns needed only for a moment (0.6 MB with glibc)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
