"""What there is to watch below a root: the folders and files that globs name, without what git ignores.

Git itself is asked what it ignores: it alone knows nested files, global ones, and what is tracked all the same.
Called in threads, because a dead mount hangs whoever looks at it. Above it `watching.py`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wezparallel.hub.pool.globs import Glob

GIT_BOUND_S = 10.0
# A repository's own configuration could name a program for git to run.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.quotepath=false")

Stamp = tuple[int, int, int]


@dataclass
class Found:
    """One look: paths are relative to the root; the root itself is empty."""

    folders: list[str] = field(default_factory=list)
    files: dict[str, Stamp] = field(default_factory=dict)


def look(root: str, globs: Collection[Glob]) -> Found:
    """Walk through the folders that may hold a file which a glob names."""
    ignored = ignored_below(root)
    found = Found()
    todo = [""]
    while todo:
        folder = todo.pop()
        try:
            entries = list(os.scandir(os.path.join(root, folder) if folder else root))
        except OSError:  # it went away, or may not be read
            continue
        found.folders.append(folder)
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name == ".git" or path in ignored:
                continue
            if entry.is_dir(follow_symlinks=False):
                if any(glob.enters(path) for glob in globs):
                    todo.append(path)
            elif any(glob.matches(path) for glob in globs):
                stamp = stamp_of(root, path)
                if stamp is not None:
                    found.files[path] = stamp
    return found


def stamp_of(root: str, path: str) -> Stamp | None:
    """Return what changes when a file changes; None where there is none."""
    try:
        status = os.stat(os.path.join(root, path))
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def differing(root: str, known: dict[str, Stamp], paths: Iterable[str]) -> dict[str, Stamp | None]:
    """Return which of some files are not as they were known, and what they are now; what git ignores never is."""
    changed = {path: stamp for path in paths if (stamp := stamp_of(root, path)) != known.get(path)}
    fresh = [path for path in changed if path not in known]
    for path in ignored_of(root, fresh):
        changed.pop(path, None)
    return changed


def ignored_below(root: str) -> set[str]:
    """Return the files and folders below a root that git ignores, folders as a whole; nothing without git."""
    command = ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"]
    return {path.rstrip("/") for path in _git(root, command)}


def ignored_of(root: str, paths: list[str]) -> list[str]:
    """Return which of some paths git ignores."""
    return _git(root, ["check-ignore", "-z", "--stdin"], "\0".join(paths)) if paths else []


def _git(root: str, command: list[str], text: str = "") -> list[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            [*_GIT, *command], cwd=root, input=os.fsencode(text), capture_output=True, timeout=GIT_BOUND_S,
            check=False, env={**env, "GIT_OPTIONAL_LOCKS": "0"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [os.fsdecode(path) for path in done.stdout.split(b"\0") if path]
