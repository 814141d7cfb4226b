"""The Lua plugin's view of the protocol: annotations of all commands for editors, and which of them change something.

Pure: registry in, the text of `lua/wezparallel/api.lua` out. `scripts/gen` writes it and `scripts/gen --check` says
when it is stale. Below: the registry.
"""

from __future__ import annotations

import textwrap
from typing import Any

from wezparallel.protocol import registry

_HEAD = """\
--- Made by scripts/gen; edit the code instead. What can be asked of the hub, for `client.call` and for editors.
--- Above: client. Below: nothing.
local M = {}
"""
_WIDTH = 100
_SIMPLE = {
    "string": "string", "integer": "integer", "number": "number", "boolean": "boolean",
    "null": "nil", "object": "table",
}  # fmt: skip


def api() -> str:
    """Return the text of the module."""
    commands = registry.describe()
    nested: dict[str, dict[str, Any]] = {}
    parts = [_HEAD]
    for name, facts in sorted(commands.items()):
        nested.update(facts["request"].get("$defs", {}))
        parts.append(_class(name, facts["doc"], facts["request"]))
    for name, schema in sorted(nested.items()):
        if name not in commands:
            parts.append(_named(name, schema))
    parts.append(_requests(commands))
    mutations = sorted(name for name, facts in commands.items() if facts["mutation"])
    lines = "".join(f"  {name} = true,\n" for name in mutations)
    parts.append(f"---Commands that change something: they carry a `key`, and the same key never acts twice.\n"
                 f"---@type table<string, boolean>\nM.mutations = {{\n{lines}}}\n")  # fmt: skip
    parts.append("return M\n")
    return "\n".join(parts)


def lua_type(schema: dict[str, Any]) -> str:
    """Return what LuaLS calls the type of a JSON schema."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        found = list(dict.fromkeys(lua_type(part) for part in schema["anyOf"]))
        return "|".join([*(one for one in found if one != "nil"), *(["nil"] if "nil" in found else [])])
    if "enum" in schema:
        return "|".join(f"'{value}'" for value in schema["enum"])
    if "const" in schema:
        return f"'{schema['const']}'"
    kind = schema.get("type")
    if kind == "array":
        items = lua_type(schema.get("items", {}))
        return f"({items})[]" if "|" in items else f"{items}[]"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"table<string, {lua_type(schema['additionalProperties'])}>"
    return _SIMPLE.get(str(kind), "any")


def _named(name: str, schema: dict[str, Any]) -> str:
    if "properties" in schema:
        return _class(name, " ".join(str(schema.get("description", "")).split()), schema)
    return f"---@alias {name} {lua_type(schema)}\n"


def _class(name: str, doc: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    lines = [*_comment(doc), f"---@class {name}"]
    for field, facts in schema.get("properties", {}).items():
        kind = lua_type(facts)
        if field not in required and not kind.endswith("|nil"):
            kind += "|nil"
        description = " ".join(str(facts.get("description", "")).split())
        line = f"---@field {field} {kind}"
        if len(line) + len(description) < _WIDTH:
            lines.append(f"{line} {description}".rstrip())
        else:
            lines.extend([*_comment(description), *_field(field, kind)])
    return "\n".join(lines) + "\n"


def _field(field: str, kind: str) -> list[str]:
    """Return the line of a field; a union too long for one is told as its own simplest form."""
    line = f"---@field {field} {kind}"
    return [line if len(line) <= _WIDTH + 20 else f"---@field {field} any"]


def _requests(commands: dict[str, dict[str, Any]]) -> str:
    lines = ["---One of these.", "---@class Request"]
    lines.extend(f"---@field {name} {name}|nil" for name in sorted(commands))
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return [f"---{line}" for line in textwrap.wrap(text, _WIDTH - 3)]
