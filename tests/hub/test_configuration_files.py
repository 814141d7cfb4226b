"""Which file is the configuration, and what is no such file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.hub.test_configuration import only
from wezparallel.hub import configuration
from wezparallel.hub.configuration import Configuration
from wezparallel.hub.settings import Settings


def at(folder: Path, **environment: str) -> Configuration:
    return configuration.load({"XDG_CONFIG_HOME": str(folder), **environment})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "wezterm-parallel").mkdir()
    return tmp_path / "wezterm-parallel"


def test_without_a_file_all_is_default(folder: Path) -> None:
    found = at(folder)
    assert (found.path, found.errors, found.settings) == (None, (), Settings())


def test_of_two_files_yaml_wins_and_the_other_is_named(folder: Path) -> None:
    (folder / "config.yaml").write_text("web: { port: 1 }")
    (folder / "config.toml").write_text("[web]\nport = 2\n")
    found = at(folder)
    assert found.settings.web.port == 1
    assert "config.toml is not read" in only(found.warnings).message
    (folder / "config.yaml").unlink()
    assert at(folder).settings.web.port == 2


def test_a_named_file_goes_before_the_users_own(folder: Path, tmp_path: Path) -> None:
    (folder / "config.yaml").write_text("web: { port: 1 }")
    (tmp_path / "other.yaml").write_text("web: { port: 3 }")
    assert at(folder, WEZPARALLEL_CONFIG=str(tmp_path / "other.yaml")).settings.web.port == 3


def test_a_file_that_is_not_there_or_no_file_is_an_error(folder: Path, tmp_path: Path) -> None:
    assert "cannot be read" in only(at(folder, WEZPARALLEL_CONFIG=str(tmp_path / "none.yaml")).errors).message
    os.mkfifo(folder / "config.yaml")
    assert "it is not a regular file" in only(at(folder).errors).message
    (folder / "config.yaml").unlink()
    (folder / "config.yaml").write_bytes(b"ui:\n  theme: \xff\n")
    assert "config.yaml:2: this is not UTF-8" in only(at(folder).errors).message
    (folder / "config.yaml").write_bytes(b"#" * (513 * 1024))
    assert "is larger than 512 KiB" in only(at(folder).errors).message
