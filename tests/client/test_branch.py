"""The branch of a folder."""

from __future__ import annotations

from pathlib import Path

from wezparallel.client.branch import git_branch


def test_a_branch_is_read_from_a_repository_and_from_a_linked_worktree(tmp_path: Path) -> None:
    (tmp_path / "main" / ".git" / "worktrees" / "w").mkdir(parents=True)
    (tmp_path / "main" / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".git").write_text(f"gitdir: {tmp_path}/main/.git/worktrees/w\n")
    (tmp_path / "main" / ".git" / "worktrees" / "w" / "HEAD").write_text("ref: refs/heads/fix/login\n")
    assert git_branch(str(tmp_path / "main")) == "main"
    assert git_branch(str(tmp_path / "w")) == "fix/login"
    assert git_branch(str(tmp_path)) == ""
