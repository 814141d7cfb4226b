"""Writes the snapshot file: whole or not at all, never more often than it can be of use, only when something changed.

The file is made beside the old one and renamed over it, in a thread, because a disk may be slow. What it shows is
committed before it is written, as with every reply.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from typing import TYPE_CHECKING

import anyio
import structlog

from wezparallel import regular
from wezparallel.errors import RequestError
from wezparallel.hub.gui.snapshot import encode
from wezparallel.hub.state.model import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.hub.state.store import Store
    from wezparallel.types import JsonObject, Seconds

APART_S = 0.1  # between two writes
SHARE = 20  # times what a write costs, in which no other follows unless somebody waits for it
AGAIN_S = 5.0  # after a disk refused
MOST_WAITING = 500
_NEVER_READ = frozenset({errno.EINVAL, errno.ENXIO, errno.EACCES, errno.EPERM, errno.ELOOP})
"""What a pipe, a folder, a socket, somebody else's file and a link to itself answer."""
_NOT_YET = "@"
_AT = b'"written_at":"@"'

log = structlog.get_logger()


class Writer:
    """The one writer."""

    def __init__(
        self, path: str, build: Callable[[str], JsonObject], store: Store, now_ms: Callable[[], int]
    ) -> None:
        """`build` returns the snapshot with a given `written_at`, which stands before all that people wrote."""
        self._path = path
        self._build = build
        self._store = store
        self._now_ms = now_ms
        self._changes = 1  # what there is at first
        self._served = 0
        self._woken = anyio.Event()
        self._last = b""
        self._waiting: list[tuple[int, Callable[[], object]]] = []
        self._hurried = anyio.Event()
        self._cost_s = 0.0
        self._refused = ""
        """Why the last write did not work; the same is said once."""
        self.writes = 0

    def changed(self) -> int:
        """Something is different, or may be; return the number of this change."""
        self._changes += 1
        self._woken.set()
        return self._changes

    def when_written(self, change: int, call: Callable[[], object]) -> None:
        """Call once that change is in the file, which should be soon; at once if it is."""
        if change <= self._served:
            call()
        else:
            self._waiting.append((change, call))
            self._hurried.set()
            if len(self._waiting) > MOST_WAITING:  # a disk that refuses: the first has waited long enough
                self._waiting.pop(0)[1]()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            if self._changes == self._served:
                self._woken = anyio.Event()
                await self._woken.wait()
            seen, self._hurried = self._changes, anyio.Event()
            try:
                data = await self._ready()
                await anyio.to_thread.run_sync(self._write, data, abandon_on_cancel=True)
            except (OSError, RequestError) as error:
                if str(error) != self._refused:
                    log.warning("gui_file.failed", path=self._path, reason=str(error))
                self._refused = str(error)
                await anyio.sleep(AGAIN_S)
                continue
            except Exception:  # the file may be missed, the hub may not
                log.exception("gui_file.failed", path=self._path)
                await anyio.sleep(AGAIN_S)
                continue
            self._served, self._refused = seen, ""
            self._tell(seen)
            await anyio.sleep(APART_S)
            with anyio.move_on_after(SHARE * self._cost_s - APART_S):
                await self._hurried.wait()

    async def at_last(self, patience_s: Seconds) -> None:
        """Write once more, before nobody does any longer; whatever goes wrong with that, the end goes on."""
        with anyio.move_on_after(patience_s):
            try:
                await anyio.to_thread.run_sync(self._write, self._build(_NOT_YET), abandon_on_cancel=True)
            except OSError as error:
                log.warning("gui_file.failed", path=self._path, reason=str(error))

    async def _ready(self) -> JsonObject:
        """Return what is to be written, once all of it is committed."""
        began = time.perf_counter()
        snapshot = self._build(_NOT_YET)
        self._cost_s = time.perf_counter() - began
        await self._store.wait_committed(self._store.ticket())
        return snapshot

    def _write(self, snapshot: JsonObject) -> None:
        """Write it, if it says something new. In a thread; one at a time."""
        began = time.thread_time()
        data = encode(snapshot)
        self._cost_s += time.thread_time() - began
        if data == self._last:
            return
        stamped = data.replace(_AT, f'"written_at":"{rfc3339(self._now_ms())}"'.encode(), 1)
        replace(self._path, stamped)
        self._last = data
        self.writes += 1

    def _tell(self, seen: int) -> None:
        due = [call for number, call in self._waiting if number <= seen]
        self._waiting = [pair for pair in self._waiting if pair[0] > seen]
        for call in due:
            call()


def replace(path: str, data: bytes, *, sync: bool = False) -> None:
    """Have a file hold this and nothing else, readable by its owner alone; a reader sees the old or the new one.

    With `sync` that holds after a power cut, too. What lies there and is no file gives way to it; a folder is kept
    under another name.
    """
    fresh = path + ".new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh)  # what a hub left that was killed, or what would not let itself be opened for writing
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        if sync:
            os.fsync(fd)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise
    finally:
        os.close(fd)
    try:
        os.rename(fresh, path)
    except IsADirectoryError:
        log.warning("folder.in_the_way", path=path, moved_to=regular.put_aside(path, "folder"))
        os.rename(fresh, path)


def content(path: str) -> bytes | None:
    """Return what a file holds, None if there is none; nothing of what can never be read, which is said.

    Raises OSError where that may pass.
    """
    try:
        return regular.read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno not in _NEVER_READ:
            raise
        log.warning("file.unreadable", path=path, reason=error.strerror, instead="it is written anew")
        return b""


def left_by_another(path: str) -> JsonObject | None:
    """Return the snapshot that an earlier hub left; None if there is none that can be read."""
    try:
        found = json.loads(content(path) or b"null")
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
