"""The scripts of a package.json. Pure.

What serves or watches becomes a pane; every other script a process that is started when somebody asks for it. Above:
`template import`. Below: documents, writing.
"""

from __future__ import annotations

from wezparallel.errors import RequestError
from wezparallel.frontends.cli.importers.documents import Imported, Note, load
from wezparallel.frontends.cli.importers.writing import Tab, Template, tiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wezparallel.frontends.cli.importers.documents import Value

_LOCKS = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lockb", "bun"), ("bun.lock", "bun"))
_LONG = ("dev", "start", "serve", "watch", "server", "preview")
_BY_ITSELF = frozenset({
    "preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare", "prepublishOnly",
    "prepack", "postpack", "publish", "postpublish", "dependencies", "version", "preversion", "postversion",
})  # fmt: skip
MAX_PANES = 4
MAX_SCRIPTS = 150


def read(text: str, shown: str, beside: frozenset[str] = frozenset()) -> Imported:
    """Return the template that the scripts make. `beside` names the files that lie beside it. Raises RequestError."""
    root = load(text, shown)
    scripts = dict(root.pairs("scripts"))
    if not scripts:
        raise RequestError("template.syntax", f"{shown} has no `scripts`; there is nothing to import")
    named = root.told("packageManager").split("@", maxsplit=1)[0]
    manager = next((one for lock, one in _LOCKS if lock in beside), named)
    manager = manager if manager in ("pnpm", "yarn", "bun") else "npm"
    template = Template(f"Imported from the scripts of {shown}.")
    notes: list[Note] = []
    chosen = _panes(list(scripts))
    for script, value in scripts.items():
        if script in _BY_ITSELF or _is_hook(script, scripts):
            notes.append(Note(value.line, value.path, f"{manager} runs it by itself"))
            continue
        if len(template.panes) + len(template.processes) >= MAX_SCRIPTS:
            notes.append(Note(value.line, value.path, f"more than {MAX_SCRIPTS} scripts; it is left out"))
            continue
        told: dict[str, Any] = {"command": [manager, "run", script]}
        name = template.free_name(script.replace(":", "-"))
        if script in chosen:
            template.panes[name] = told
        else:
            template.processes[name] = {**told, "restart": "never", "auto_start": False}
    if len(template.panes) > 1:
        template.tabs = [Tab("", tiled(list(template.panes)))]
    return Imported("package.json", template.text(), notes)


def _is_hook(script: str, scripts: dict[str, Value]) -> bool:
    return any(script.startswith(base) and script[len(base) :] in scripts for base in ("pre", "post"))


def _panes(scripts: list[str]) -> list[str]:
    """Return the scripts that are worth a pane: those that go on, one server at most."""
    servers = [one for one in _LONG if one in scripts][:1]
    watchers = [one for one in scripts if "watch" in one.split(":") and one not in servers]
    return [*servers, *watchers][:MAX_PANES] or [one for one in ("test", *scripts) if one in scripts][:1]
