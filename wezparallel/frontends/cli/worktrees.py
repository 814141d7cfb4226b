"""The git worktrees of a workspace that is deleted: what would be lost is told first, and then nothing is done.

Above: `delete --worktrees`. Below: `WorktreeList`, `WorktreeRemove`, which looks again before it removes.
"""

from __future__ import annotations

import os

from wezparallel.client import text
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject


def removable(context: Context, workspace: str) -> list[JsonObject] | None:
    """Return the worktrees that can go with a workspace; None, told why, if one has something to lose."""
    found: list[JsonObject] = context.call("WorktreeList", workspace=workspace)["worktrees"]
    if context.args.force:
        return found
    kept = [(one, why) for one in found if (why := _reasons(one, workspace))]
    if not kept:
        return found
    lines = [f"{text.home(one['path'], os.path.expanduser('~'))}: {'; '.join(why)}" for one, why in kept]
    context.note("wezparallel: nothing was deleted, because this would be lost:")
    for line in lines:
        context.note(f"  {line}")
    context.note("commit, merge or stop it, delete without --worktrees, or lose it with --force")
    if context.json:
        context.dump({"worktrees": found})
    return None


def remove(context: Context, found: list[JsonObject]) -> int:
    """Remove worktrees, each told; return the exit code."""
    code = exits.OK
    for one in found:
        path = text.home(one["path"], os.path.expanduser("~"))
        try:
            context.call("WorktreeRemove", path=one["path"], force=context.args.force, timeout_s=600.0)
        except RequestError as error:
            context.note(f"wezparallel: {error.message}")
            code = exits.REFUSED
            continue
        if not context.json:
            context.screen.say(f"{path} is removed; the branch {one['branch']} stays")
    return code


def _reasons(tree: JsonObject, workspace: str) -> list[str]:
    """Return what would be lost; what the workspace itself runs there is ended with it."""
    foreign = [name for name in tree["running"] if not name.startswith(f"{workspace}/")]
    return [why for why in tree["why"] if not why.endswith("runs there")] + (
        [f"{', '.join(foreign)} runs there"] if foreign else []
    )
