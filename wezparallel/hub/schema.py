"""The configuration's JSON Schema for editors, made from `settings.py`. Pure."""

from __future__ import annotations

from typing import Any

from wezparallel.hub.settings import DEFAULT_KINDS, Settings


def config_schema() -> dict[str, Any]:
    """Return the schema of a configuration file. A number may also be written with its unit, as `30s`."""
    schema = Settings.model_json_schema()
    for section in (schema, *schema["$defs"].values()):
        for facts in section.get("properties", {}).values():
            _plain(facts)
    for name in schema["properties"]["processes"].get("default", {}):
        assert name in DEFAULT_KINDS
    schema["properties"]["processes"]["default"] = DEFAULT_KINDS
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "wezparallel configuration",
        **{key: value for key, value in schema.items() if key not in ("title", "description")},
    }


def _plain(facts: dict[str, Any]) -> None:
    """Take away titles that say nothing; have a heading without a value, and a time with its unit, be right."""
    facts.pop("title", None)
    unit = facts.pop("x-unit", None)
    if unit:
        facts["description"] = f"{facts.get('description', '')} Unit: {unit}.".strip()
    if "$ref" in facts:
        reference = facts.pop("$ref")
        facts["anyOf"] = [{"$ref": reference}, {"type": "null"}]
        facts.pop("default", None)
