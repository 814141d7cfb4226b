"""`up`: open the workspace of this folder, watch it come up, go to its focused pane.

Without a template it draws what it found and asks; without a terminal it asks nothing, writes nothing, attaches to
nothing. opening.py shows the processes while they start.
"""

from __future__ import annotations

import os
import shlex
import subprocess

from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, given, names, panes, reconciling, small, trusting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

FILE = "wezparallel.yaml"
_MARKS = (FILE, "wezparallel.yml", ".wezparallel", ".git")
_SUFFIXES = (".yaml", ".yml")


def up(context: Context) -> int:
    """Open a workspace, or open it again; what came with its folder is shown before it runs for the first time."""
    return trusting.asking(context, _up)


def _up(context: Context) -> int:
    args = context.args
    names.check_new(args.name)
    context.client(asked=True)
    root = os.path.realpath(args.root) if args.root else project_root(os.getcwd())
    if not os.path.isdir(root):
        raise RequestError("process.no_directory", f"there is no folder {root}; --root names the project's folder")
    command, fields = _what(context, root)
    if command is None:
        return exits.OK
    place = panes.find(context)
    terminal = None if place else given.terminal(context)
    fields |= {"view": "plan" if place else "none", "environment": dict(os.environ), "terminal": terminal}
    if command == "WorkspaceCreate":
        fields["variables"] = given.variables(args.var or [])
    changes: list[JsonObject] = []
    if command == "WorkspaceOpen":
        changes = _reconciled(context, fields)
        if args.refresh_env:
            fields["refresh_env"] = True
    try:
        opened = panes.watch(context, place, command, fields)
    except RequestError as error:
        # Somebody else was quicker.
        if error.code != "workspace.exists" or command != "WorkspaceCreate":
            raise
        name = error.data.get("name") or fields.get("name") or os.path.basename(root)
        command, fields = "WorkspaceOpen", {"name": name, **_view(fields)}
        opened = panes.watch(context, place, command, fields)
    for note in opened.reply.get("notes", []):
        context.note(f"wezparallel: {note}")
    if context.json:
        context.dump({**opened.reply, "changes": changes} if command == "WorkspaceOpen" else opened.reply)
    focus = opened.reply["workspace"]["focus"] or opened.first
    if context.interactive and not args.detach and not place and focus and opened.is_up(focus):
        small.become_attach(context, focus)
    return exits.FAILED if opened.failed else exits.OK


def _reconciled(context: Context, fields: JsonObject) -> list[JsonObject]:
    """Bring the workspace that is about to be opened to what its template says by now."""
    workspace = next(one for one in context.workspaces() if one["name"] == fields["name"])
    return reconciling.reconcile(context, workspace, _view(fields))


def _view(fields: JsonObject) -> JsonObject:
    return {name: fields[name] for name in ("view", "environment", "terminal")}


def _what(context: Context, root: str) -> tuple[str | None, JsonObject]:
    """Return the command that opens what was asked for, and its fields; None when the person said no."""
    args = context.args
    known = context.workspaces()
    named = args.template
    if named is not None and not args.root and any(one["name"] == named for one in known):
        return "WorkspaceOpen", {"name": named}
    here = [one for one in known if _is_of(one, root) and args.name in (None, one["name"])]
    if here:
        if named is not None:
            _check_same(context, here[0], named, root)
        return "WorkspaceOpen", {"name": here[0]["name"]}
    fields: JsonObject = {"root": root, "unique": True}
    if args.name:
        fields["name"] = args.name
    if named is not None:
        return "WorkspaceCreate", {**fields, "template": template_name(named)}
    template = context.call("TemplateGet", root=root, **given.given(context))
    if template["template"]["origin"] != "detected":
        return "WorkspaceCreate", fields
    return _detected(context, root, template, fields)


def _is_of(workspace: JsonObject, root: str) -> bool:
    """Tell whether a workspace belongs to a folder; its template may put its root elsewhere."""
    return root in (os.path.realpath(workspace["root"]), os.path.realpath(workspace.get("folder") or "/"))


def _check_same(context: Context, workspace: JsonObject, named: str, root: str) -> None:
    """Refuse another template than the one that the open workspace came from. Raises RequestError."""
    wanted = context.call("TemplateGet", root=root, name=template_name(named), **given.given(context))["template"]
    name = workspace["name"]
    if wanted["name"] != workspace["template"] and wanted["path"] != workspace["template"]:
        raise RequestError(
            "workspace.exists",
            f"{name} is open here already, from {workspace['template'] or 'another template'}; `wezparallel up` goes "
            f"there, `--name` opens a second one, `wezparallel delete {name}` makes room for {named}",
            name=name,
        )


def _detected(context: Context, root: str, template: JsonObject, fields: JsonObject) -> tuple[str | None, JsonObject]:
    """Draw what would be opened, ask whether to write it down."""
    source = template["source"]
    if not context.json:
        found = ", ".join(template["found"])
        context.screen.say(f"No {FILE} here." + (f" From {found}:" if found else " To begin with:"))
        context.screen.say()
        for line in template["picture"].splitlines():
            context.screen.say("  " + line)
        context.screen.say()
    answer = "n"
    if context.args.yes:
        answer = "y"
    elif context.interactive:
        answer = context.ask(f"Write {FILE} and open it? [Y]es, [e]dit, [n]o", "y")
        if answer not in ("y", "e"):
            context.screen.say("Nothing was written or opened.")
            return None, {}
    else:
        return "WorkspaceCreate", {**fields, "source": source}
    path = os.path.join(root, FILE)
    with open(path, "x", encoding="utf-8") as file:
        file.write(source)
    if answer == "e" and not _edit(context, path, root):
        return None, {}
    trusting.trust_own(context, path, root)
    return "WorkspaceCreate", fields


def _edit(context: Context, path: str, root: str) -> bool:
    """Let the person edit the file until it compiles; tell whether it does."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    while True:
        try:
            subprocess.run([*shlex.split(editor), path], check=False)
        except OSError as error:
            context.note(
                f"wezparallel: {editor}: {error.strerror}; {path} is written, edit it and run `wezparallel up`"
            )
            return False
        try:
            with open(path, encoding="utf-8") as file:
                check(context, file.read(), root, FILE)
        except RequestError as error:
            from wezparallel.frontends.cli.main import complain  # noqa: PLC0415  main imports this module

            complain(context, error)
            if context.ask("Edit again? [Y/n]", "y") == "n":
                return False
        else:
            return True


def check(context: Context, source: str, root: str, shown: str) -> JsonObject:
    """Compile a template's text; an error names `shown`, because the hub was given text without a name."""
    try:
        return context.call("TemplateCheck", source=source, root=root, **given.given(context))
    except RequestError as error:
        if error.data.get("file") == "template":
            error.message = error.message.replace("template:", f"{shown}:", 1)
            error.data["file"] = shown
        raise


def project_root(folder: str) -> str:
    """Return the folder that a project begins in: the nearest at or above with a template or a repository."""
    folder = os.path.realpath(folder)
    home = os.path.realpath(os.path.expanduser("~"))
    at = folder
    while True:
        if any(os.path.exists(os.path.join(at, mark)) for mark in _MARKS):
            return at
        parent = os.path.dirname(at)
        # A repository of dotfiles in the home folder is not the project of everything below it.
        if at in (home, parent) or parent == home:
            return folder
        at = parent


def template_name(word: str) -> str:
    """Return a template as the hub takes it: a name, or a file's absolute path."""
    if "/" in word or word.endswith(_SUFFIXES):
        return os.path.abspath(os.path.expanduser(word))
    return word
