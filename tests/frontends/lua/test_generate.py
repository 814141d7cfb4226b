"""The plugin's generated view of the protocol."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from lupa import lua54

from wezparallel.frontends.lua import generate
from wezparallel.protocol import registry
from wezparallel.protocol.command import Mutation

ROOT = Path(__file__).parents[3]


def test_the_module_in_the_tree_is_fresh() -> None:
    assert (ROOT / "lua/wezparallel/api.lua").read_text() == generate.api(), "run scripts/gen"


def test_it_is_lua_and_names_every_command_that_changes_something() -> None:
    module = lua54.LuaRuntime().execute(generate.api())
    changing = {name for name, command in registry.COMMANDS.items() if issubclass(command, Mutation)}
    assert {name for name, value in module.mutations.items() if value} == changing


def test_every_command_and_each_of_its_fields_is_annotated() -> None:
    classes: dict[str, set[str]] = {}
    for part in generate.api().split("---@class ")[1:]:
        classes[part.split()[0]] = set(re.findall(r"^---@field (\S+)", part, re.MULTILINE))
    for name, facts in registry.describe().items():
        assert classes[name] == set(facts["request"].get("properties", {})), name
        assert name in classes["Request"]


def test_every_type_that_is_spoken_of_is_defined() -> None:
    text = generate.api()
    defined = set(re.findall(r"---@(?:class|alias) (\w+)", text))
    known = {"string", "integer", "number", "boolean", "table", "nil", "any"}
    spoken = {word for line in re.findall(r"^---@field \S+ (\S+)", text, re.MULTILINE)
              for word in re.findall(r"(?<!')\b[A-Za-z]\w*\b(?!')", line)}  # fmt: skip
    assert spoken - defined - known == set()


def test_lines_are_short_enough_for_luacheck() -> None:
    assert max(map(len, generate.api().splitlines())) <= 120


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"type": "string"}, "string"),
        ({"$ref": "#/$defs/Plan"}, "Plan"),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, "string|nil"),
        ({"enum": ["a", "b"]}, "'a'|'b'"),
        ({"const": "a"}, "'a'"),
        ({"type": "array", "items": {"type": "integer"}}, "integer[]"),
        ({"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]}}, "(integer|string)[]"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "table<string, string>"),
        ({"type": "object"}, "table"),
        ({}, "any"),
    ],
)
def test_types_have_the_names_of_the_language_server(schema: dict[str, Any], wanted: str) -> None:
    assert generate.lua_type(schema) == wanted
