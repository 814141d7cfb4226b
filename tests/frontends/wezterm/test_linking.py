"""WezTerm's configuration: where it is, whether it knows us, and where two lines go."""

from __future__ import annotations

from pathlib import Path

import pytest

from wezparallel.frontends.wezterm import linking


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without anything in it."""
    for name in ("WEZTERM_CONFIG_FILE", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(path: Path, text: str = "return {}\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_configuration_is_found_in_wezterms_own_order(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert linking.config_file() is None
    monkeypatch.setenv("XDG_CONFIG_DIRS", f"{home}/a:{home}/b")
    found = [write(home / "b" / "wezterm" / "wezterm.lua")]
    assert linking.config_file() == str(found[-1])
    found.append(write(home / ".config" / "wezterm" / "wezterm.lua"))
    assert linking.config_file() == str(found[-1])
    found.append(write(home / ".wezterm.lua"))
    assert linking.config_file() == str(found[-1])
    monkeypatch.setenv("WEZTERM_CONFIG_FILE", "/elsewhere.lua")
    assert linking.config_file() == "/elsewhere.lua"


def test_xdg_config_home_moves_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", f"{home}/x")
    assert linking.usual_config_file() == f"{home}/x/wezterm/wezterm.lua"
    write(home / ".config" / "wezterm" / "wezterm.lua")
    assert linking.config_file() is None


@pytest.mark.parametrize(
    "line",
    [
        "local wezparallel = require 'wezparallel'",
        'require("wezparallel").setup(config)',
        "local framework = require('multi_dev_framework')",
        "local WorkspaceManager = require 'workspace_manager'",
        "local w = wezterm.plugin.require 'https://example.org/someone/wezparallel'",
    ],
)
def test_a_configuration_that_asks_for_us_is_seen(line: str) -> None:
    assert linking.mentions(f"local wezterm = require 'wezterm'\n{line}\nreturn config\n")


@pytest.mark.parametrize(
    "line", ["-- require 'wezparallel'", "local x = 'wezparallel'", "require 'wezparallel_other'"]
)
def test_a_comment_or_another_word_is_not_us(line: str) -> None:
    assert not linking.mentions(line + "\n")


def test_the_lines_stand_before_the_last_return() -> None:
    before = "local c = {}\nlocal function f()\n  return c\nend\nreturn c -- done\n-- the end\n"
    assert linking.with_lines(before) == (
        "local c = {}\nlocal function f()\n  return c\nend\n"
        "local wezparallel = require 'wezparallel'\nwezparallel.setup(c)\n\nreturn c -- done\n-- the end\n"
    )


def test_the_ends_of_lines_stay_what_they_are() -> None:
    changed = linking.with_lines("local config = {}\r\nreturn config\r\n")
    assert changed is not None
    assert changed.count("\r\n") == changed.count("\n") == 5


@pytest.mark.parametrize(
    "source", ["return { a = 1 }\n", "local c = {}\n", "if x then\nreturn c\nend\n", "", "return require 'other'\n"]
)
def test_a_configuration_without_a_last_return_of_a_name_is_left_alone(source: str) -> None:
    assert linking.with_lines(source) is None


@pytest.fixture
def shipped(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose Lua lies in a folder of the test's own."""
    lua = home / "venv" / "wezparallel" / "share" / "lua"
    for name in linking.NAMES:
        write(lua / name / "init.lua" if name == "wezparallel" else lua / name)
    monkeypatch.setattr(linking.paths, "share_dir", lambda kind: str(lua.parent / kind))
    return lua


def test_links_are_made_once_and_seen(home: Path, shipped: Path) -> None:
    assert [link.state for link in linking.links()] == ["missing"] * 3
    for link in linking.links():
        linking.link(link)
    assert [link.state for link in linking.links()] == ["ok"] * 3
    assert (home / ".wezterm" / "wezparallel").readlink() == shipped / "wezparallel"


def test_a_link_of_an_installation_that_is_gone_is_pointed_to_this_one(home: Path, shipped: Path) -> None:
    folder = home / ".wezterm"
    folder.mkdir()
    (folder / "wezparallel").symlink_to("/gone/venv/lua/wezparallel")
    assert linking.links()[0].state == "old"
    linking.link(linking.links()[0])
    assert (folder / "wezparallel").readlink() == shipped / "wezparallel"


def test_what_is_not_ours_is_told_apart(home: Path, shipped: Path) -> None:
    (home / ".wezterm" / "wezparallel").mkdir(parents=True)
    write(home / "own" / "workspace_manager.lua")
    (home / ".wezterm" / "workspace_manager.lua").symlink_to(home / "own" / "workspace_manager.lua")
    assert [link.state for link in linking.links()] == ["foreign", "missing", "foreign"]
