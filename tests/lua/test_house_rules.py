"""What every module of the plugin keeps to, so that WezTerm's window never waits for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lua.conftest import ROOT
from tests.lua.fake import FakeWezterm

MODULES = sorted([*(ROOT / "lua").rglob("*.lua"), *(ROOT / "plugin").rglob("*.lua")])
WRITTEN = [path for path in MODULES if path.name not in ("api.lua", "types.lua")]
names = pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))


def code(path: Path) -> str:
    """Return the file without its comments."""
    return re.sub(r"--.*", "", path.read_text())


def test_one_module_leaves_lua() -> None:
    leaving = {path.name for path in MODULES if re.search(r"(run|background)_child_process", code(path))}
    assert leaving == {"client.lua"}


@names
def test_nothing_blocks_the_window(path: Path) -> None:
    assert not re.search(r"\b(io\.popen|os\.execute|os\.rename|os\.remove|debug\.)", code(path))


@names
def test_no_file_is_written(path: Path) -> None:
    assert all(mode == "rb" for mode in re.findall(r"io\.open\([^'\n]*'(\w+)'\)", code(path)))
    assert len(re.findall(r"io\.open", code(path))) == len(re.findall(r"io\.open\([^'\n]*'rb'\)", code(path)))


@names
def test_a_module_is_not_too_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize(
    "path", [path for path in WRITTEN if path.parent.name != "plugin"], ids=lambda path: path.stem
)
def test_each_module_loads_alone_outside_every_coroutine(wezterm: FakeWezterm, path: Path) -> None:
    name = "wezparallel." + path.stem if path.parent.name == "wezparallel" else path.stem
    wezterm.call_sync("require(...)", "wezparallel" if path.stem == "init" else name)
    assert wezterm.children == []
    assert wezterm.toasts == []


def test_every_module_that_is_required_exists() -> None:
    asked = {name for path in MODULES for name in re.findall(r"require\s*\(?'wezparallel\.(\w+)'", code(path))}
    assert asked <= {path.stem for path in MODULES}


def test_every_action_leads_to_a_function(wezterm: FakeWezterm) -> None:
    assert (
        wezterm.call(
            """local missing = {}
        for name, way in pairs(require('wezparallel.actions').ALL) do
          if type(require('wezparallel.' .. way[1])[way[2]]) ~= 'function' then missing[#missing + 1] = name end
        end
        return missing"""
        )
        == {}
    )


def test_menu_and_actions_are_the_same_in_two_places(wezterm: FakeWezterm) -> None:
    entries = {entry["name"] for entry in wezterm.call("return require('wezparallel.menus').ENTRIES")}
    actions = set(wezterm.call("return require('wezparallel.actions').ALL"))
    assert entries | {"menu", "show_keys"} == actions
