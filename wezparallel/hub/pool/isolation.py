"""What `isolate: true` leaves of an environment: seed 002's allow-list. Above it `pool/supervise.py`, at each start.

The program is found by the PATH that there was, then named by its whole path: what users install for themselves lies
where the short PATH does not look.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wezparallel.protocol.process import ProcessSettings

SEED_PATH = "/usr/local/bin:/usr/bin:/bin"
ALLOWED = frozenset({
    "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "COLORTERM", "TMPDIR", "SSH_AUTH_SOCK", "WORKSPACE",
    "WEZPARALLEL_RUNTIME_DIR", "WEZPARALLEL_SOCKET",  # where this daemon is: its own commands have to find it
})  # fmt: skip
ALLOWED_PREFIXES = ("LC_", "XDG_")


def isolated(process: ProcessSettings, given: Mapping[str, str]) -> ProcessSettings:
    """Return a process as it is started: with `isolate`, all that is not allowed or configured is removed.

    Args:
        process: Its settings, with the program and the variables of its kind.
        given: The environment that it would get.
    """
    if not process.isolate:
        return process
    path = process.env.get("PATH") or given.get("PATH") or os.defpath
    argv = list(process.argv)
    found = _where(argv[0], process.cwd, path)
    folders = []
    if found is not None:
        argv[0] = found
        folders.append(os.path.dirname(found))
    inner = _inner(process.argv)
    if inner is not None and (inner_found := _where(inner, process.cwd, path)) is not None:
        folders.append(os.path.dirname(inner_found))
    env: dict[str, str | None] = {name: None for name in given if not is_allowed(name)}
    usual = SEED_PATH.split(":")
    env["PATH"] = ":".join([*(folder for folder in dict.fromkeys(reversed(folders)) if folder not in usual), *usual])
    return process.model_copy(update={"argv": argv, "env": {**env, **process.env}})


def is_allowed(name: str) -> bool:
    """Tell whether an isolated process keeps this variable."""
    return name in ALLOWED or name.startswith(ALLOWED_PREFIXES)


def _inner(argv: list[str]) -> str | None:
    """Return the program that a shell's line begins with, if it is one plain word."""
    if len(argv) != 3 or argv[1] != "-c":
        return None
    try:
        words = shlex.split(argv[2], comments=True)
    except ValueError:
        return None
    words = words[1:] if words[:1] == ["exec"] else words
    return words[0] if words and "=" not in words[0] else None


def _where(program: str, cwd: str, path: str) -> str | None:
    if "/" in program:
        return os.path.normpath(os.path.join(cwd, program)) if not program.startswith("/") else program
    return shutil.which(program, path=path)
