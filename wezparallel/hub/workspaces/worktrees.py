"""Folders of processes with `worktree:`: a git worktree for a branch, made at the first start and used again.

They lie beside the repository, in `NAME.worktrees/BRANCH`. Nothing here loses work: a folder that is in the way or a
branch that is checked out elsewhere is refused, and one is removed only when it is asked for and nothing is in it.
A start makes it again where it is missing, so a crash at any point ends with the next start. Above: the pool, the
handlers. Below: git.py.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

import anyio
import structlog

from wezparallel.errors import RequestError
from wezparallel.hub.failpoints import failpoint
from wezparallel.hub.pool.supervise import alive
from wezparallel.hub.workspaces import git
from wezparallel.hub.workspaces.source import quoted
from wezparallel.protocol.worktree import WorktreeRecord

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process
    from wezparallel.hub.workspaces.git import Tree
    from wezparallel.protocol.process import ProcessSettings

_LOOK_EVERY_S = 0.1  # while a git that outlived the hub which started it is still at work

log = structlog.get_logger()


class Worktrees:
    """What is known of them; git is asked for the rest."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._folders = hub.store.worktrees()
        self._locks: dict[str, anyio.Lock] = {}

    def folder(self, process: Process) -> str | None:
        """Return where a process really runs, if that is in a worktree that was made."""
        return self._folders.get(process.process_id) if process.settings.worktree else None

    async def placed(self, process: Process, settings: ProcessSettings) -> tuple[ProcessSettings, str]:
        """Return settings whose folder is in the worktree, and what there is to tell. Raises RequestError."""
        if settings.worktree is None:
            return settings, ""
        folder, note = await self._made(settings.cwd, settings.worktree)
        if self._folders.get(process.process_id) != folder:
            self._folders[process.process_id] = folder
            self._hub.store.put_worktree(process.process_id, folder)
        return settings.model_copy(update={"cwd": folder}), note

    async def of(self, members: list[Process]) -> list[WorktreeRecord]:
        """Return the worktrees of some processes, and what speaks against removing each."""
        folders = {folder for one in members if (folder := self.folder(one)) is not None}
        found: dict[str, WorktreeRecord] = {}
        for folder in sorted(folders):
            if not os.path.isdir(folder):
                continue
            trees = await git.trees(folder)
            for tree in trees[1:]:
                if _is_in(folder, tree.path) and tree.path not in found:
                    found[tree.path] = await self._record(tree, trees[0])
        return [found[path] for path in sorted(found)]

    async def remove(self, path: str, force: bool) -> str | None:
        """Remove a worktree; return its branch, which stays. One that is gone is removed.

        Raises RequestError `process.bad_state` with what would be lost, `process.bad_directory` for any other folder.
        """
        if not path.startswith("/"):
            raise RequestError("process.bad_directory", f"{path!r} is not absolute; give the whole path", cwd=path)
        if not os.path.isdir(path):
            return None
        trees = await git.trees(path)
        tree = next((one for one in trees[1:] if os.path.realpath(one.path) == os.path.realpath(path)), None)
        if tree is None or not _is_in(tree.path, _home(trees[0])):
            raise RequestError(
                "process.bad_directory",
                f"{path} is no worktree that was made for a process; remove it with `git worktree remove`",
                cwd=path,
            )
        async with self._lock(trees[0].path):
            record = await self._record(tree, trees[0])
            if record.why and not force:
                raise RequestError(
                    "process.bad_state",
                    f"{path} stays: {'; '.join(record.why)}. Commit, merge or stop it, or force it and lose that",
                    path=path, why=record.why,
                )  # fmt: skip
            words = ["--force"] if force and record.changes else []
            said = await git.run(trees[0].path, "worktree", "remove", *words, tree.path, timeout_s=git.SLOW_S)
            if not said.ok:
                raise RequestError("process.bad_state", f"git keeps {path}: {said.complaint}", path=path)
        with contextlib.suppress(OSError):
            os.rmdir(_home(trees[0]))  # once nothing is in it
        log.info("worktree.removed", path=path, branch=tree.branch)
        return tree.branch

    async def _made(self, cwd: str, branch: str) -> tuple[str, str]:
        """Return the folder for a branch, made if there is none, and what there is to tell."""
        if not os.path.isdir(cwd):
            raise RequestError("process.no_directory", f"the folder {cwd} does not exist; make it first", cwd=cwd)
        trees = await git.trees(cwd)
        top = await git.run(cwd, "rev-parse", "--show-toplevel")
        if not top.ok:
            raise RequestError("process.bad_directory", f"{cwd} is in no worktree of its repository: {top.complaint}")
        inside = os.path.relpath(os.path.realpath(cwd), os.path.realpath(top.out.rstrip("\n")))
        async with self._lock(trees[0].path):
            path, note = await self._ensure(cwd, branch)
        return os.path.normpath(os.path.join(path, inside)), note

    async def _ensure(self, cwd: str, branch: str) -> tuple[str, str]:
        if branch.startswith("-") or not (await git.run(cwd, "check-ref-format", "--branch", branch)).ok:
            raise RequestError("process.bad_directory", f"{quoted(branch)} cannot be the name of a branch", cwd=cwd)
        trees = await git.trees(cwd)
        path = os.path.join(_home(trees[0]), branch.replace("/", "-"))
        own, note = _at(trees, path), ""
        if own is not None and own.locked == git.INITIALIZING:
            note = await self._recovered(cwd, path)
            trees = await git.trees(cwd)
            own = _at(trees, path)
        holder = next((one for one in trees if one.branch == branch), None)
        if holder is not None and holder is not own:
            raise RequestError(
                "process.bad_directory",
                f"the branch {quoted(branch)} is checked out in {holder.path}; switch that to another branch, or "
                "name another one for `worktree`",
                branch=branch, path=holder.path,
            )  # fmt: skip
        is_there = os.path.isdir(path)
        if own is not None and is_there:
            if own.branch != branch:
                raise _other_branch(path, own.branch, branch)
            return path, note
        if os.path.lexists(path) and not (is_there and not os.listdir(path)):
            raise RequestError(
                "process.bad_directory", f"{path} is in the way of the worktree for {quoted(branch)}; move it away",
                path=path,
            )  # fmt: skip
        await self._add(cwd, path, branch, again=own is not None)
        return path, note

    @staticmethod
    async def _add(cwd: str, path: str, branch: str, *, again: bool) -> None:
        """Have git make it: for the branch that is there, here or at one remote, else for a new one from here."""
        local = await git.run(cwd, "show-ref", "--verify", "--quiet", f"refs/heads/{branch}")
        remote = await git.run(cwd, "for-each-ref", "--format=x", f"refs/remotes/*/{branch}")
        words = ["-f"] if again else []  # its folder was deleted by hand; git still has it in its list
        if local.ok or len(remote.out.split()) == 1:
            words += [path, branch]
        elif (await git.run(cwd, "rev-parse", "--verify", "--quiet", "HEAD")).ok:
            words += ["-b", branch, path, "HEAD"]
        else:
            raise RequestError(
                "process.bad_directory", f"the repository of {cwd} has no commit yet; make one, then `worktree` can "
                "begin a branch there", cwd=cwd,
            )  # fmt: skip
        failpoint("worktree")
        said = await git.run(cwd, "worktree", "add", *words, timeout_s=git.SLOW_S)
        if not said.ok:
            raise RequestError(
                "process.bad_directory",
                f"git makes no worktree for {quoted(branch)} in {path}: {said.complaint}",
                branch=branch, path=path,
            )  # fmt: skip
        log.info("worktree.made", path=path, branch=branch)

    @staticmethod
    async def _recovered(cwd: str, path: str) -> str:
        """Wait for a git that is still at work; move away what one has left that was killed. Return what to tell."""
        deadline = time.monotonic() + git.SLOW_S
        while (tree := _at(await git.trees(cwd), path)) is not None and tree.locked == git.INITIALIZING:
            if time.monotonic() < deadline and await anyio.to_thread.run_sync(_is_at_work, path):
                await anyio.sleep(_LOOK_EVERY_S)
                continue
            aside, number = f"{path}.half-made", 1
            while os.path.lexists(aside):
                number += 1
                aside = f"{path}.half-made-{number}"
            with contextlib.suppress(FileNotFoundError):
                os.rename(path, aside)
            await git.run(cwd, "worktree", "unlock", path)
            log.warning("worktree.half_made", path=path, moved_to=aside)
            return f"a git that was killed had left {path} half made; it is made again, the rest lies in {aside}"
        return ""

    async def _record(self, tree: Tree, main: Tree) -> WorktreeRecord:
        changes = await git.run(tree.path, "status", "--porcelain", timeout_s=git.SLOW_S)
        but = f"--exclude={tree.branch}" if tree.branch else "--exclude="
        ahead = await git.run(tree.path, "rev-list", "--count", "HEAD", "--not", but, "--branches", "--remotes")
        members = {one.process_id: one for one in self._hub.state.processes.values() if self.folder(one)}
        inside = [name for name, one in members.items() if _is_in(self.folder(one) or "/", tree.path)]
        running = [name for name in inside if alive(members[name].run)]
        ours = {run.pid for name in running if (run := members[name].run) is not None}
        pids = await anyio.to_thread.run_sync(_pids_in, tree.path)
        others = [f"pid {pid}" for pid in pids if pid not in ours] if not running else []
        count, unmerged = len(changes.out.splitlines()), int(ahead.out) if ahead.ok else 0
        why = [f"{_many(count, 'file')} with changes that are not committed"] if count else []
        why += [f"{_many(unmerged, 'commit')} that no other branch and no remote has"] if unmerged else []
        why += [f"{', '.join(running + others)} runs there"] if running or others else []
        if not changes.ok:
            why.append(f"git cannot tell what is in it: {changes.complaint}")
        return WorktreeRecord(
            path=tree.path, repository=main.path, branch=tree.branch, processes=sorted(inside),
            running=running + others, changes=count, unmerged=unmerged, why=why,
        )  # fmt: skip

    def _lock(self, repository: str) -> anyio.Lock:
        return self._locks.setdefault(repository, anyio.Lock())


def _home(main: Tree) -> str:
    """Return the folder of a repository's worktrees, beside it."""
    return (main.path.removesuffix("/.git").removesuffix(".git") if main.is_bare else main.path) + ".worktrees"


def _at(trees: list[Tree], path: str) -> Tree | None:
    real = os.path.realpath(path)
    return next((one for one in trees[1:] if os.path.realpath(one.path) == real), None)


def _is_in(path: str, folder: str) -> bool:
    real, whole = os.path.realpath(path), os.path.realpath(folder)
    return real == whole or real.startswith(whole.rstrip("/") + "/")


def _other_branch(path: str, there: str | None, branch: str) -> RequestError:
    what = f"{quoted(there)} checked out" if there else "no branch checked out"
    return RequestError(
        "process.bad_directory",
        f"{path} has {what}, and not {quoted(branch)}; switch it back, or name another branch",
        branch=branch, path=path,
    )  # fmt: skip


def _pids_in(folder: str) -> list[int]:
    """Return the processes whose folder is there, as far as we may see them."""
    found: list[int] = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if _is_in(os.readlink(f"/proc/{name}/cwd"), folder):
                    found.append(int(name))
    return sorted(found)


def _is_at_work(path: str) -> bool:
    """Tell whether some git was told to make a worktree there and has not ended."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
                if os.fsencode(path) in words and os.path.basename(words[0]).startswith(b"git"):
                    return True
    return False


def _many(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"
