"""The template language as JSON Schema, for editors; made from `language.py`. Pure.

It is a little wider than the compiler: what only the compiler can know (names, pictures, bounds) it lets pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wezparallel.hub.workspaces import language
from wezparallel.hub.workspaces.fields import ALIASES
from wezparallel.hub.workspaces.language import Key
from wezparallel.hub.workspaces.older import GRID_PANE, GRID_WORKSPACE, NO_MEANING, SILENT, WORKSPACE_PROCESS

URL = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {"type": "string", "pattern": r"\$\{|\{\{"}
_ANYTHING: Mapping[str, Any] = {}


def template_schema() -> dict[str, Any]:
    """Return the schema of a template file."""
    top = _map(language.TOP)
    top["properties"] |= {
        name: {"description": "Of the seeds' files; passed over."} for name in (*SILENT, *NO_MEANING)
    }
    top["properties"]["workspace"] = _older(GRID_WORKSPACE, "What a grid file runs without a pane.")
    top["properties"]["workspace"]["properties"]["processes"] = {
        "type": "array", "items": _older(WORKSPACE_PROCESS, "A process without a pane."),
    }  # fmt: skip
    defs: dict[str, Any] = {name: _map(keys) for name, keys in language.MAPS.items()}
    command = next(key for key in language.PROCESS if key.name == "command").schema
    picture = next(key for key in language.LAYOUT if key.name == "areas").schema
    grid = _older(("type", "description", "panes"), "The seeds' grid of rows and columns.")
    grid["properties"]["panes"] = {"type": "array", "items": _older(GRID_PANE, "A pane at its row and column.")}
    grid["required"] = ["panes"]
    listed = _map(language.PROCESS)
    listed["properties"] |= {"name": {"type": "string"}, "id": {"type": "string"}}
    defs |= {
        "layout": {"anyOf": [picture, defs["layout"], grid]},
        "env_file": {"anyOf": [{"type": "string"}, defs["env_file"]]},
        "listed_pane": listed,
        "process_or_command": {"anyOf": [command, {"$ref": "#/$defs/process"}, {"type": "null"}]},
        "workspace": top,
        "process_file": _process_file(),
    }
    return {
        "$schema": URL,
        "title": "wezparallel template",
        "description": "What a workspace runs, and a picture of where its panes are; or one process by itself.",
        "anyOf": [{"$ref": "#/$defs/workspace"}, {"$ref": "#/$defs/process_file"}],
        "$defs": defs,
    }


def _process_file() -> dict[str, Any]:
    own = _map(language.PROCESS_FILE)
    alone = _map(tuple(key for key in language.PROCESS if key.name not in language.NOT_ALONE))
    own["properties"] = alone["properties"] | own["properties"]
    return {**own, "required": ["kind"]}


def _map(keys: tuple[Key, ...]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for key in keys:
        facts = {"description": _sentence(key), **_or_null(key.schema)}
        properties[key.name] = facts
        for name in (*(one for one, of in ALIASES.items() if of == key.name), key.name):
            properties.setdefault(name, facts)
            properties.setdefault(name.replace("_", "-"), facts)
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _or_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema to which null, and a value that is filled in later, belong too."""
    return {"anyOf": [dict(schema), _REFERENCE, {"type": "null"}]}


def _older(names: tuple[str, ...], text: str) -> dict[str, Any]:
    properties = {name: dict(_ANYTHING) for name in names}
    for name in names:
        properties |= {other: dict(_ANYTHING) for other, of in ALIASES.items() if of == name}
    return {"type": "object", "description": text, "properties": properties, "additionalProperties": False}


def _sentence(key: Key) -> str:
    text = key.text[0].upper() + key.text[1:]
    return f"{text}. If left out: {key.default}." if key.default else f"{text}."
