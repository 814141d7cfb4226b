"""Git worktrees that processes run in: what there is, and its removal."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from wezparallel.protocol.command import Command, Effect, Mutation, Record, Reply


class WorktreeRecord(Record):
    """One worktree that was made for processes."""

    path: str
    repository: Annotated[str, Field(description="Folder of its main worktree.")]
    branch: Annotated[str | None, Field(description="Null: none is checked out.")]
    processes: Annotated[list[str], Field(description="Ids of those that have it as their folder.")]
    running: Annotated[list[str], Field(description="What runs in it: ids of processes, `pid N` of others.")]
    changes: Annotated[int, Field(description="Files that are not committed.")]
    unmerged: Annotated[int, Field(description="Commits that no other branch and no remote has.")]
    why: Annotated[list[str], Field(description="Why it should not be removed; empty if nothing would be lost.")]


class WorktreesReply(Reply):
    """Worktrees, sorted by path."""

    TAG: ClassVar[str] = "Worktrees"
    worktrees: list[WorktreeRecord]


class WorktreeList(Command[WorktreesReply]):
    """List the worktrees of a workspace's processes, and what speaks against removing each."""

    REPLY: ClassVar[type[Reply]] = WorktreesReply
    workspace: str


class WorktreeRemoved(Reply):
    """Its folder is gone. The branch stays, with its commits."""

    TAG: ClassVar[str] = "WorktreeRemoved"
    path: str
    branch: str | None


class WorktreeRemove(Mutation[WorktreeRemoved]):
    """Remove a worktree that was made for processes; what is not committed, merged or still runs keeps it."""

    REPLY: ClassVar[type[Reply]] = WorktreeRemoved
    EFFECT: ClassVar[Effect] = "destroy"
    path: str
    force: Annotated[bool, Field(description="Also with changes, and under what runs in it. They are lost.")] = False


COMMANDS: tuple[type[Command[Reply]], ...] = (WorktreeList, WorktreeRemove)  # type: ignore[assignment]
EVENTS: dict[str, type[Record]] = {}
