"""Whose environment a process gets: its caller's or the login shell's, without what belongs to somebody else's life.

Nobody stores one: the keeper holds them in its memory (`pool/env_ids.py`), and they are never logged.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from signal import SIGKILL

import anyio
import anyio.abc
import structlog

log = structlog.get_logger()

LOGIN_BOUND_S = 5.0
_MOST_BYTES = 4 << 20
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_DROPPED_PREFIXES = ("WEZTERM_", "TMUX", "CLAUDECODE", "WEZPARALLEL_", "LISTEN_FD")
_DROPPED = frozenset({
    # of the agent's session that `up` may have been typed in
    "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_SSE_PORT", "CLAUDE_PID", "CLAUDE_PROJECT_DIR",
    # of a service
    "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "INVOCATION_ID", "JOURNAL_STREAM",
    # of one shell at one moment: a stale PWD misleads, LINES and COLUMNS stop programs from asking their terminal
    "_", "PWD", "OLDPWD", "SHLVL", "LINES", "COLUMNS", "STY", "WINDOW",
})  # fmt: skip
_OURS_KEPT = frozenset({"WEZPARALLEL_RUNTIME_DIR", "WEZPARALLEL_SOCKET"})
"""Where this instance is: a `wezparallel` that a process calls has to reach it, and no other."""

_SESSION = frozenset({
    "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY",
    "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", *_OURS_KEPT,
})  # fmt: skip
"""What a login shell is given, with LC_* and XDG_*: the user's session, and nothing of whoever started the daemon."""

_PRINTER = "import os,sys;w=sys.stdout.buffer.write;m=sys.argv[1].encode();w(m+bytes(1).join(k+b'='+v for k,v in "
_PRINTER += "os.environb.items())+m)"


def filtered(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without WezTerm's, tmux's, an agent's, a service's and our own variables."""
    return {name: value for name, value in env.items() if name in _OURS_KEPT or not _is_dropped(name)}


def _is_dropped(name: str) -> bool:
    return name in _DROPPED or name.startswith(_DROPPED_PREFIXES)


async def login_environment(shell: str | None = None, *, bound_s: float = LOGIN_BOUND_S) -> dict[str, str]:
    """Return what the user's login shell would export, filtered; in its place our own, and the log says why.

    Args:
        shell: Its path; else the one of the password file.
        bound_s: Seconds that the user's start files may take altogether.
    """
    shell = shell or _users_shell()
    why = "it printed no environment"
    # Interactive first: many set their PATH in .bashrc or .zshrc. Without it, for start files that replace the shell.
    for flags, share in ((["-l", "-i", "-c"], 0.6), (["-l", "-c"], 0.4)):
        with anyio.move_on_after(bound_s * share) as scope:
            try:
                found = await _ask(shell, flags)
            except OSError as error:
                why = str(error.strerror)
                break
            if found:
                return filtered(found)
        if scope.cancelled_caught:
            why = f"its start files took more than {bound_s * share:g} s"
    log.warning("environment.login_shell_failed", shell=shell, why=why, instead="the daemon's own")
    return filtered(os.environ)


def _users_shell() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
    except KeyError:  # a container's user without an entry
        return os.environ.get("SHELL") or "/bin/sh"


async def _ask(shell: str, flags: list[str]) -> dict[str, str] | None:
    """Run the shell; None if it ended without printing an environment."""
    mark = "=" + secrets.token_hex(16)  # start files print what they like around it; no variable's name begins so
    command = shlex.join([sys.executable, "-I", "-S", "-c", _PRINTER, mark])
    env = {name: value for name, value in os.environ.items() if name in _SESSION or name.startswith(("LC_", "XDG_"))}
    process = await anyio.open_process(
        [shell, *flags, command],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=env.get("HOME") if os.path.isdir(env.get("HOME", "")) else "/",
        env={"PATH": _DEFAULT_PATH, "SHELL": shell, "TERM": "dumb", **env},
        start_new_session=True,  # an interactive shell takes the terminal of its session, if there is one
    )
    try:
        printed = await _until_marked_twice(process, mark.encode())
    finally:
        # What it left behind in its session would keep the pipe open; daemons of their own are in other sessions.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, SIGKILL)
        with anyio.CancelScope(shield=True):
            await process.aclose()
    if printed is None:
        return None
    pairs = (entry.partition(b"=") for entry in printed.split(b"\0"))
    return {
        os.fsdecode(name): os.fsdecode(value) for name, equals, value in pairs if name and equals and name != b"TERM"
    }


async def _until_marked_twice(process: anyio.abc.Process, mark: bytes) -> bytes | None:
    """Return what stands between the marks. Not until the end of the pipe: a start file's daemon may hold it."""
    printed = bytearray()
    if process.stdout:
        async for chunk in process.stdout:
            printed += chunk
            parts = printed.split(mark)
            if len(parts) >= 3:
                return bytes(parts[1])
            if len(printed) > _MOST_BYTES:
                break
    return None
