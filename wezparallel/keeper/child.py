"""Makes one child: on a terminal or on pipes, by posix_spawn, without a shell in between; reads its exit.

It knows the kernel's ways (sessions, controlling terminals, inherited signals and limits) and nothing of processes,
runs or links. What differs on macOS would be here: there opening a terminal does not make it the controlling one.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import termios
from contextlib import contextmanager, suppress

from wezparallel.errors import RequestError
from wezparallel.keeper import limits
from wezparallel.keeper.processes import set_size
from wezparallel.keeper.tree import start_of
from wezparallel.peers import RLIMIT_LOCKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_SPARE = 40  # descriptors that are always left: for logs, links and looks at /proc
_IUTF8 = 0o40000  # not in `termios`: the terminal erases whole characters
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_SIGNALS = sorted(number for number in signal.valid_signals() if number not in {signal.SIGKILL, signal.SIGSTOP})


class Child:
    """A started program: pid, start time and our ends of its terminal or pipes; -1 where there is none."""

    __slots__ = ("master", "pid", "slave", "start", "stderr", "stdin", "stdout")

    def __init__(self) -> None:
        self.pid = 0
        self.start = 0
        self.master = self.slave = self.stdin = self.stdout = self.stderr = -1

    def close(self) -> None:
        """Close our ends, when the program could not be started."""
        for fd in (self.master, self.slave, self.stdin, self.stdout, self.stderr):
            if fd >= 0:
                os.close(fd)


class Surroundings:
    """What children get that the keeper itself changed at its start: the umask and the soft limit of descriptors."""

    __slots__ = ("hard", "limits", "soft", "umask")

    def __init__(self, umask: int, soft: int, hard: int, limits: limits.Limits | None = None) -> None:
        self.umask = umask
        self.soft = soft
        self.hard = hard
        self.limits = limits
        """What one child is limited to besides."""


def take_surroundings(umask: int | None = None, soft: int | None = None) -> Surroundings:
    """Make the keeper's own umask private and its descriptor limit as high as may be; return what they were."""
    found = os.umask(0o077)
    low, high = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (high, high))
    return Surroundings(found if umask is None else umask, low if soft is None else soft, high)


def spawn(
    argv: list[str],
    cwd: str,
    env: dict[str, str],
    size: tuple[int, int, int, int] | None,
    around: Surroundings,
    mark: int | None = None,
) -> Child:
    """Start a program; with a size on a terminal of its own, else on three pipes. `mark` limits it (callers.py).

    Raises RequestError `process.no_binary`, `process.no_directory`, `process.bad_command`, `process.bad_directory`
    or `process.limit`.
    """
    if not argv or not argv[0] or any("\0" in word for word in argv):
        raise RequestError("process.bad_command", "argv must be a list of words, the first of them a program")
    child = Child()
    theirs: list[int] = []
    try:
        actions = _terminal(child, size) if size is not None else _pipes(child, theirs)
        _check_room(child, around)
        with _marked(mark), limits.around(around.limits):
            child.pid = _start(argv, cwd, env, actions, around)
        limits.set_on(child.pid, around.limits)
        if mark is not None:
            with suppress(OSError):  # it has ended already
                resource.prlimit(child.pid, RLIMIT_LOCKS, (mark, mark))
    except RequestError:
        child.close()
        raise
    except (ValueError, TypeError) as error:
        child.close()
        raise RequestError("process.bad_command", f"{argv[0]} cannot be started: {error}; correct it") from None
    except OSError as error:
        child.close()
        raise RequestError(
            "process.limit", f"{argv[0]} cannot be started now: {error.strerror}; try again", errno=error.errno
        ) from None
    finally:
        for fd in theirs:
            os.close(fd)
    # Nobody else reaps our children, so its entry in /proc stands even if it has ended already.
    child.start = start_of(child.pid)
    return child


@contextmanager
def _marked(mark: int | None) -> Iterator[None]:
    """Have what is started now begin with the mark: set afterwards alone, what it starts at once would have none."""
    if mark is None:
        yield
        return
    soft, hard = resource.getrlimit(RLIMIT_LOCKS)
    resource.setrlimit(RLIMIT_LOCKS, (mark, hard))
    try:
        yield
    finally:
        resource.setrlimit(RLIMIT_LOCKS, (soft, hard))


def _check_room(child: Child, around: Surroundings) -> None:
    """Refuse a child that would leave too few descriptors; the lowest free one is always taken, so numbers count."""
    if max(child.master, child.stderr) >= around.hard - _SPARE > 0:
        raise RequestError(
            "process.limit", f"{around.hard} open files are not enough for one more; stop some or raise `ulimit -n`"
        )


def spawn_plain(argv: list[str], output: str, around: Surroundings, pass_fd: tuple[int, int] | None = None) -> int:
    """Start one of our own programs in a session of its own, its output appended to a file. Raises OSError.

    `pass_fd` names a descriptor and the number under which the program gets it.
    """
    env = dict(os.environ)
    append = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    actions: list[tuple[Any, ...]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, output, append, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    if pass_fd is not None:
        actions.append((os.POSIX_SPAWN_DUP2, *pass_fd))
    try:
        return _start(argv, "/", env, actions, around)
    except RequestError as error:
        raise FileNotFoundError(errno.ENOENT, error.message) from None


def exit_of(status: int) -> tuple[int | None, int | None]:
    """Return (exit code, signal) of what waitpid said."""
    if os.WIFSIGNALED(status):
        return None, os.WTERMSIG(status)
    return os.WEXITSTATUS(status), None


def _terminal(child: Child, size: tuple[int, int, int, int]) -> list[tuple[Any, ...]]:
    child.master, child.slave = os.openpty()
    os.set_blocking(child.master, False)
    modes = termios.tcgetattr(child.slave)
    modes[0] |= _IUTF8
    termios.tcsetattr(child.slave, termios.TCSANOW, modes)
    set_size(child.slave, size)
    # The session leader's first open of a terminal makes it the controlling one (Linux).
    path = os.ttyname(child.slave)
    return [(os.POSIX_SPAWN_OPEN, 0, path, os.O_RDWR, 0), (os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)]


def _pipes(child: Child, theirs: list[int]) -> list[tuple[Any, ...]]:
    read_in, child.stdin = os.pipe()
    theirs.append(read_in)
    child.stdout, write_out = os.pipe()
    theirs.append(write_out)
    child.stderr, write_err = os.pipe()
    theirs.append(write_err)
    for fd in (child.stdin, child.stdout, child.stderr):
        os.set_blocking(fd, False)
    return [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate((read_in, write_out, write_err))]


def _start(
    argv: list[str], cwd: str, env: dict[str, str], actions: list[tuple[Any, ...]], around: Surroundings
) -> int:
    """Run posix_spawn with the child's cwd, umask and limit around the call; there is no other thread to see it."""
    try:
        os.chdir(cwd)
    except PermissionError:
        raise RequestError("process.bad_directory", f"{cwd} may not be entered; change its rights or `cwd`") from None
    except (OSError, ValueError):
        raise RequestError(
            "process.no_directory", f"there is no directory {cwd}; create it or change `cwd`"
        ) from None
    umask = os.umask(around.umask)
    try:
        program = _find(argv[0], env)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(around.soft, around.hard), around.hard))
        try:
            return _posix_spawn(program, argv, env, actions)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            return _posix_spawn("/bin/sh", ["/bin/sh", program, *argv[1:]], env, actions)
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        raise RequestError(
            "process.no_binary", f"{argv[0]} is there, but it or its interpreter cannot be run; check its first line"
        ) from None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (around.hard, around.hard))
        os.umask(umask)
        os.chdir("/")


def _posix_spawn(program: str, argv: list[str], env: dict[str, str], actions: list[tuple[Any, ...]]) -> int:
    # Python ignores SIGPIPE and SIGXFSZ, and what is ignored survives exec: all signals go back to their defaults.
    return os.posix_spawn(program, argv, env, file_actions=actions, setsid=True, setsigmask=[], setsigdef=_SIGNALS)


def _find(name: str, env: dict[str, str]) -> str:
    """Find a program as a shell would, by the child's own PATH and from its cwd."""
    if "/" in name:
        candidates = [name]
    else:
        candidates = [f"{folder or '.'}/{name}" for folder in env.get("PATH", _DEFAULT_PATH).split(":")]
    for path in candidates:
        try:
            if stat.S_ISREG(os.stat(path).st_mode) and os.access(path, os.X_OK):
                return path
        except OSError:
            continue
    where = "" if "/" in name else " in PATH"
    raise RequestError("process.no_binary", f"there is no program {name}{where}; install it or correct the command")
