"""What a workspace is called by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wezparallel.hub.workspaces.naming import default_name, worktree_branch
from wezparallel.protocol.process import NAME_PATTERN


def linked(tmp_path: Path, name: str, head: str) -> Path:
    """A linked worktree, as git lays it out."""
    inside = tmp_path / "main" / ".git" / "worktrees" / "w"
    inside.mkdir(parents=True, exist_ok=True)
    (inside / "HEAD").write_text(head)
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    (folder / ".git").write_text(f"gitdir: {inside}\n")
    return folder


def test_a_workspace_is_called_like_its_folder(tmp_path: Path) -> None:
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    assert default_name(str(tmp_path / "shop")) == "shop"
    assert default_name("/") == "root"


@pytest.mark.parametrize(
    ("folder", "name"),
    [("-x", "x"), ("--", "root"), ("a\x9b31mred", "a-31mred"), ("a\u202eb", "a-b"), ("a\nb", "a-b")],
)
def test_a_folder_whose_name_a_terminal_or_a_program_takes_for_something_else_gives_another_name(
    folder: str, name: str
) -> None:
    assert default_name(f"/srv/{folder}") == name
    assert re.fullmatch(NAME_PATTERN, name)
    assert not re.fullmatch(NAME_PATTERN, folder)


def test_a_linked_worktree_adds_its_branch(tmp_path: Path) -> None:
    assert default_name(str(linked(tmp_path, "api", "ref: refs/heads/fix/login\n"))) == "api-fix-login"


def test_a_branch_that_stands_in_the_folders_name_already_is_not_said_twice(tmp_path: Path) -> None:
    assert default_name(str(linked(tmp_path, "api-fix-login", "ref: refs/heads/fix/login\n"))) == "api-fix-login"


@pytest.mark.parametrize("head", ["0123456789abcdef\n", "", "ref: refs/remotes/x\n", "\udcff"])
def test_a_worktree_without_a_branch_is_called_like_its_folder(tmp_path: Path, head: str) -> None:
    folder = linked(tmp_path, "api", "")
    (tmp_path / "main/.git/worktrees/w/HEAD").write_bytes(head.encode("utf-8", "surrogateescape"))
    assert worktree_branch(str(folder)) == ""
    assert default_name(str(folder)) == "api"


@pytest.mark.parametrize("said", ["gitdir: ../modules/sub\n", "gitdir: /nowhere/worktrees/x\n", "nonsense", ""])
def test_a_submodule_or_a_broken_file_adds_nothing(tmp_path: Path, said: str) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    (folder / ".git").write_text(said)
    assert default_name(str(folder)) == "lib"


@pytest.mark.parametrize("name", ["x" * 200, "with\nbreak", "tab\there"])
def test_a_folder_of_any_name_gives_a_name_that_a_workspace_may_have(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert re.fullmatch(NAME_PATTERN, default_name(str(tmp_path / name)))
