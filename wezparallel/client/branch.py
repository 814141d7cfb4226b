"""The git branch of a folder, as people are told of it. Reads files, runs nothing."""

from __future__ import annotations

import os


def git_branch(root: str) -> str:
    """Return the branch that a folder is on, empty if it is no repository. Reads one file, runs no git."""
    head = root + "/.git"
    try:
        if os.path.isfile(head):  # a linked worktree: the file says where its folder is
            with open(head, encoding="utf-8") as file:
                head = os.path.join(root, file.read().partition("gitdir:")[2].strip())
        with open(head + "/HEAD", encoding="utf-8") as file:
            said = file.read().strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return said.removeprefix("ref: refs/heads/") if said.startswith("ref: ") else said[:8]
