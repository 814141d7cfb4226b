"""Finds the daemon, starts it, waits for it. Standard library, so that call.py can run it under `-S`.

Starting means starting the keeper, detached from everything; the keeper starts the hub. Two starts at once are
harmless: the keeper's lock lets one of them live, and both wait for the same Ping.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import sys
import time

from wezparallel import paths
from wezparallel.client import sync
from wezparallel.errors import LinkError, RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from wezparallel.types import JsonObject, Seconds

START_TIMEOUT_S = 15.0
_PROBE_S = 1.0  # an answer to a Ping takes 0.1 ms; a hub under a flood of output took 300
_TAIL_LINES = 12
_STARTS = 2
_RETRY_S = 2.0  # a keeper listens after 0.1 s; under load after 1

_PYTHON = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONNOUSERSITE")
"""Variables that decide which code a Python finds."""
NOT_INHERITED = (
    "WEZPARALLEL_RUN", "WEZPARALLEL_PROCESS", "WORKSPACE", "WEZTERM_PANE", "WEZTERM_UNIX_SOCKET", "TMUX", "TMUX_PANE",
    "CLAUDECODE",
)  # fmt: skip
"""What says where the *caller* runs; a daemon that outlives the caller must not pass it on to everyone."""


def ping(path: str | None = None, timeout_s: Seconds = _PROBE_S) -> JsonObject | None:
    """Return `Pong`, or None if no hub answers in time.

    After a stop nobody is asked: a connect is what starts the hub again.
    """
    if is_stopped():
        return None
    with sync.Client(path, patience_s=0) as client:
        try:
            return client.call("Ping", timeout_s=timeout_s)
        except (LinkError, RequestError):
            return None


def is_stopped() -> bool:
    """Tell whether the user stopped the daemon and did not start it since."""
    return os.path.exists(paths.stopped_mark())


def listens(path: str | None = None) -> bool:
    """Tell whether a hub can be asked, without starting one: a connect to one that was stopped would."""
    if is_stopped():
        return False
    try:
        sync.connect(path or paths.client_socket()).close()
    except ConnectionError:
        return False
    return True


def ensure(*, asked: bool = False, timeout_s: Seconds = START_TIMEOUT_S) -> JsonObject:
    """Return `Pong` of a running hub; start the daemon if there is none.

    Args:
        asked: The user wants it to run; then it also starts after a `daemon stop`.
        timeout_s: How long to wait for the first Pong.

    Raises:
        LinkError: it was stopped by the user and `asked` is false, or it did not come up.
    """
    if is_stopped() and not asked:
        raise LinkError("the daemon was stopped; `wezparallel daemon start` starts it again")
    pong = ping()
    if pong is not None:
        return pong
    check_runtime_dir(paths.runtime_dir())
    if asked:
        _remove(paths.stopped_mark())
    deadline = time.monotonic() + timeout_s
    pause_s = 0.01
    starts = 0
    retry_at = 0.0
    while True:
        # A keeper that answered a moment ago may have been on its way out: then a second start is needed.
        if starts < _STARTS and time.monotonic() >= retry_at and not _keeper_lives():
            start_keeper()
            starts += 1
            retry_at = time.monotonic() + _RETRY_S
        pong = ping(timeout_s=max(0.05, min(_PROBE_S, deadline - time.monotonic())))
        if pong is not None:
            return pong
        if time.monotonic() >= deadline:
            _fail(timeout_s)
        sync.wait(pause_s)
        pause_s = min(pause_s * 1.5, 0.1)


def check_runtime_dir(path: str) -> None:
    """Make the runtime directory, mode 0700; refuse one that others could write into. Raises LinkError."""
    try:
        os.makedirs(path, 0o700, exist_ok=True)
        facts = os.lstat(path)
    except OSError as error:
        raise LinkError(f"{path} cannot be made: {error.strerror}; set WEZPARALLEL_RUNTIME_DIR") from None
    if not stat.S_ISDIR(facts.st_mode):
        raise LinkError(f"{path} is not a directory; remove it or set WEZPARALLEL_RUNTIME_DIR")
    if facts.st_uid != os.geteuid():
        raise LinkError(
            f"{path} belongs to user {facts.st_uid}, not to you; set WEZPARALLEL_RUNTIME_DIR to a folder of yours"
        )
    if facts.st_mode & 0o077:
        raise LinkError(f"{path} is open to other users (mode {facts.st_mode & 0o777:04o}); run: chmod 700 {path}")


def interpreter() -> str:
    """Return the Python that has the hub's packages: under `-S` the running one may be a bare system Python."""
    package = paths.package_dir()
    if sys.prefix != sys.base_prefix:
        return sys.executable
    for root in (package + "/../../../..", os.path.dirname(package) + "/.venv"):
        candidate = os.path.normpath(root) + "/bin/python3"
        if os.path.exists(os.path.normpath(root) + "/pyvenv.cfg") and os.access(candidate, os.X_OK):
            return candidate
    return sys.executable


def environment() -> dict[str, str]:
    """Return this environment, with the way to a package that is not installed: for `-m` of a module of ours."""
    found = dict(os.environ)
    above = os.path.dirname(paths.package_dir())
    if not above.endswith("-packages"):
        found["PYTHONPATH"] = os.pathsep.join(filter(None, (above, found.get("PYTHONPATH"))))
    return found


def keeper_command() -> list[str]:
    """Return the command line of a keeper in the foreground of its own session."""
    return [interpreter(), "-m", "wezparallel.keeper", "--foreground"]


def upgrade_command(python: str | None = None) -> list[str]:
    """Return the command line of a keeper that takes the place of a running one.

    The running one's environment may send Python elsewhere (a checkout's PYTHONPATH); the caller's holds instead.
    With `python`, that interpreter's own program is meant.
    """
    argv = keeper_command()
    values = {name: os.environ[name] for name in _PYTHON if os.environ.get(name)}
    if python is not None:
        argv[0] = os.path.abspath(shutil.which(python) or python)  # a venv's python is a link: it must stay one
    elif "PYTHONPATH" not in values and not _is_installed():
        values["PYTHONPATH"] = os.path.dirname(paths.package_dir())
    words = [word for name in _PYTHON for word in ("-u", name)]
    return [shutil.which("env") or "/usr/bin/env", *words, *(f"{n}={v}" for n, v in values.items()), *argv]


def start_keeper() -> None:
    """Start a keeper that belongs to nobody: session, descriptors and folder of its own, no parent that waits."""
    os.makedirs(paths.state_dir(), 0o700, exist_ok=True)
    argv = keeper_command()
    scope = _scope()
    environment = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    if not environment.get("PYTHONPATH") and not _is_installed():
        environment["PYTHONPATH"] = os.path.dirname(paths.package_dir())
    log = os.open(paths.own_log("keeper"), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    child = os.fork()
    if child == 0:
        _spawn_and_leave([*scope, *argv], environment, log)
    os.close(log)
    os.waitpid(child, 0)


def _spawn_and_leave(argv: list[str], environment: dict[str, str], log: int) -> NoReturn:
    """Spawn from a child that ends at once, so that the keeper is init's from the beginning. Never returns."""
    try:
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDONLY)
        os.posix_spawnp(
            argv[0], argv, environment, setsid=True, setsigmask=(), setsigdef=(signal.SIGINT, signal.SIGPIPE),
            file_actions=[
                (os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2),
            ],
        )  # fmt: skip
    except OSError as error:
        os.write(log, f"cannot start {argv[0]}: {error}\n".encode())
    finally:
        os._exit(0)


def _scope() -> list[str]:
    """Return the words before the keeper's that put it into a scope of its own, where a user's systemd answers.

    Without it, a desktop that ends the terminal's scope would end the keeper with it.
    """
    bus = os.environ.get("XDG_RUNTIME_DIR", "") + "/systemd/private"
    program = shutil.which("systemd-run")
    if not program or not os.path.exists(bus):
        return []
    import subprocess  # noqa: PLC0415  6 ms that only a start pays

    words = [program, "--user", "--scope", "--quiet", "--collect"]
    try:
        probe = subprocess.run([*words, "true"], timeout=2, check=False, capture_output=True)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [*words, "--"] if probe.returncode == 0 else []


def _is_installed() -> bool:
    """Tell whether `-m wezparallel` is found without help; in a bare checkout without a venv it is not."""
    parent = os.path.dirname(paths.package_dir())
    return parent.endswith("-packages") or interpreter() != sys.executable or parent in sys.path[1:]


def _keeper_lives() -> bool:
    try:
        sync.connect(paths.keeper_socket()).close()
    except (OSError, LinkError):
        return False
    return True


def _fail(timeout_s: Seconds) -> NoReturn:
    """Raise LinkError with what keeper and hub wrote last."""
    parts = [f"the daemon did not come up within {timeout_s:g} s"]
    for program in ("keeper", "hub"):
        lines = tail(paths.own_log(program))
        if lines:
            parts.append(f"{paths.own_log(program)} ends with:\n" + "\n".join("    " + line for line in lines))
    parts.append("`wezparallel doctor` checks what it needs")
    raise LinkError("\n".join(parts))


def tail(path: str, lines: int = _TAIL_LINES) -> list[str]:
    """Return the last lines of a text file; none if it cannot be read."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 16384))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.unlink(path)


def main() -> int:
    """Start the daemon for call.py; return its exit code."""
    words = sys.argv[1:]
    timeout_s = float(words[words.index("--timeout") + 1]) if "--timeout" in words else START_TIMEOUT_S
    try:
        ensure(timeout_s=timeout_s)
    except LinkError as error:
        sys.stderr.write(f"wezparallel: {error}\n")
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
