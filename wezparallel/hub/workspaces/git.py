"""Asks git, in a child of the hub, and reads what it says about worktrees. Never blocks the loop.

Above: worktrees.py. Below: the program `git`, with the user's configuration and without the variables of another
repository.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass

import anyio

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces.source import clip, printable

QUICK_S = 30.0
SLOW_S = 600.0  # a checkout of a very large repository
INITIALIZING = "initializing"  # git's own word for a worktree that it has not finished


@dataclass(frozen=True, slots=True)
class Said:
    """How a call of git ended."""

    ok: bool
    out: str
    complaint: str
    """The last line of stderr, for people."""


@dataclass(frozen=True, slots=True)
class Tree:
    """One worktree, as `git worktree list` tells it."""

    path: str
    branch: str | None
    locked: str | None
    """Why it is locked; empty if nobody said why; None if it is not."""
    is_bare: bool = False


async def run(folder: str, *words: str, timeout_s: float = QUICK_S) -> Said:
    """Call git in a folder. Raises RequestError `process.no_binary` without git, `hub.busy` if it takes too long."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env |= {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        with anyio.fail_after(timeout_s):
            done = await anyio.run_process(
                ["git", "-C", folder, *words], stdin=subprocess.DEVNULL, check=False, env=env
            )
    except FileNotFoundError:
        raise RequestError(
            "process.no_binary", "git is no program on the daemon's PATH; `worktree` needs it", program="git"
        ) from None
    except OSError as error:
        raise RequestError("process.no_directory", f"git cannot be run in {folder}: {error.strerror}") from None
    except TimeoutError:
        raise RequestError("hub.busy", f"git {words[0]} took longer than {timeout_s:.0f} s in {folder}") from None
    errors = [line for line in os.fsdecode(done.stderr).splitlines() if line.strip()]
    complaint = (
        printable(clip(errors[-1].removeprefix("fatal: "), 300)) if errors else f"it ended with {done.returncode}"
    )
    return Said(done.returncode == 0, os.fsdecode(done.stdout), complaint)


def trees_of(listed: str) -> list[Tree]:
    """Read `git worktree list --porcelain`; the main worktree comes first."""
    found: list[Tree] = []
    for block in listed.split("\n\n"):
        facts = dict(line.partition(" ")[::2] for line in block.splitlines())
        if "worktree" in facts:
            branch = facts.get("branch")
            found.append(
                Tree(
                    facts["worktree"],
                    branch.removeprefix("refs/heads/") if branch else None,
                    facts.get("locked"),
                    "bare" in facts,
                )
            )
    return found


async def trees(folder: str) -> list[Tree]:
    """Return the worktrees of the repository that a folder is in.

    Raises RequestError `process.bad_directory` where it is in none.
    """
    said = await run(folder, "worktree", "list", "--porcelain")
    found = trees_of(said.out) if said.ok else []
    if not found:
        raise RequestError(
            "process.bad_directory",
            f"{folder} is in no git repository ({said.complaint}); `worktree` needs one, make it with `git init`",
            cwd=folder,
        )
    return found
