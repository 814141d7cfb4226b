"""Restarts processes when files change that their `watch:` names. One watcher for each root, however many share it.

The kernel only says that something happened in a folder; whether a file has changed is decided by looking at it, so
what an editor does to save a file counts once, and what changed while the folders were counted is noticed too. Where
the kernel has no room for watches, files are looked at every 2 s, and that is said. An agent is never restarted.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import aclosing
from errno import ENOENT
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import structlog

from wezparallel.hub.pool.globs import Glob, globs
from wezparallel.hub.pool.telling import alive
from wezparallel.hub.pool.watched import Found, differing, look

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Iterable

    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process

    Changes = AsyncGenerator[set[tuple[Any, str]], None]

log = structlog.get_logger()

SETTLE_MS = 200
"""A burst of changes ends when nothing changed for so long; also how often the watcher's thread looks."""
BURST_MS = 2000
POLL_S = 2.0
POLLS = 30  # looks at all files between two tries to be told by the kernel
MOST_RESTARTS, WITHIN_S = 10, 30.0
"""A process that is restarted more often changes its own files."""


class Root:
    """A folder with those who watch files below it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.globs: dict[str, list[Glob]] = {}
        """process id -> its globs"""
        self.counted: dict[str, list[Glob]] = {}
        """Whose globs they were when files were counted last."""
        self.since: dict[str, int] = {}
        """process id -> when it began to watch, as files' times are; what changed before the first count counts."""
        self.known: Found | None = None
        self.polls = 0
        """So often files are counted before the kernel is asked again to watch them."""
        self.stop = anyio.Event()
        """Set: the watcher is to count folders and watchers again, or to end."""

    def every_glob(self) -> list[Glob]:
        """Return the globs of all."""
        return [glob for found in self.globs.values() for glob in found]

    def watchers(self, path: str) -> list[str]:
        """Return the processes whose globs name a file."""
        return [one for one, found in self.globs.items() if any(glob.matches(path) for glob in found)]


class Watching:
    """Who watches what."""

    def __init__(self, hub: Hub, notify: Callable[..., Changes] | None = None, poll_s: float = POLL_S) -> None:
        self._hub = hub
        self._poll_s = poll_s
        self._notify = notify or _notify
        self._roots: dict[str, Root] = {}
        self._of: dict[str, tuple[str, list[str]]] = {}
        """process id -> its root's path and its patterns"""
        self._times: dict[str, deque[float]] = {}
        self._off: set[str] = set()
        """Processes that were restarted too often."""
        self._is_poor = False
        self._is_guarded = False

    def look(self, process: Process) -> None:
        """Begin to watch for a process, go on, or stop: it is watched as long as somebody wants it up."""
        settings, process_id = process.settings, process.process_id
        if not settings.watch and process_id not in self._of:
            return
        wanted = bool(settings.watch) and process.desired == "up" and not process.removed and settings.agent is None
        if not wanted:
            self._off.discard(process_id)
            self._times.pop(process_id, None)
        path, folder = self._root_of(process) if wanted else ("", "")
        now = (path, [folder, *settings.watch]) if wanted else None
        if now == self._of.get(process_id):
            return
        self._leave(process_id)
        if now is not None:
            self._of[process_id] = now
            root = self._roots.get(path)
            if root is None:
                if not self._is_guarded:
                    self._is_guarded = True
                    self._hub.tasks.start_soon(self._stop_with_hub)
                root = self._roots[path] = Root(path)
                self._hub.tasks.start_soon(self._serve, root)
            root.globs[process_id] = globs(settings.watch, folder)
            root.since[process_id] = self._hub.now_ms() * 1_000_000
            root.stop.set()

    def forget(self, process_id: str) -> None:
        """A process is gone."""
        self._leave(process_id)
        self._off.discard(process_id)
        self._times.pop(process_id, None)

    def _leave(self, process_id: str) -> None:
        path, _ = self._of.pop(process_id, ("", []))
        root = self._roots.get(path)
        if root is not None:
            root.globs.pop(process_id, None)
            root.since.pop(process_id, None)
            root.stop.set()

    def _root_of(self, process: Process) -> tuple[str, str]:
        """Return the root that its folder lies in, the workspace's if may be, and the way from there."""
        cwd = self._hub.worktrees.folder(process) or process.settings.cwd
        workspace = self._hub.state.workspaces.get(process.workspace or "")
        root = workspace.root if workspace is not None else cwd
        if cwd != root and not cwd.startswith(root.rstrip("/") + "/"):
            root = cwd
        folder = os.path.relpath(cwd, root)
        return root, "" if folder == "." else folder

    async def _serve(self, root: Root) -> None:
        """Watch a root until nobody does any more."""
        # The watcher lives in a thread for as long as there is one; whoever else needs a thread must not wait for it.
        threads = anyio.to_thread.current_default_thread_limiter()
        threads.total_tokens += 1
        try:
            while root.globs and not self._hub.stopping.is_set():
                root.stop = anyio.Event()
                try:
                    await self._once(root)
                except Exception:  # a fault of ours must not end the hub, nor come back at once for ever
                    log.exception("watch.failed", root=root.path)
                    await anyio.sleep(self._poll_s)
        finally:
            threads.total_tokens -= 1
            if self._roots.get(root.path) is root:
                del self._roots[root.path]

    async def _once(self, root: Root) -> None:
        """Count folders and files, act on what changed meanwhile, then be told of changes until that is due again."""
        counted = dict(root.globs)
        found = await anyio.to_thread.run_sync(look, root.path, root.every_glob(), abandon_on_cancel=True)
        before, root.known = root.known, found
        known = {one for one, its in counted.items() if root.counted.get(one) is its}
        root.counted = counted
        if before is not None:
            names = found.files.keys() | before.files.keys()
            self._act(root, [name for name in names if found.files.get(name) != before.files.get(name)], only=known)
        for process_id in counted.keys() - known:
            since = root.since.get(process_id, 0)
            self._act(root, [name for name, stamp in found.files.items() if stamp[0] > since], only={process_id})
        if root.polls > 0 or not found.folders:
            root.polls -= 1
            await self._pause(root)
            return
        folders = [os.path.join(root.path, folder) if folder else root.path for folder in found.folders]
        try:
            async with aclosing(self._notify(*folders, stop_event=root.stop)) as bursts:
                async for changes in bursts:
                    if await self._changed(root, found, {path for _, path in changes}):
                        break
        except OSError as error:
            if error.errno != ENOENT:  # else a folder has just gone: count again
                self._say_poor(root, error)
                root.polls = POLLS
            await self._pause(root)

    async def _pause(self, root: Root) -> None:
        with anyio.move_on_after(self._poll_s):
            await root.stop.wait()

    async def _changed(self, root: Root, found: Found, paths: set[str]) -> bool:
        """Act on a burst of changes; tell whether the folders have to be counted again."""
        names = {os.path.relpath(path, root.path) for path in paths}
        every = root.every_glob()
        matching = {name for name in names if any(glob.matches(name) for glob in every)}
        if any(not os.path.lexists(os.path.join(root.path, name)) for name in matching):
            await anyio.sleep(SETTLE_MS / 1000)  # an editor moves the old file away before the new one is there
        changed = await anyio.to_thread.run_sync(differing, root.path, found.files, matching, abandon_on_cancel=True)
        for name, stamp in changed.items():
            if stamp is None:
                found.files.pop(name, None)
            else:
                found.files[name] = stamp
        self._act(root, changed)
        known = set(found.folders)
        return any(
            os.path.basename(name) == ".gitignore"
            or name in known
            or (os.path.isdir(os.path.join(root.path, name)) and any(glob.enters(name) for glob in every))
            for name in names - {"."}
        )

    def _act(self, root: Root, names: Iterable[str], only: Collection[str] | None = None) -> None:
        """Restart whoever watches one of these files, once; `only` those who watched already."""
        why: dict[str, str] = {}
        for name in sorted(names):
            for process_id in root.watchers(name):
                if only is None or process_id in only:
                    why.setdefault(process_id, name)
        for process_id, name in why.items():
            process = self._hub.state.processes.get(process_id)
            if process is not None:
                self._restart(process, name)

    def _restart(self, process: Process, name: str) -> None:
        # A start that is on its way reads the file as it is now; who was suspended is to stand still.
        if process.desired != "up" or process.planned is not None or process.state == "suspended":
            return
        run_id = process.run.run_id if process.run is not None else None
        if process.process_id in self._off or self._is_too_often(process):
            return
        log.info("watch.changed", process=process.process_id, file=name, run_id=run_id)
        with self._hub.bus.caused_by({"user": None, "role": "hub", "via": "watch", "run_id": None}):
            if alive(process.run):
                process.reason = f"{name} changed"
            self._hub.pool.want_restart(process)

    def _is_too_often(self, process: Process) -> bool:
        times = self._times.setdefault(process.process_id, deque(maxlen=MOST_RESTARTS))
        now = anyio.current_time()
        if len(times) == MOST_RESTARTS and now - times[0] < WITHIN_S:
            self._off.add(process.process_id)
            self._say(f"{process.process_id} was restarted {MOST_RESTARTS} times within {WITHIN_S:g} s by changes of "
                      "files, perhaps its own; its `watch` rests until it is stopped and started again")  # fmt: skip
            return True
        times.append(now)
        return False

    async def _stop_with_hub(self) -> None:
        """End the watchers' threads when the hub ends, which else would wait for them."""
        try:
            await self._hub.stopping.wait()
        finally:
            for root in self._roots.values():
                root.stop.set()

    def _say_poor(self, root: Root, error: OSError) -> None:
        log.warning("watch.polls", root=root.path, error=str(error), every_s=self._poll_s)
        if not self._is_poor:
            self._is_poor = True
            self._say(
                f"files below {root.path} cannot be watched ({error.strerror or error}); they are looked at every "
                f"{self._poll_s:g} s instead; raise fs.inotify.max_user_watches and max_user_instances"
            )

    def _say(self, message: str) -> None:
        self._hub.bus.publish("hub.error", {"hub_id": self._hub.hub_id, "message": message})


async def _notify(*folders: str, stop_event: anyio.Event) -> Changes:
    """Yield changes in these folders. Raises OSError where the kernel cannot watch them."""
    from watchfiles import awatch  # noqa: PLC0415  3 MB, needed only where something is watched

    async with aclosing(
        awatch(
            *folders, watch_filter=None, debounce=BURST_MS, step=SETTLE_MS, stop_event=stop_event, rust_timeout=2000,
            recursive=False, ignore_permission_denied=True,
        )
    ) as bursts:  # fmt: skip
        async for changes in bursts:
            yield changes
