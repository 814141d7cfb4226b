"""The page about the plugin names what there is, and nothing else."""

from __future__ import annotations

import re

from tests.lua.conftest import ROOT
from tests.lua.fake import FakeWezterm

PAGE = (ROOT / "docs/reference/wezterm-plugin.md").read_text()


def rows(heading: str) -> dict[str, list[str]]:
    """Return the cells of a section's table by the first word of each row."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0].replace("\\|", "&#124;")
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {cells[0].strip(" `").partition("(")[0]: [cell.strip() for cell in cells[1:]] for cells in lines}


def test_every_option_stands_there(wezterm: FakeWezterm) -> None:
    names = wezterm.call(
        "local ok, said = pcall(require('wezparallel.options').read, { [''] = 1 }) return said:match 'known are (.*)'"
    )
    assert sorted(rows("Options")) == names.split(", ")


def test_defaults_are_those_of_the_code(wezterm: FakeWezterm) -> None:
    defaults = wezterm.call("return require('wezparallel.options').defaults")
    for name, cells in rows("Options").items():
        said = cells[0].strip("`").strip("'")
        if said in ("true", "false"):
            assert defaults[name] is (said == "true"), name
        elif said and name != "entry":
            assert str(defaults[name]) == said, name


def test_every_action_stands_there_with_its_key(wezterm: FakeWezterm) -> None:
    actions = wezterm.call("return require('wezparallel.actions').ALL")
    assert set(rows("Actions")) == set(actions)
    keys = {action: key for key, action in wezterm.call("return require('wezparallel.keys').TABLE_KEYS")}
    keys |= {"menu": "?", "show_keys": ""}
    assert {name: cells[0].strip("`") for name, cells in rows("Actions").items()} == keys


def test_every_function_that_is_exported_stands_there(wezterm: FakeWezterm) -> None:
    exported = wezterm.call(
        "local names = {} for name in pairs(require 'wezparallel') do names[#names + 1] = name end return names"
    )
    assert set(rows("For a configuration of your own")) | {"setup", "apply_to_config", "actions"} == set(exported)


def test_what_the_seed_preset_displaces_is_said(wezterm: FakeWezterm) -> None:
    for entry in wezterm.call("return require('wezparallel.keys').SEED"):
        assert "displaces" not in entry or re.search(rf"{entry['displaces']}\s+\(Ctrl", PAGE)
