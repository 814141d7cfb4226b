"""A Procfile: `name: command` lines. Pure.

Above: `template import`. Below: writing.
"""

from __future__ import annotations

import re

from wezparallel.errors import RequestError
from wezparallel.frontends.cli.importers.documents import Imported, Note
from wezparallel.frontends.cli.importers.writing import Tab, Template, literal, tiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LINE = re.compile(r"([A-Za-z0-9_-]+)[ \t]*:[ \t]*(.+?)[ \t]*\Z")
MAX_PANES = 8  # shown at once; the others run without a pane
_ONCE = frozenset({"release"})


def read(text: str, shown: str, beside: frozenset[str] = frozenset()) -> Imported:
    """Return the template that a Procfile says. `beside` names the files that lie beside it. Raises RequestError."""
    template = Template(f"Imported from {shown}, a Procfile.")
    notes: list[Note] = []
    if ".env" in beside:
        template.top["env_file"] = ".env"
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.match(line)
        if not found:
            notes.append(Note(number, line.strip()[:40], "this is no `name: command`; it is left out"))
            continue
        name = template.free_name(found[1])
        if name != found[1]:
            notes.append(Note(number, found[1], f"this name cannot be used twice; it is called {name}"))
        told: dict[str, Any] = {"command": literal(found[2]), "restart": "on_failure"}
        if found[1] in _ONCE:
            told = {"command": literal(found[2]), "restart": "never", "auto_start": False}
            notes.append(Note(number, found[1], "it runs once at a deployment; here only when you start it"))
            template.processes[name] = told
        elif len(template.panes) < MAX_PANES:
            template.panes[name] = told
        else:
            template.processes[name] = told
    if not template.panes and not template.processes:
        raise RequestError("template.syntax", f"{shown} has no line `name: command`; there is nothing to import")
    if "$PORT" in text or "${PORT}" in text:
        at = next(number for number, line in enumerate(text.splitlines(), 1) if "PORT" in line)
        notes.append(Note(at, "PORT", "no port is given out here; give one by `env: { PORT: 5000 }`"))
    if len(template.panes) > 1:
        template.tabs = [Tab("", tiled(list(template.panes)))]
    return Imported("Procfile", template.text(), notes)
