"""Every example of the language's page compiles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wezparallel.hub.workspaces import language
from wezparallel.hub.workspaces.source import Source
from wezparallel.hub.workspaces.templates import Given, compile_template

PAGE = Path("docs/reference/templates.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = [block for block in BLOCKS if re.search(r"^(panes|processes):", block, re.MULTILINE)]
BASES = {
    "base": "description: What all have\n",
    "web_dev": "layout: [coder server, coder tests]\npanes: { coder: claude, server: npm run dev, tests: npm test }",
}


def base(name: str, _path: str, _open: frozenset[str]) -> Source:
    return Source(f"/t/{name}.yaml", BASES[name])


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_compiles(example: str) -> None:
    given = Given(reader=base, env_file=lambda _path: "", environment={"SHOP_API_KEY": "x"})
    template = compile_template(example, "/shop/wezparallel.yaml", "/shop", "/bin/sh", "/home/u", given)
    assert template.settings
    assert template.notes == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5


def test_the_page_of_keys_has_every_key() -> None:
    keys = Path("docs/reference/template-keys.md").read_text()
    for table in (language.TOP, *language.MAPS.values()):
        for key in table:
            assert f"| `{key.name}`" in keys
