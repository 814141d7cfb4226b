"""The attach client as a job of the shell that started it: it is stopped and goes on, and runs programs of its own.

Below viewer.py. Of the terminal it needs no more than who is in its foreground.
"""

from __future__ import annotations

import os
import signal

from wezparallel.client import terminal

DEFAULTS = (signal.SIGPIPE, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


def stop(number: int = signal.SIGTSTP) -> bool:
    """Be stopped, as any program is that does not handle this signal, until told to go on.

    Returns False if nothing came of it: in a group that no shell looks after, the kernel stops nobody.
    """
    continued: list[int] = []
    before = signal.signal(number, signal.SIG_DFL)
    before_continued = signal.signal(signal.SIGCONT, lambda number, _: continued.append(number))
    try:
        os.kill(os.getpid(), number)
    finally:
        signal.signal(signal.SIGCONT, before_continued)
        signal.signal(number, before)
    return bool(continued)


def wait_for_foreground() -> bool:
    """Wait until this program may use its terminal, as any reader in the background does: stopped until `fg`.

    Returns False when that will never be.
    """
    while not terminal.is_foreground():
        if not stop(signal.SIGTTIN):
            return False
    return True


def go_to(folder: bytes) -> bool:
    """Make a folder ours; False when that cannot be."""
    try:
        os.chdir(folder)
    except OSError:
        return False
    return True


def run(command: list[str], environment: dict[str, str] | None = None) -> bool:
    """Run a program in our place and in our group, so that a stop is one for both; return whether it could begin.

    Whatever stops it stops us with it: else nobody would be left to take the terminal back.
    """
    try:
        pid = os.posix_spawnp(command[0], command, environment or dict(os.environ), setsigdef=DEFAULTS)
    except OSError:
        return False
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        _take_foreground(pid)
        if not os.WIFSTOPPED(status):
            return True
        stop()
        os.kill(pid, signal.SIGCONT)


def _take_foreground(pid: int) -> None:
    """Be in the foreground again if that program, which may have been a shell, had put itself there."""
    try:
        if os.tcgetpgrp(terminal.STDIN) not in {pid, 0} and _lives(os.tcgetpgrp(terminal.STDIN)):
            return  # it is ours, or a shell has it that sent us to the background
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            os.tcsetpgrp(terminal.STDIN, os.getpgrp())
        finally:
            signal.signal(signal.SIGTTOU, before)
    except OSError:
        return  # no terminal that has a foreground for us


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
