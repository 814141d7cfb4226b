"""Writes snapshots by itself, and `workspaces.json`: both show what the database holds, and neither leads.

A snapshot every `workspaces.auto_save_interval` if somebody has changed something since the last one, and one at the
end; `workspaces.json` soon after each change. What is written is committed before; it is made and written in a
thread. Above: the hub, the handlers of `Snapshot*`. Below: `state/snapshot*`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import anyio
import structlog

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub.gui.writing import content, replace
from wezparallel.hub.state import snapshot, snapshot_files
from wezparallel.hub.state.model import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.snapshot_files import Entry
    from wezparallel.protocol.events import Event
    from wezparallel.protocol.process import ProcessSettings
    from wezparallel.types import JsonObject

APART_S = 0.5  # between two writes of workspaces.json
AGAIN_S = 5.0  # after a disk refused
LAST_S = 2.0  # for the last ones, when the hub ends
_NEVER = ("metric.", "log.", "alert.", "view.", "snapshot.", "hub.", "config.")
_NOTE = "Written by wezparallel after each change; after an edit: wezparallel snapshot import THIS_FILE"

T = TypeVar("T")
log = structlog.get_logger()


class Snapshots:
    """What is written for people."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._cache: dict[str, tuple[ProcessSettings, JsonObject]] = {}
        self._last = ""
        """Of the newest snapshot."""
        self._seen: tuple[int, int] | None = None
        """The store's changes when it was last looked at."""
        self._changed = anyio.Event()
        self._configured = anyio.Event()
        self._writing = anyio.Lock()
        self._shown = b""
        self._one = anyio.CapacityLimiter(1)
        hub.bus.on_event.append(self._told)

    def document(self) -> JsonObject:
        """Return what there is now."""
        return snapshot.document(self._hub.state, self._cache)

    def configured(self) -> None:
        """The settings have changed."""
        self._configured.set()

    async def run(self) -> None:
        """Write for ever."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._save)
            tasks.start_soon(self._project)

    async def at_last(self) -> None:
        """Write what has changed since, because the hub ends."""
        with anyio.move_on_after(LAST_S, shield=True):
            await self._save_changes()
            with contextlib.suppress(OSError):
                await self._show()

    async def write(self, because: str, told: JsonObject | None = None) -> tuple[Entry, str]:
        """Write a snapshot of what there is, or was; return it with its text. Raises RequestError `disk.full`."""
        hub = self._hub
        async with self._writing:
            told = self.document() if told is None else told
            await hub.store.wait_committed(hub.store.ticket())
            work = partial(self._make, told, because, rfc3339(hub.now_ms()), hub.settings.workspaces.snapshots_kept)
            try:
                entry, text = await self._in_thread(work)
            except OSError as error:
                folder = paths.snapshots_dir()
                sentence = (
                    f"no snapshot can be written into {folder}: {error.strerror}; make room or make it writable"
                )
                raise RequestError("disk.full", sentence, path=folder) from None
            self._last = entry.fingerprint
        hub.bus.publish("snapshot.written", event_data(entry))
        return entry, text

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Do it beside the loop, one at a time: a thread more costs memory."""
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._one)

    def _make(self, told: JsonObject, because: str, at: str, keep: int) -> tuple[Entry, str]:
        hub = self._hub
        head = snapshot.head(told, written_at=at, because=because, version=hub.version, epoch=hub.store.epoch)
        return snapshot_files.write(paths.snapshots_dir(), told, head, keep)

    async def _save(self) -> None:
        newest = await self._in_thread(partial(snapshot_files.entries, paths.snapshots_dir()))
        self._last = newest[0].fingerprint if newest else ""
        while True:
            self._configured = anyio.Event()
            kept = self._hub.settings.workspaces.snapshots_kept
            async with self._writing:  # what is not finished is pruned, too
                await self._in_thread(partial(snapshot_files.prune, paths.snapshots_dir(), kept))
            with anyio.move_on_after(self._hub.settings.workspaces.auto_save_interval):
                await self._configured.wait()
                continue
            await self._save_changes()

    async def _save_changes(self) -> None:
        """Write a snapshot if somebody has changed something."""
        changes = self._hub.store.changes
        if changes == self._seen:
            return
        told = self.document()
        fingerprint = await self._in_thread(partial(snapshot.fingerprint, told))
        if fingerprint != self._last and (self._last or told["workspaces"] or told["processes"]):
            try:
                await self.write("change", told)
            except RequestError as error:
                log.warning("snapshot.failed", reason=error.message)
                return
            except Exception:  # of a bug in what is for people the hub must not die
                log.exception("snapshot.failed")
                return
            changes = self._hub.store.changes
        self._seen = changes

    def _told(self, event: Event) -> None:
        if not event.name.startswith(_NEVER):
            self._changed.set()

    async def _project(self) -> None:
        while True:
            self._changed = anyio.Event()
            try:
                await self._show()
            except OSError as error:
                log.warning("workspaces_file.failed", path=paths.workspaces_file(), reason=error.strerror)
                await anyio.sleep(AGAIN_S)
                continue
            except Exception:  # of a bug in what is for people the hub must not die
                log.exception("workspaces_file.failed")
                await anyio.sleep(AGAIN_S)
            await self._changed.wait()
            await anyio.sleep(APART_S)

    async def _show(self) -> None:
        told = self.document()
        await self._hub.store.wait_committed(self._hub.store.ticket())
        await self._in_thread(partial(self._write_shown, told, rfc3339(self._hub.now_ms())))

    def _write_shown(self, told: JsonObject, at: str) -> None:
        """Write `workspaces.json` if it says something new. In a thread; one at a time."""
        processes = {
            process_id: {key: value for key, value in one.items() if key not in ("state", "runs")}
            for process_id, one in told["processes"].items()
        }
        body = {"workspaces": told["workspaces"], "processes": processes}
        said = _said(body)
        path = paths.workspaces_file()
        if said == self._shown and os.path.exists(path):
            return
        left, is_ours = _left(path)  # nothing of what cannot be read: it is moved aside, as what was edited is
        if left == said and is_ours:
            self._shown = said
            return
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        if left not in (None, said) and not is_ours:
            aside = f"{path}.edited-{at.replace('-', '').replace(':', '')}"
            os.rename(path, aside)
            log.warning("workspaces_file.edited", moved_to=aside, fix=f"wezparallel snapshot import {aside}")
        text = {"note": _NOTE, "format": snapshot.FORMAT, "written_at": at, "checksum": _checksum(said), **body}
        replace(path, json.dumps(text, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n")
        self._shown = said


def _left(path: str) -> tuple[bytes | None, bool]:
    """Return what a file that is there says, None without one; and whether it is as we wrote it."""
    data = content(path)
    if data is None:
        return None, False
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
        told = json.loads(data)
        said = _said({key: told[key] for key in ("workspaces", "processes")})
        return said, told.get("checksum") == _checksum(said)
    return data, False


def _said(body: JsonObject) -> bytes:
    return json.dumps(body, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")


def _checksum(said: bytes) -> str:
    return hashlib.sha256(said).hexdigest()


def event_data(entry: Entry) -> JsonObject:
    """Return what is told of a snapshot."""
    return {
        "snapshot": entry.snapshot_id, "path": entry.path, "because": entry.because,
        "workspaces": entry.workspaces, "processes": entry.processes,
    }  # fmt: skip
