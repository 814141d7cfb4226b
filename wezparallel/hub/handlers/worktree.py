"""Handlers of the worktree commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.protocol import worktree as words

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted


async def list_(hub: Hub, command: words.WorktreeList) -> words.WorktreesReply:
    """Return a workspace's worktrees."""
    workspace = hub.workspaces.get(command.workspace)
    return words.WorktreesReply(worktrees=await hub.worktrees.of(hub.state.members(workspace.name)))


def remove(_hub: Hub, command: words.WorktreeRemove) -> Accepted:
    """Note what is to go; git is asked afterwards, as often as it takes."""
    return {"path": command.path}


async def removed(hub: Hub, command: words.WorktreeRemove, accepted: Accepted) -> words.WorktreeRemoved:
    """Remove it, or say what would be lost."""
    branch = await hub.worktrees.remove(accepted["path"], command.force)
    return words.WorktreeRemoved(path=accepted["path"], branch=branch)
