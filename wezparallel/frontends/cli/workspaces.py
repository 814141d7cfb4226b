"""`down`, `delete` and `rename`: end a workspace's processes and keep or forget it; give it another name."""

from __future__ import annotations

from wezparallel.client import text
from wezparallel.frontends.cli import exits, many, names, worktrees

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context


def down(context: Context) -> int:
    """Stop everything in a workspace."""
    workspace = names.workspace(context, context.args.name)
    reply = many.wait(context, "WorkspaceClose", {"name": workspace["name"]}, f"{workspace['name']} is closing")
    if context.json:
        context.dump(reply)
    elif not workspace["open"]:
        context.screen.say(f"{workspace['name']} was closed already; `wezparallel up {workspace['name']}` opens it")
    else:
        stopped = text.plural(workspace["running"], "process", "processes")
        context.screen.say(
            f"{workspace['name']} is closed, {stopped} stopped; `wezparallel up {workspace['name']}` opens it again"
        )
    return exits.OK


def delete(context: Context) -> int:
    """Stop everything in a workspace and forget it, after a question."""
    workspace = names.workspace(context, context.args.name)
    name = workspace["name"]
    trees = worktrees.removable(context, name) if context.args.worktrees else []
    if trees is None:
        return exits.REFUSED
    if not context.args.yes:
        what = text.plural(workspace["processes"], "process", "processes")
        if not context.interactive:
            context.note(f"wezparallel: this forgets {name}, {what} and their logs; say --yes")
            return exits.USAGE
        running = f", {workspace['running']} running" if workspace["running"] else ""
        if context.ask(f"Forget {name} with {what}{running}, and all their logs? [y/N]", "n") != "y":
            context.screen.say("Nothing was changed.")
            return exits.OK
    reply = many.wait(context, "WorkspaceDelete", {"name": name}, f"{name} is closing")
    if context.json:
        context.dump(reply)
    else:
        context.screen.say(f"{name} is forgotten, with its logs")
    return worktrees.remove(context, trees)


def rename(context: Context) -> int:
    """Give a workspace another name; what runs in it does not notice."""
    names.check_new(context.args.to)
    workspace = names.workspace(context, context.args.name)
    reply = context.call("WorkspaceRename", name=workspace["name"], to=context.args.to)
    if context.json:
        context.dump(reply)
    else:
        context.screen.say(f"{reply['previous']} is called {reply['workspace']['name']} now")
    return exits.OK
