"""`init` as a person runs it: what it makes, what it prints, and that nothing of theirs is overwritten."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine

OWN = "local wezterm = require 'wezterm'\nlocal config = wezterm.config_builder()\nreturn config\n"


@pytest.fixture
def wezparallel(tmp_path: Path) -> Iterator[CommandLine]:
    """The command line of somebody who has just installed it."""
    runtime = tempfile.mkdtemp(prefix="wz", dir="/tmp")
    foreign = ("WEZPARALLEL_", "XDG_", "WEZTERM_")
    outer = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    yield CommandLine({**outer, "WEZPARALLEL_RUNTIME_DIR": runtime, "HOME": str(tmp_path)}, tmp_path)
    shutil.rmtree(runtime, ignore_errors=True)


def test_init_makes_what_is_missing_and_prints_the_two_lines(wezparallel: CommandLine, tmp_path: Path) -> None:
    (tmp_path / ".wezterm.lua").write_text(OWN)
    done = wezparallel("init")
    assert done.code == 0, done.out + done.err
    assert "    local wezparallel = require 'wezparallel'\n    wezparallel.setup(config)\n" in done.out
    assert (tmp_path / ".wezterm.lua").read_text() == OWN
    config = tmp_path / ".config" / "wezterm-parallel" / "config.yaml"
    assert "# max_workspaces: 8" in config.read_text()
    assert config.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / ".wezterm" / "wezparallel" / "init.lua").is_file()
    snapshot = json.loads((tmp_path / ".local" / "state" / "wezterm-parallel" / "gui.json").read_text())
    assert (snapshot["format"], snapshot["hub_id"]) == (1, None)
    assert os.access(snapshot["python"], os.X_OK)
    assert Path(snapshot["call"]).is_file()
    assert json.loads(Path(snapshot["keys"]).read_text()) == {"format": 1, "keys": []}


def test_write_adds_the_lines_once_and_keeps_the_file_as_it_was(wezparallel: CommandLine, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles" / "wezterm.lua"
    dotfiles.parent.mkdir()
    dotfiles.write_text(OWN)
    dotfiles.chmod(0o640)
    (tmp_path / ".wezterm.lua").symlink_to(dotfiles)
    done = wezparallel("init", "--write")
    assert done.code == 0, done.out
    changed = dotfiles.read_text()
    assert changed.endswith("local wezparallel = require 'wezparallel'\nwezparallel.setup(config)\n\nreturn config\n")
    assert (tmp_path / ".wezterm.lua").is_symlink()
    assert dotfiles.stat().st_mode & 0o777 == 0o640
    (backup,) = (tmp_path / ".local" / "state" / "wezterm-parallel" / "backups").iterdir()
    assert backup.read_text() == OWN
    assert [one.name for one in dotfiles.parent.iterdir()] == ["wezterm.lua"]  # WezTerm watches that folder
    again = wezparallel("init", "--write")
    assert "it asks for wezparallel already" in again.out
    assert dotfiles.read_text() == changed


def test_pipes_in_the_places_of_the_first_files_are_written_over(wezparallel: CommandLine, tmp_path: Path) -> None:
    files = [tmp_path / ".local" / "state" / "wezterm-parallel" / "gui.json"]
    files.append(tmp_path / ".config" / "wezterm-parallel" / "keys.json")
    for path in files:
        path.parent.mkdir(parents=True)
        os.mkfifo(path)
        os.mkfifo(f"{path}.new")
    done = wezparallel("init")
    assert done.code == 0, done.out + done.err
    assert [json.loads(path.read_text())["format"] for path in files] == [1, 1]


def test_write_makes_a_complete_file_where_there_is_none(wezparallel: CommandLine, tmp_path: Path) -> None:
    assert wezparallel("init", "--write").code == 0
    made = (tmp_path / ".config" / "wezterm" / "wezterm.lua").read_text()
    assert "wezparallel.setup(config, {" in made
    assert made.endswith("return config\n")


def test_a_file_that_returns_no_name_is_left_alone_and_told(wezparallel: CommandLine, tmp_path: Path) -> None:
    (tmp_path / ".wezterm.lua").write_text("return { font_size = 12 }\n")
    done = wezparallel("init", "--write")
    assert "does not end with `return NAME`" in done.out
    assert "wezparallel.setup(config)" in done.out
    assert (tmp_path / ".wezterm.lua").read_text() == "return { font_size = 12 }\n"


def test_a_file_that_nobody_may_write_to_is_left_alone_and_told(wezparallel: CommandLine, tmp_path: Path) -> None:
    store = tmp_path / "store" / "wezterm.lua"
    store.parent.mkdir()
    store.write_text(OWN)
    store.chmod(0o444)
    (tmp_path / ".wezterm.lua").symlink_to(store)
    done = wezparallel("init", "--write")
    assert "it is read-only" in done.out
    assert "    wezparallel.setup(config)\n" in done.out
    assert "`wezparallel init --write` adds them" not in done.out
    assert store.read_text() == OWN
    assert not (tmp_path / ".local" / "state" / "wezterm-parallel" / "backups").exists()


def test_the_first_keys_are_those_of_the_configuration(wezparallel: CommandLine, tmp_path: Path) -> None:
    own = tmp_path / ".config" / "wezterm-parallel" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("ui: {keybindings: {menu: ctrl+alt+m}}\n")
    wezparallel("init")
    keys = json.loads((own.parent / "keys.json").read_text())["keys"]
    assert keys == [{"action": "menu", "key": "m", "mods": "CTRL|ALT"}]


def test_what_is_there_is_never_overwritten(wezparallel: CommandLine, tmp_path: Path) -> None:
    own = tmp_path / ".config" / "wezterm-parallel" / "config.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("logs: {keep_days: 3}\n")
    (tmp_path / ".wezterm" / "wezparallel").mkdir(parents=True)
    done = wezparallel("init", "--write", "--json")
    steps = {Path(step["what"]).name: step for step in json.loads(done.out)["steps"]}
    assert done.code == 1
    assert steps["config.yaml"]["done"] == "there"
    assert own.read_text() == "logs: {keep_days: 3}\n"
    assert steps["wezparallel"]["done"] == "failed"
    assert "it is not ours and stays" in steps["wezparallel"]["said"]


def test_a_snapshot_that_a_daemon_left_stays_and_one_of_an_installation_that_is_gone_does_not(
    wezparallel: CommandLine, tmp_path: Path
) -> None:
    wezparallel("init")
    path = tmp_path / ".local" / "state" / "wezterm-parallel" / "gui.json"
    left = {**json.loads(path.read_text()), "hub_id": "h-1"}
    path.write_text(json.dumps(left))
    wezparallel("init")
    assert json.loads(path.read_text())["hub_id"] == "h-1"
    path.write_text(json.dumps({**left, "python": "/gone/bin/python"}))
    wezparallel("init")
    assert os.access(json.loads(path.read_text())["python"], os.X_OK)
