"""`template import`: another program's file becomes a template of ours, and what has no meaning here is listed.

Which program it is from is seen by its name and its keys. Above: `template`. Below: importers/, which read the text.
"""

from __future__ import annotations

import os
import sys

from wezparallel.client import text
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, given, trusting, writing_files
from wezparallel.frontends.cli.importers import documents, package_json, process_compose, procfile, tmuxp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context
    from wezparallel.frontends.cli.importers.documents import Imported

KINDS = ("tmuxp", "process-compose", "procfile", "package.json")
_FOUND = ("process-compose.yaml", "process-compose.yml", ".tmuxp.yaml", ".tmuxp.yml", ".tmuxp.json", "Procfile.dev",
          "Procfile", "package.json")  # fmt: skip
_TOLD = 40
"""Notes that are printed; `--json` has them all."""


def import_(context: Context, root: str) -> int:
    """Import a file into `wezparallel.yaml`, another file, or stdout."""
    names = context.args.names
    if len(names) > 1:
        raise RequestError("command.bad_value", "one file is imported at a time")
    path = names[0] if names else _find(root)
    imported = read(path, context.args.kind)
    target = context.args.output or os.path.join(root, writing_files.FILE)
    said = None
    try:
        checked = context.call("TemplateCheck", source=imported.source, root=root, **given.given(context))
    except RequestError as error:
        if error.code not in ("template.syntax", "template.layout", "template.variable_unset"):
            raise
        said, checked = error, None
    shown = _shown(path)
    if context.json:
        notes = [{"file": shown, "line": one.line, "key": one.key, "why": one.why} for one in imported.notes]
        written = None if target == "-" else target
        if written:
            writing_files.write(context, target, imported.source)
            _accept(context, target, root, is_right=said is None)
        document = {"kind": imported.kind, "path": written, "source": imported.source, "notes": notes}
        context.dump({**document, "error": None if said is None else said.to_json()})
        return exits.OK if said is None else exits.TEMPLATE
    if target == "-":
        context.screen.out.write(imported.source)
    else:
        writing_files.write(context, target, imported.source)
        context.screen.say(f"{writing_files.shown(target)} is written, from {shown} ({imported.kind})")
        for line in (checked or {"picture": ""})["picture"].splitlines():
            context.screen.say("  " + line)
    _tell(context, imported, shown)
    if said is not None:
        said.message = said.message.replace("template:", f"{writing_files.shown(target)}:", 1)
        raise said
    if target != "-":
        _accept(context, target, root, is_right=True)
    return exits.OK


def read(path: str, kind: str | None) -> Imported:
    """Return what a file becomes. Raises RequestError `template.*`."""
    source = sys.stdin.read() if path == "-" else writing_files.read(path)
    folder = os.path.dirname(os.path.abspath(path)) if path != "-" else os.getcwd()
    beside = frozenset(os.listdir(folder)) if os.path.isdir(folder) else frozenset()
    shown = _shown(path)
    kind = kind or _kind_of(path, source, shown)
    if kind == "tmuxp":
        return tmuxp.read(source, shown, folder)
    if kind == "procfile":
        return procfile.read(source, shown, beside)
    if kind == "package.json":
        return package_json.read(source, shown, beside)
    return process_compose.read(source, shown, beside)


def _kind_of(path: str, source: str, shown: str) -> str:
    name = os.path.basename(path)
    if name.startswith("Procfile") or name.endswith(".procfile"):
        return "procfile"
    root = documents.load(source, shown)
    keys = set(root.entries or {})
    if "windows" in keys:
        return "tmuxp"
    if "scripts" in keys and (name.endswith(".json") or "processes" not in keys):
        return "package.json"
    if "processes" in keys:
        return "process-compose"
    raise RequestError(
        "template.syntax",
        f"it cannot be told whose file {shown} is: tmuxp's has `windows`, process-compose's `processes`, a "
        f"package.json `scripts`; say --as {', '.join(KINDS)}",
    )


def _find(root: str) -> str:
    for name in _FOUND:
        path = os.path.join(root, name)
        if os.path.isfile(path):
            return os.path.relpath(path)
    raise RequestError(
        "template.not_found", f"there is nothing to import in {root}; name a file, or have {', '.join(_FOUND)}"
    )


def _tell(context: Context, imported: Imported, shown: str) -> None:
    """List what has no meaning here on stderr, so that a template on stdout stays one."""
    notes = imported.notes
    if not notes:
        context.note("everything in it has a meaning here")
        return
    context.note(f"{text.plural(len(notes), 'key')} of it with no meaning here, or another one:")
    for note in notes[:_TOLD]:
        context.note("  " + text.clean(documents.place(shown, note)))
    if len(notes) > _TOLD:
        context.note(f"  … and {len(notes) - _TOLD} more; --json has them all")


def _accept(context: Context, target: str, root: str, *, is_right: bool) -> None:
    """Accept what was written: whoever imports it has the file's commands before them."""
    if is_right and os.path.realpath(target).startswith(os.path.realpath(root) + os.sep):
        trusting.trust_own(context, os.path.abspath(target), root)


def _shown(path: str) -> str:
    return "stdin" if path == "-" else path
