"""What a workspace is called if nobody says it: its folder's name, in a linked git worktree with the branch.

Reads one small file of git's, runs nothing.
"""

from __future__ import annotations

import os
import re

from wezparallel.protocol.process import NOT_IN_NAMES

MAX_NAME = 64
_UNFIT = re.compile(f"[{NOT_IN_NAMES}]+")


def default_name(folder: str) -> str:
    """Return the name that the workspace of a folder gets."""
    base = os.path.basename(folder.rstrip("/")) or "root"
    branch = _UNFIT.sub("-", worktree_branch(folder))
    if branch and branch not in base:  # many name a worktree's folder after its branch
        base = f"{base}-{branch}"
    return _UNFIT.sub("-", base).lstrip("-")[:MAX_NAME] or "root"


def worktree_branch(folder: str) -> str:
    """Return the branch of a linked worktree; empty for any other folder, and where no branch is checked out."""
    try:
        with open(os.path.join(folder, ".git"), encoding="utf-8") as file:  # a folder in the main worktree
            kind, _, where = file.read(4096).partition(":")
        where = os.path.join(folder, where.strip())
        # A submodule has such a file too, but its folder lies in `modules`.
        if kind != "gitdir" or os.path.basename(os.path.dirname(where)) != "worktrees":
            return ""
        with open(os.path.join(where, "HEAD"), encoding="utf-8") as file:
            head = file.read(4096).strip()
    except (OSError, ValueError):
        return ""
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else ""
