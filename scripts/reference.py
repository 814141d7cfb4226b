"""Makes the pages and files that are derived from the code: registry, table of states, table of options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from scripts import metric_pages, settings_pages, template_pages
from wezparallel.frontends.lua import generate
from wezparallel.hub.pool import lifecycle
from wezparallel.protocol import registry

ROOT = Path(__file__).parent.parent
HEAD = "<!-- Made by scripts/gen; edit the code instead. -->\n\n"


def commands() -> str:
    """Return the page of all commands."""
    out = [HEAD, "# Commands\n\n", "One JSON value a line on the public socket; see [the protocol]"]
    out.append("(../explanation/protocol.md). `*` marks a required field.\n")
    for name, facts in sorted(registry.describe().items()):
        out.append(f"\n## {name}\n\n{facts['doc']}\n\nEffect: {facts['effect']}. Reply: `{facts['reply_tag']}`.\n")
        out.append(_fields("Field", facts["request"]))
        out.append(_fields("Field of the reply", facts["reply"]))
    return "".join(out)


def events() -> str:
    """Return the page of all events."""
    out = [HEAD, "# Events\n\nSent to who has subscribed, after they are committed.\n\n| event | data |\n|---|---|\n"]
    for name, schema in sorted(registry.describe_events().items()):
        fields = ", ".join(f"`{field}`" for field in schema.get("properties", {}))
        out.append(f"| `{name}` | {fields} |\n")
    return "".join(out)


def states() -> str:
    """Return the page of process states."""
    out = [HEAD, "# States of a process\n\n```mermaid\n", lifecycle.mermaid(), "```\n\n"]
    out.append("| what can happen | meaning |\n|---|---|\n")
    out.extend(f"| `{event}` | {text} |\n" for event, text in lifecycle.EVENTS.items())
    return "".join(out)


MADE = {
    "docs/reference/commands.md": commands,
    "docs/reference/events.md": events,
    "docs/reference/states.md": states,
    "docs/reference/metrics.md": metric_pages.page,
    "docs/reference/settings.md": settings_pages.page,
    "docs/reference/template-keys.md": lambda: HEAD + template_pages.keys(),
    "config/schema/template.schema.json": template_pages.schema_text,
    "config/schema/config.schema.json": settings_pages.schema,
    "config/templates/framework.yaml": settings_pages.sample,
    "lua/wezparallel/api.lua": generate.api,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or check that they are fresh; return the exit code."""
    stale = []
    for name, make in MADE.items():
        path = ROOT / name
        text = make()
        if path.exists() and path.read_text() == text:
            continue
        if "--check" in arguments:
            stale.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if stale:
        sys.stderr.write(f"stale: {', '.join(stale)}; run scripts/gen\n")
    return 1 if stale else 0


def _fields(title: str, schema: dict[str, Any]) -> str:
    properties = schema.get("properties", {})
    if not properties:
        return ""
    rows = [f"\n| {title} | type | meaning |\n|---|---|---|\n"]
    required = set(schema.get("required", ()))
    for name, facts in properties.items():
        mark = "*" if name in required else ""
        default = f" Default `{facts['default']}`." if facts.get("default") not in (None, "", [], {}) else ""
        rows.append(f"| `{name}`{mark} | {_type(facts)} | {facts.get('description', '')}{default} |\n")
    return "".join(rows)


def _type(facts: dict[str, Any]) -> str:
    if "$ref" in facts:
        return str(facts["$ref"]).rpartition("/")[2]
    if "anyOf" in facts:
        return " or ".join(_type(part) for part in facts["anyOf"])
    if "enum" in facts:
        return ", ".join(f"`{value}`" for value in facts["enum"])
    if facts.get("type") == "array":
        return f"list of {_type(facts.get('items', {}))}"
    return str(facts.get("type", "any"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
