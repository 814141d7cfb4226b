"""What a process that is added over the socket may be: seed 001's checks, with its literal texts.

Templates come from files that a person has accepted; what comes over the socket may come from anywhere. A seat belt:
who may start a program may start a shell.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from wezparallel.errors import RequestError

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.protocol.process import ProcessSettings

DANGEROUS = "|&;\n`$"

_UNSAFE_PREFIXES = ("LD_", "DYLD_", "BASH_FUNC_", "WEZPARALLEL_")
_UNSAFE = frozenset({
    # make the C library load code or tables
    "GCONV_PATH", "GLIBC_TUNABLES", "NLSPATH",
    # make a shell run a file, or read its own text otherwise
    "BASH_ENV", "ENV", "ZDOTDIR", "PROMPT_COMMAND", "PS4", "SHELLOPTS", "BASHOPTS", "IFS",
    # make an interpreter run something first
    "PYTHONSTARTUP", "PYTHONHOME", "PERL5OPT", "PERL5DB", "RUBYOPT",
})  # fmt: skip


def check_command(command: str) -> None:
    """Refuse what is no single executable. Raises RequestError `process.bad_command`."""
    found = sorted({sign for sign in command if sign in DANGEROUS})
    if found:
        raise RequestError(
            "process.bad_command",
            f"Dangerous characters in command: {' '.join(map(repr, found))}; `command` is one executable, "
            "its arguments go into `args`; for a shell line use `sh` with `-c`",
            found=found,
        )


def check_held(process_id: str, settings: ProcessSettings) -> None:
    """Refuse to start what runs in its pane itself. Raises RequestError `process.bad_state`."""
    if settings.direct:
        raise RequestError(
            "process.bad_state",
            f"{process_id} is `direct`: it runs in its pane; open its workspace in WezTerm, or take `direct` out",
            direct=True,
        )


def check_cwd(cwd: str, root: str | None) -> None:
    """Refuse a folder that goes up, or that seems to lie in the workspace's root and does not.

    Raises RequestError `process.bad_directory`.
    """
    if ".." in cwd.split("/"):
        raise RequestError(
            "process.bad_directory", f"Path traversal detected: {cwd!r} has '..' in it; give the folder itself",
            cwd=cwd,
        )  # fmt: skip
    if root is not None and _is_below(cwd, root):
        real = os.path.realpath(cwd)
        if not _is_below(real, os.path.realpath(root)):
            raise RequestError(
                "process.bad_directory",
                f"Path traversal detected: {cwd} is a link out of the workspace's root; give {real} if it is meant",
                cwd=cwd, real=real,
            )  # fmt: skip


def safe_env(env: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return an environment without unsafe names, and those names."""
    dropped = sorted(name for name in env if is_unsafe(name))
    return {name: value for name, value in env.items() if name not in dropped}, dropped


def is_unsafe(name: str) -> bool:
    """Tell whether a variable makes programs do something else than they would."""
    return name in _UNSAFE or name.startswith(_UNSAFE_PREFIXES)


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")


def of_caller(env: Mapping[str, str] | None, by: Mapping[str, object] | None) -> dict[str, str] | None:
    """Return the environment that a caller gives: a person's as it is, anybody else's without unsafe names."""
    if env is None or by is None or by["role"] == "person":
        return None if env is None else dict(env)
    return safe_env(env)[0]


def put_environment(hub: Hub, env: Mapping[str, str] | None) -> str:
    """Hand the environment that the present caller gives to the keeper; return its id."""
    return hub.environments.put(of_caller(env, hub.bus.by))


def as_callers(settings: ProcessSettings, by: Mapping[str, object] | None) -> ProcessSettings:
    """Return a new process's settings as its caller's: what an agent adds is an agent's, whatever it asks for."""
    if by is None or by["role"] == "person":
        return settings
    return settings.model_copy(update={"of_agent": True, "may": []})
