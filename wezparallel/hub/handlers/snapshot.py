"""Handlers of the snapshot commands: write one, list them, compare, take one in, go back to one."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub.handlers.workspace import outcome
from wezparallel.hub.pool import checks
from wezparallel.hub.restoring import Restoration, compare
from wezparallel.hub.snapshots import event_data
from wezparallel.hub.state import snapshot, snapshot_files, snapshot_reading
from wezparallel.hub.state.model import State
from wezparallel.protocol import snapshot as words

if TYPE_CHECKING:
    from typing import Any

    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted
    from wezparallel.hub.state.snapshot import Snapshot
    from wezparallel.hub.state.snapshot_files import Entry

MAX_TEXT = 768 * 1024  # of a reply


def export(_hub: Hub, _command: words.SnapshotExport) -> Accepted:
    """Nothing is to be decided."""
    return {}


async def exported(hub: Hub, _command: words.SnapshotExport, _accepted: Accepted) -> words.SnapshotExported:
    """Write it and tell it."""
    entry, text = await hub.snapshots.write("asked")
    source = text if len(text.encode("utf-8", "replace")) <= MAX_TEXT else None
    return words.SnapshotExported(snapshot=_record(entry, entry.digest), source=source)


def import_(hub: Hub, command: words.SnapshotImport) -> Accepted:
    """Add and change what it says."""
    text = command.source if command.path is None else snapshot_files.text_of(_absolute(command.path))
    said = snapshot_reading.read(text or "", os.path.expanduser("~"))
    accepted = _restore(hub, said, command, prune=command.prune)
    if not command.dry_run:
        told = {
            "snapshot": None, "path": command.path, "because": "import", "workspaces": len(said.workspaces),
            "processes": len(said.processes),
        }  # fmt: skip
        hub.bus.publish("snapshot.restored", told)
    return accepted


async def imported(hub: Hub, command: words.SnapshotImport, accepted: Accepted) -> words.SnapshotImported:
    """Answer once what was started is up, or why it is not."""
    return words.SnapshotImported(**await _restored(hub, "import", accepted), dry_run=command.dry_run)


def rollback(hub: Hub, command: words.SnapshotRollback) -> Accepted:
    """Have what there is be as it was."""
    entry = snapshot_files.find(paths.snapshots_dir(), command.snapshot, snapshot.digest(hub.snapshots.document()))
    said = snapshot_reading.read(snapshot_files.text_of(entry.path), os.path.expanduser("~"))
    accepted = _restore(hub, said, command, prune=True)
    if not command.dry_run:
        hub.store.renew_epoch()
        hub.bus.publish("snapshot.restored", {**event_data(entry), "because": "rollback", "epoch": hub.store.epoch})
    return {**accepted, "snapshot": _record(entry, "").model_dump(), "epoch": hub.store.epoch}


async def rolled_back(hub: Hub, command: words.SnapshotRollback, accepted: Accepted) -> words.SnapshotRestored:
    """Answer once what was started is up, or why it is not."""
    told = await _restored(hub, "rollback", accepted)
    record = words.SnapshotRecord.model_validate(accepted["snapshot"])
    return words.SnapshotRestored(**told, dry_run=command.dry_run, snapshot=record, epoch=accepted["epoch"])


def _restore(
    hub: Hub, said: Snapshot, command: words.SnapshotImport | words.SnapshotRollback, *, prune: bool
) -> Accepted:
    restoration = Restoration(hub, said, prune=prune)
    accepted: Accepted = {
        "changes": [one.model_dump(mode="json") for one in restoration.changes], "notes": said.notes, "runs": {},
        "before": None,
    }  # fmt: skip
    if not command.dry_run and any(one.skipped is None for one in restoration.changes):
        # Committed with the change, so that it can be undone whatever dies next.
        accepted["before"] = hub.snapshots.document()
        accepted["runs"] = restoration.act(checks.put_environment(hub, command.environment))
    return accepted


async def _restored(hub: Hub, because: str, accepted: Accepted) -> dict[str, Any]:
    """Keep what there was, wait for what was started."""
    before, notes = None, list(accepted["notes"])
    if accepted["before"] is not None:
        try:
            entry, _ = await hub.snapshots.write(because, accepted["before"])
            before = entry.snapshot_id
        except RequestError as error:  # the deed is done
            notes.append(f"what there was before could not be saved: {error.message}")
    found = []
    for process_id, run_id in accepted["runs"].items():
        process = hub.state.processes.get(process_id)
        if process is not None:
            found.append(await outcome(hub, process, run_id))
    changes = [words.SnapshotChange.model_validate(one) for one in accepted["changes"]]
    return {"changes": changes, "processes": found, "notes": notes, "before": before}


async def list_(hub: Hub, command: words.SnapshotList) -> words.Snapshots:
    """Return those that are kept."""
    now = snapshot.digest(hub.snapshots.document())
    found = await anyio.to_thread.run_sync(snapshot_files.entries, paths.snapshots_dir(), abandon_on_cancel=True)
    return words.Snapshots(snapshots=[_record(entry, now) for entry in found[: command.limit]])


async def diff(hub: Hub, command: words.SnapshotDiff) -> words.SnapshotDifference:
    """Compare one with another, or with what there is now."""
    now = snapshot.digest(hub.snapshots.document())
    first, said = await _read(command.snapshot, now)
    if command.to is None:
        to, later = None, snapshot_reading.read(snapshot.encode(hub.snapshots.document()), "/")
    else:
        to, later = await _read(command.to, now)
    changes = [step.change for step in compare(State(said.workspaces, said.processes), later, prune=True)]
    shown = [one.model_copy(update={"skipped": None, "starts": False, "running": False}) for one in changes]
    return words.SnapshotDifference(
        snapshot=_record(first, now), to=None if to is None else _record(to, now), changes=shown
    )


async def _read(snapshot_id: str | None, now: str) -> tuple[Entry, Snapshot]:
    def read() -> tuple[Entry, Snapshot]:
        entry = snapshot_files.find(paths.snapshots_dir(), snapshot_id, now)
        return entry, snapshot_reading.read(snapshot_files.text_of(entry.path), os.path.expanduser("~"))

    return await anyio.to_thread.run_sync(partial(read), abandon_on_cancel=True)


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise snapshot.bad(f"{path!r} is not absolute; give the whole path", field="path")
    return path


def _record(entry: Entry, now: str) -> words.SnapshotRecord:
    return words.SnapshotRecord(
        snapshot=entry.snapshot_id, written_at=entry.written_at, because=entry.because,
        workspaces=entry.workspaces, processes=entry.processes, size_bytes=entry.size, path=entry.path,
        current=entry.digest == now,
    )  # fmt: skip
