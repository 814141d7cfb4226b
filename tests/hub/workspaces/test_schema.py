"""The schema for editors says what the compiler says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hub.workspaces.test_extends import BASE
from tests.hub.workspaces.test_older import DEFAULT, GRID, WEB_DEV
from tests.hub.workspaces.test_tabs import TWO
from tests.hub.workspaces.test_templates import FULL
from wezparallel.hub.workspaces import language
from wezparallel.hub.workspaces.schema import template_schema

SCHEMA = template_schema()
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "number": (int, float), "integer": (int,),
    "boolean": (bool,), "null": (type(None),),
}  # fmt: skip


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Tell whether a value fits; knows the words that our schema uses, and no others."""
    left = set(schema) - {"description", "title", "$schema", "$defs"}
    assert left <= {
        "type", "anyOf", "$ref", "properties", "additionalProperties", "items", "enum", "pattern", "minItems",
        "required",
    }  # fmt: skip
    if "$ref" in schema:
        return fits(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema and not any(fits(value, one) for one in schema["anyOf"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "type" in schema:
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if not any(_is(value, name) for name in names):
            return False
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        return False
    if isinstance(value, list):
        return len(value) >= schema.get("minItems", 0) and all(fits(one, schema.get("items", {})) for one in value)
    if isinstance(value, dict):
        own, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        if not set(schema.get("required", ())) <= set(value):
            return False
        return all(
            fits(one, own[name]) if name in own else others is True or (others is not False and fits(one, others))
            for name, one in value.items()
        )
    return True


def _is(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def built_ins() -> list[Path]:
    return [one for one in sorted(Path("config/templates").glob("*.yaml")) if one.stem != "framework"]


@pytest.mark.parametrize("path", built_ins(), ids=lambda path: path.stem)
def test_every_built_in_fits_and_names_the_schema(path: Path) -> None:
    text = path.read_text()
    first = text.split("\n", maxsplit=1)[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found is not None
    assert (path.parent / found[1]).is_file()
    assert fits(yaml.safe_load(text), SCHEMA)


@pytest.mark.parametrize(
    "source",
    [
        FULL, TWO, BASE, DEFAULT, WEB_DEV, GRID, "panes: [claude, npm run dev, shell]", "panes: { a: , b: [1] }",
        "panes: { a: { replicas: '${N}', focus: '${F}', restart: on-failure, log-cap: 64 MB } }",
        "env_file: [.env, { path: x, required: false }]\nprocesses: { a: { command: x, health: 80, give_up: 3 } }",
        "panes: { a: { ready: { tcp: 80, interval_s: 1s }, stop: { grace-s: 2 }, limits: { nice: 1 } } }",
        "panes: { a: { depends_on: { b: ready } }, b: { depends-on: c }, c: { watch: [x] } }",
    ],
)  # fmt: skip
def test_what_compiles_fits(source: str) -> None:
    assert fits(yaml.safe_load(source), SCHEMA)


@pytest.mark.parametrize(
    "source",
    [
        "pane: [x]", "panes: { a: { comand: x } }", "panes: x", "layout: { area: a }", "tabs: [a]",
        "panes: { a: { restart: sometimes } }", "panes: { a: { ready: { http: x, url: y } } }",
        "panes: { a: { focus: 1 } }", "panes: { a: { backoff: soon } }", "processes: [x]", "variables: [x]",
        "panes: { a: { depends_on: { b: soon } } }", "panes: { a: { log: tape } }",
    ],
)  # fmt: skip
def test_what_is_wrong_does_not_fit(source: str) -> None:
    assert not fits(yaml.safe_load(source), SCHEMA)


def test_the_file_is_fresh() -> None:
    assert json.loads(Path("config/schema/template.schema.json").read_text()) == SCHEMA


def test_every_key_says_what_it_means() -> None:
    for keys in (language.TOP, *language.MAPS.values()):
        assert len({key.name for key in keys}) == len(keys)
        assert all(key.text for key in keys)
