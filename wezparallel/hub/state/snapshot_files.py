"""The folder of snapshots: one YAML file each, named by its time, readable by its owner alone; the newest are kept.

Called in threads, because a disk may be slow. Above: `snapshots.py`, `restoring.py`.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from wezparallel import regular
from wezparallel.errors import RequestError
from wezparallel.hub.gui.writing import replace
from wezparallel.hub.state import snapshot
from wezparallel.hub.state.snapshot_reading import MAX_BYTES

if TYPE_CHECKING:
    from wezparallel.types import JsonObject

_NAME = re.compile(r"(\d{8}T\d{6}\.\d{3}Z)\.yaml\Z")
_HEAD_BYTES = 2048
_SAID: set[str] = set()
"""What could not be read; each is said once, however often the folder is looked through."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Entry:
    """One snapshot of the folder, as far as its head says."""

    snapshot_id: str
    path: str
    size: int
    written_at: str
    because: str
    digest: str
    fingerprint: str
    workspaces: int
    processes: int


def write(folder: str, told: JsonObject, head: JsonObject, keep: int) -> tuple[Entry, str]:
    """Write a snapshot, drop the oldest; return it with its text. Raises OSError."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    text = snapshot.encode({**head, **told})
    name = head["written_at"].replace("-", "").replace(":", "")
    path = f"{folder}/{name}.yaml"
    replace(path, text.encode("utf-8", "replace"), sync=True)
    prune(folder, keep)
    return _entry(path, text[:_HEAD_BYTES], len(text.encode("utf-8", "replace"))), text


def prune(folder: str, keep: int) -> None:
    """Drop the oldest snapshots; other files of the folder are nobody's business."""
    for name in (*_names(folder)[keep:], *_names(folder, ".new")):  # what a hub left that was killed
        with contextlib.suppress(OSError):
            os.unlink(f"{folder}/{name}")


def entries(folder: str) -> list[Entry]:
    """Return what there is, the newest first."""
    found = []
    for name in _names(folder):
        path = f"{folder}/{name}"
        try:
            with open(regular.opened(path), encoding="utf-8", errors="replace") as file:
                found.append(_entry(path, file.read(_HEAD_BYTES), os.fstat(file.fileno()).st_size))
        except FileNotFoundError:
            continue  # dropped meanwhile
        except OSError as error:
            _say_once(path, str(error.strerror))
    return found


def find(folder: str, snapshot_id: str | None, other_than: str = "") -> Entry:
    """Return the snapshot whose id begins so; without one the newest that is not as `other_than`, a digest.

    Raises RequestError `command.bad_value`.
    """
    known = entries(folder)
    if snapshot_id is None:
        found = [entry for entry in known if entry.digest != other_than][:1]
        said = "there is no snapshot that differs from what there is now" if known else "there is no snapshot yet"
    else:
        found = [entry for entry in known if entry.snapshot_id.startswith(snapshot_id)]
        exact = [entry for entry in found if entry.snapshot_id == snapshot_id]
        found = exact or (found if len(found) == 1 else [])
        said = f"there is no snapshot {snapshot_id!r}, or more than one begins so"
    if not found:
        raise RequestError(
            "command.bad_value",
            f"{said}; SnapshotList names them all",
            known=[one.snapshot_id for one in known[:20]],
        )
    return found[0]


def text_of(path: str) -> str:
    """Return the text of a file that holds a snapshot. Raises RequestError `command.bad_value`."""
    try:
        return regular.read(path, MAX_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        raise RequestError("command.bad_value", f"{path} cannot be read: {error.strerror}", path=path) from None
    except UnicodeDecodeError:
        raise RequestError("command.bad_value", f"{path} is not UTF-8; save it as UTF-8", path=path) from None


def _say_once(path: str, reason: str) -> None:
    if path not in _SAID:
        _SAID.add(path)
        log.warning("snapshot.unreadable", path=path, reason=reason)


def _names(folder: str, suffix: str = "") -> list[str]:
    """Return the names of snapshots, the newest first; with another suffix those of what is not finished."""
    with contextlib.suppress(OSError):  # none yet, or it cannot be looked into: writing says so
        names = [name for name in os.listdir(folder) if name.endswith(suffix)]
        return sorted((name for name in names if _NAME.match(name.removesuffix(suffix))), reverse=True)
    return []


def _entry(path: str, head: str, size: int) -> Entry:
    said = dict(snapshot.summary(head))
    counts = [int(digits) for digits in re.findall(r"\d{1,9}", said.get("counts", ""))]
    workspaces, processes = (*counts, 0, 0)[:2]
    name = os.path.basename(path).removesuffix(".yaml")
    return Entry(
        name, path, size, said.get("written_at") or "", said.get("because") or "", said.get("digest") or "",
        said.get("fingerprint") or "", workspaces, processes,
    )  # fmt: skip
