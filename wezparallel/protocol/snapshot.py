"""Snapshots: workspaces and processes as YAML for people, for a backup and to go back."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from wezparallel.protocol.command import Command, Effect, Mutation, Record, Reply
from wezparallel.protocol.workspace import Environment, FieldChange, Outcome

MAX_SOURCE = 640 * 1024

Source = Annotated[str | None, Field(max_length=MAX_SOURCE, description="A snapshot's text itself.")]
Path = Annotated[str | None, Field(max_length=4096, description="Absolute path of a file with one.")]
Id = Annotated[str | None, Field(min_length=1, max_length=64, description="An id, or how it begins.")]


class SnapshotRecord(Record):
    """One snapshot of those that are kept."""

    snapshot: Annotated[str, Field(description="Its id: the time when it was written.")]
    written_at: str
    because: Annotated[str, Field(description="`change`, `asked`, `import` or `rollback`: before those two.")]
    workspaces: int
    processes: int
    size_bytes: int
    path: str
    current: Annotated[bool, Field(description="It says what there is now.")] = False


class SnapshotChange(Record):
    """One workspace or process that is added, changed or removed. Of the environment only names are told."""

    kind: Literal["added", "changed", "removed"]
    what: Literal["workspace", "process"]
    name: Annotated[str, Field(description="Of a process its id.")]
    text: Annotated[str, Field(description="A process's command, a workspace's root.")]
    fields: list[FieldChange] = []
    running: bool = False
    needs_restart: Annotated[bool, Field(description="It runs on with its present settings until then.")] = False
    starts: Annotated[bool, Field(description="It is started.")] = False
    skipped: Annotated[str | None, Field(description="Why nothing is done.")] = None


class SnapshotExported(Reply):
    """It is written."""

    TAG: ClassVar[str] = "SnapshotExported"
    snapshot: SnapshotRecord
    source: Annotated[str | None, Field(description="Its YAML; null if that is too long for a reply: read `path`.")]


class SnapshotExport(Mutation[SnapshotExported]):
    """Write a snapshot now, and tell it. Secrets are left out, and environments never in it."""

    REPLY: ClassVar[type[Reply]] = SnapshotExported


class SnapshotImported(Reply):
    """What there is, is as the snapshot says, but for what was skipped and what runs on with earlier settings."""

    TAG: ClassVar[str] = "SnapshotImported"
    changes: list[SnapshotChange]
    processes: Annotated[list[Outcome], Field(description="What became of those that were started.")]
    notes: Annotated[list[str], Field(description="What of the file was not understood.")]
    before: Annotated[str | None, Field(description="Id of the snapshot of what there was.")]
    dry_run: bool


class SnapshotImport(Mutation[SnapshotImported]):
    """Add and change what a snapshot says, or an edited `workspaces.json`; nothing that runs is stopped."""

    REPLY: ClassVar[type[Reply]] = SnapshotImported
    EFFECT: ClassVar[Effect] = "destroy"
    source: Source = None
    path: Path = None
    prune: Annotated[bool, Field(description="Forget what it has not, with its logs, unless it runs.")] = False
    dry_run: Annotated[bool, Field(description="Only tell what would change.")] = False
    environment: Environment = None

    @model_validator(mode="after")
    def _one(self) -> SnapshotImport:
        if (self.source is None) == (self.path is None):
            raise ValueError("it takes a `source` or a `path`")
        return self


class SnapshotRestored(SnapshotImported):
    """What there is, is as it was, but for what was skipped and what runs on with later settings."""

    TAG: ClassVar[str] = "SnapshotRestored"
    snapshot: SnapshotRecord
    epoch: Annotated[str, Field(description="Of the history that begins with it.")]


class SnapshotRollback(Mutation[SnapshotRestored]):
    """Go back to a snapshot: add, change, and forget what it has not; nothing that runs is stopped."""

    REPLY: ClassVar[type[Reply]] = SnapshotRestored
    EFFECT: ClassVar[Effect] = "destroy"
    snapshot: Annotated[
        str | None, Field(min_length=1, max_length=64, description="Its id; else the newest that differs from now.")
    ] = None
    dry_run: Annotated[bool, Field(description="Only tell what would change.")] = False
    environment: Environment = None


class Snapshots(Reply):
    """Those that are kept, the newest first."""

    TAG: ClassVar[str] = "Snapshots"
    snapshots: list[SnapshotRecord]


class SnapshotList(Command[Snapshots]):
    """List the snapshots that are kept."""

    REPLY: ClassVar[type[Reply]] = Snapshots
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class SnapshotDifference(Reply):
    """What has changed from one to the other."""

    TAG: ClassVar[str] = "SnapshotDifference"
    snapshot: SnapshotRecord
    to: Annotated[SnapshotRecord | None, Field(description="Null: what there is now.")]
    changes: list[SnapshotChange]


class SnapshotDiff(Command[SnapshotDifference]):
    """Tell what has changed since a snapshot, or between two."""

    REPLY: ClassVar[type[Reply]] = SnapshotDifference
    snapshot: Annotated[
        str | None, Field(min_length=1, max_length=64, description="Its id; else the newest that differs from now.")
    ] = None
    to: Annotated[Id, Field(description="The later one; else what there is now.")] = None


class SnapshotEvent(Record):
    """Data of `snapshot.*` events."""

    snapshot: Annotated[str | None, Field(description="Its id; null for a file.")]
    path: str | None
    because: Annotated[str, Field(description="`change asked import rollback`, or `damage` of the database.")]
    workspaces: int
    processes: int
    epoch: str | None = None
    moved_to: Annotated[str | None, Field(description="Where the damaged database is.")] = None


COMMANDS: tuple[type[Command[Reply]], ...] = (
    SnapshotExport, SnapshotImport, SnapshotList, SnapshotDiff, SnapshotRollback,
)  # type: ignore[assignment]  # fmt: skip
EVENTS: dict[str, type[Record]] = {f"snapshot.{verb}": SnapshotEvent for verb in ("written", "restored")}
