"""What is derived from the template language: the page of all keys, and the schema for editors."""

from __future__ import annotations

import json

from wezparallel.hub.workspaces import language, schema
from wezparallel.hub.workspaces.fields import ALIASES
from wezparallel.hub.workspaces.language import Key

_TITLES = {
    "process": "A process", "probe": "`ready` and `health`", "give_up": "`give_up`", "limits": "`limits`",
    "stop": "`stop`", "layout": "`layout`", "tab": "A tab", "env_file": "A file of variables",
    "process_file": "A template of one process", "variable": "A variable of such a template",
    "bounds": "`validation`",
}  # fmt: skip


def keys() -> str:
    """Return the page of all keys, without its head."""
    out = ["# Keys of a template\n\nEvery key, and what holds if it is left out. In keys `-` equals `_`. "]
    out.append("[Templates](templates.md) says how they work together.\n\n## The file\n\n")
    out.append(_table(language.TOP))
    for name, of in language.MAPS.items():
        out.append(f"\n## {_TITLES[name]}\n\n{_table(of)}")
    return "".join(out)


def schema_text() -> str:
    """Return the schema as a file."""
    return json.dumps(schema.template_schema(), indent=1, ensure_ascii=False) + "\n"


def _table(of: tuple[Key, ...]) -> str:
    rows = ["| key | meaning | if it is left out |\n|---|---|---|\n"]
    for key in of:
        aliases = [f"`{one}`" for one, name in ALIASES.items() if name == key.name and one not in key.text]
        also = f" (or {', '.join(aliases)})" if aliases else ""
        rows.append(f"| `{key.name}`{also} | {key.text} | {key.default} |\n")
    return "".join(rows)
