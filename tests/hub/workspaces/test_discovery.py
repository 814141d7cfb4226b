"""Templates are found, nearest first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import discovery

BUILT_INS = ["basic", "claude_dev", "default", "parallel_dev", "research", "rust_dev", "web_dev"]


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's own folder of templates."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "wezterm-parallel" / "templates"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project folder."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, text: str = "panes: [shell]\n") -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return str(folder / name)


def failure(name: str, root: Path) -> RequestError:
    with pytest.raises(RequestError) as caught:
        discovery.find(name, str(root))
    assert caught.value.code == "template.not_found"
    return caught.value


def test_the_built_ins_are_found_and_the_example_of_the_configuration_is_not(root: Path) -> None:
    assert [one.name for one in discovery.candidates(str(root))] == BUILT_INS
    assert {one.origin for one in discovery.candidates(str(root))} == {"built-in"}


def test_the_nearest_of_a_name_wins(root: Path, user: Path) -> None:
    built_in = discovery.find("basic", str(root))
    of_user = put(user, "basic.yaml")
    assert discovery.find("basic", str(root)) == of_user
    of_folder = put(root / ".wezparallel", "basic.yml")
    assert discovery.find("basic", str(root)) == of_folder
    assert [discovery.origin(path, str(root)) for path in (of_folder, of_user, built_in)] == [
        "folder", "user", "built-in",
    ]  # fmt: skip
    assert [one.name for one in discovery.candidates(str(root))].count("basic") == 1


def test_dashes_and_underscores_are_the_same(root: Path, user: Path) -> None:
    path = put(user, "my-own.yaml")
    assert discovery.find("my_own", str(root)) == path
    assert discovery.find("web-dev", str(root)).endswith("/web_dev.yaml")


def test_a_folder_has_a_template_of_its_own(root: Path) -> None:
    assert discovery.own_template(str(root)) is None
    only = put(root / ".wezparallel", "work.yaml")
    assert discovery.own_template(str(root)) == only
    put(root / ".wezparallel", "play.yaml")
    assert discovery.own_template(str(root)) is None
    default = put(root / ".wezparallel", "default.yaml")
    assert discovery.own_template(str(root)) == default
    yml = put(root, "wezparallel.yml")
    assert discovery.own_template(str(root)) == yml
    yaml = put(root, "wezparallel.yaml")
    assert discovery.own_template(str(root)) == yaml
    assert discovery.find("wezparallel", str(root)) == yaml


def test_what_is_no_template_is_passed_over(root: Path, user: Path) -> None:
    put(user, "notes.txt")
    put(user, ".hidden.yaml")
    put(user, "framework.yaml")
    put(user, ".yaml")
    (user / "folder.yaml").mkdir()
    os.mkfifo(user / "pipe.yaml")
    assert [one.name for one in discovery.candidates(str(root))] == BUILT_INS


def test_a_template_can_be_given_by_its_path(root: Path, tmp_path: Path) -> None:
    path = put(tmp_path / "elsewhere", "x.yaml")
    assert discovery.find(path, str(root)) == path
    assert discovery.origin(path, str(root)) == "folder"
    inside = put(root, "own.yaml")
    assert discovery.find("own.yaml", str(root)) == inside


def test_a_path_that_is_not_there_is_told(root: Path) -> None:
    assert "there is no file" in failure("./nothing.yaml", root).message


def test_an_unknown_name_is_told_with_the_nearest_and_the_list(root: Path) -> None:
    error = failure("web-deev", root)
    assert error.message == (
        "there is no template 'web-deev'; did you mean 'web_dev'? known are: basic, claude_dev, default, "
        "parallel_dev, research, rust_dev, web_dev. A file can be given by its path"
    )
    assert error.data == {"nearest": "web_dev", "known": BUILT_INS}
    assert failure("qqqqqq", root).data["nearest"] is None


def test_names_cannot_climb_out_of_the_folders(root: Path, user: Path) -> None:
    put(user.parent, "secret.yaml")
    assert "there is no file" in failure("../secret", root).message


def test_a_file_is_read_as_it_is(root: Path) -> None:
    assert discovery.read(put(root, "x.yaml", "name: ü\n")) == "name: ü\n"


def test_a_file_too_large_is_refused(root: Path) -> None:
    path = put(root, "x.yaml", "#" * (512 * 1024 + 1))
    with pytest.raises(RequestError, match="larger than 512 KiB") as caught:
        discovery.read(path)
    assert caught.value.code == "template.syntax"


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(root: Path) -> None:
    path = root / "x.yaml"
    path.write_bytes(b"panes:\n- \xff\n")
    with pytest.raises(RequestError, match=r"x\.yaml:2: this is not UTF-8") as caught:
        discovery.read(str(path))
    assert caught.value.data["line"] == 2


@pytest.mark.parametrize("kind", ["pipe", "folder", "nothing"])
def test_what_is_no_regular_file_is_refused_and_holds_nobody(root: Path, kind: str) -> None:
    path = root / "x.yaml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    open_before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    with pytest.raises(RequestError, match="cannot be read") as caught:
        discovery.read(str(path))
    assert caught.value.code == "template.not_found"
    assert not open_before or set(os.listdir("/proc/self/fd")) == open_before
