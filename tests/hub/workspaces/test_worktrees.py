"""Git worktrees of processes, with the real git and the real daemon."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import git as git_words

pytestmark = pytest.mark.one_daemon

ONE = "panes:\n  a: { command: [sleep, '1000'], worktree: agent/1 }\n"


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "-C", str(folder), *words],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "code" / "shop"
    (folder / "src").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "src" / "x").write_text("x\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def create(daemon: Daemon, root: Path, source: str = ONE, name: str = "w") -> dict[str, Any]:
    return daemon.call("WorkspaceCreate", name=name, root=str(root), source=source)


def error_of(created: dict[str, Any]) -> str:
    (outcome,) = created["processes"]
    assert outcome["now"] == "refused", outcome
    return str(outcome["error"]["message"])


def tree(shop: Path, name: str = "agent-1") -> Path:
    return shop.parent / "shop.worktrees" / name


def cwd_of(daemon: Daemon, process: str = "w/a") -> Path:
    return Path(f"/proc/{daemon.call('ProcessGet', process=process)['process']['pid']}/cwd").resolve()


def refusal(daemon: Daemon, command: str, **fields: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        daemon.call(command, **fields)
    return caught.value


def test_a_process_runs_in_a_worktree_of_its_branch_once_the_workspace_is_answered(
    daemon: Daemon, shop: Path
) -> None:
    assert create(daemon, shop)["processes"][0]["now"] == "spawned"
    assert (tree(shop) / "src" / "x").exists()
    assert git(tree(shop), "branch", "--show-current") == "agent/1\n"
    assert cwd_of(daemon) == tree(shop)
    assert daemon.call("ProcessGet", process="w/a")["process"]["cwd"] == str(tree(shop))


def test_its_folder_below_the_root_is_the_same_folder_there(daemon: Daemon, shop: Path) -> None:
    create(daemon, shop, ONE.replace("worktree:", "cwd: src, worktree:"))
    assert cwd_of(daemon) == tree(shop) / "src"


def test_each_replica_has_a_branch_and_a_worktree_and_all_come_up_at_once(daemon: Daemon, shop: Path) -> None:
    source = "panes:\n  a: { command: [sleep, '1000'], replicas: 3, worktree: 'agent/${REPLICA}' }\n"
    created = create(daemon, shop, source)
    assert [one["now"] for one in created["processes"]] == ["spawned"] * 3
    assert {path.name for path in tree(shop).parent.iterdir()} == {"agent-1", "agent-2", "agent-3"}


def test_it_is_used_again_and_made_again_where_somebody_deleted_it(daemon: Daemon, shop: Path) -> None:
    create(daemon, shop)
    (tree(shop) / "mine").write_text("work\n")
    daemon.call("WorkspaceClose", name="w")
    assert daemon.call("WorkspaceOpen", name="w")["processes"][0]["now"] == "spawned"
    assert (tree(shop) / "mine").exists()
    daemon.call("WorkspaceClose", name="w")
    subprocess.run(["rm", "-r", str(tree(shop))], check=True)
    assert daemon.call("WorkspaceOpen", name="w")["processes"][0]["now"] == "spawned"
    assert cwd_of(daemon) == tree(shop)


def test_where_it_runs_is_known_to_the_next_hub(daemon: Daemon, shop: Path) -> None:
    create(daemon, shop)
    daemon.kill_hub()
    assert daemon.call("ProcessGet", process="w/a")["process"]["cwd"] == str(tree(shop))


def test_a_branch_that_is_there_or_at_a_remote_is_taken_and_another_one_begins_here(
    daemon: Daemon, shop: Path, tmp_path: Path
) -> None:
    git(shop, "branch", "local")
    far = tmp_path / "far"
    git(shop, "clone", "-q", str(shop), str(far))
    git(far, "checkout", "-q", "-b", "there")
    git(far, "commit", "-q", "--allow-empty", "-m", "from afar")
    git(shop, "remote", "add", "origin", str(far))
    git(shop, "fetch", "-q", "origin")
    text = "panes:\n" + "".join(
        f"  {name}: {{ command: [sleep, '1000'], worktree: {name} }}\n" for name in ("local", "there", "fresh")
    )
    assert {one["now"] for one in create(daemon, shop, text)["processes"]} == {"spawned"}
    assert git(tree(shop, "there"), "log", "-1", "--format=%s") == "from afar\n"
    assert git(tree(shop, "fresh"), "log", "-1", "--format=%s") == "first\n"


def test_a_branch_that_is_checked_out_elsewhere_is_refused_with_its_place(daemon: Daemon, shop: Path) -> None:
    message = error_of(create(daemon, shop, ONE.replace("agent/1", "main")))
    assert message.startswith(f"the branch 'main' is checked out in {shop}; ")


def test_a_folder_in_the_way_is_left_as_it_is(daemon: Daemon, shop: Path) -> None:
    tree(shop).mkdir(parents=True)
    (tree(shop) / "mine").write_text("work\n")
    assert "is in the way of the worktree" in error_of(create(daemon, shop))
    assert [path.name for path in tree(shop).iterdir()] == ["mine"]


def test_a_worktree_that_was_switched_to_another_branch_is_left_as_it_is(daemon: Daemon, shop: Path) -> None:
    create(daemon, shop)
    daemon.call("WorkspaceDelete", name="w")
    git(tree(shop), "checkout", "-q", "-b", "other")
    assert "has 'other' checked out, and not 'agent/1'" in error_of(create(daemon, shop))


def test_a_folder_without_a_repository_and_one_without_a_commit_say_what_to_do(
    daemon: Daemon, tmp_path: Path
) -> None:
    assert "is in no git repository" in error_of(create(daemon, tmp_path))
    daemon.call("WorkspaceDelete", name="w")
    git(tmp_path, "init", "-q")
    assert "has no commit yet; make one" in error_of(create(daemon, tmp_path))


@pytest.mark.parametrize("branch", ["-x", "a..b", "a b", "x.lock", "a~1", "@{-1}", "/", "a//b"])
def test_a_name_that_cannot_be_a_branch_makes_nothing(daemon: Daemon, shop: Path, branch: str) -> None:
    with contextlib.suppress(RequestError):  # the template's own check
        error_of(create(daemon, shop, ONE.replace("agent/1", f"'{branch}'")))
    assert not tree(shop).parent.exists()


def test_what_a_killed_git_left_half_made_is_moved_aside_and_made_again(
    daemon: Daemon, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(shop, "worktree", "add", "-q", "-b", "agent/1", str(tree(shop)))
    (tree(shop) / "src" / "x").unlink()  # not checked out yet
    (shop / ".git" / "worktrees" / "agent-1" / "locked").write_text("initializing")
    assert create(daemon, shop)["processes"][0]["now"] == "spawned"
    assert (tree(shop) / "src" / "x").exists()
    assert tree(shop, "agent-1.half-made").exists()
    assert "half made" in daemon.call("ProcessGet", process="w/a")["process"]["reason"]


def test_a_hub_that_is_killed_before_git_is_asked_finishes_at_the_next_start(daemon: Daemon, shop: Path) -> None:
    (daemon.failpoints / "worktree").touch()
    with daemon.client() as client:
        created = client.call("WorkspaceCreate", {"name": "w", "root": str(shop), "source": ONE, "key": "k-1"})
    assert created["processes"][0]["now"] == "spawned"
    until(lambda: cwd_of(daemon) == tree(shop), 20, "the process in its worktree")


def test_nothing_that_would_be_lost_is_removed_unless_it_is_forced(daemon: Daemon, shop: Path) -> None:
    create(daemon, shop)
    path = str(tree(shop))
    (listed,) = daemon.call("WorktreeList", workspace="w")["worktrees"]
    assert (listed["path"], listed["branch"], listed["processes"]) == (path, "agent/1", ["w/a"])
    assert listed["why"] == ["w/a runs there"]
    assert refusal(daemon, "WorktreeRemove", path=path).data["why"] == ["w/a runs there"]
    daemon.call("WorkspaceDelete", name="w")
    (tree(shop) / "new").write_text("work\n")
    assert "1 file with changes" in refusal(daemon, "WorktreeRemove", path=path).message
    git(tree(shop), "add", ".")
    git(tree(shop), "commit", "-q", "-m", "work")
    assert "1 commit that no other branch" in refusal(daemon, "WorktreeRemove", path=path).message
    git(shop, "merge", "-q", "agent/1")
    assert daemon.call("WorktreeRemove", path=path) == {"path": path, "branch": "agent/1"}
    assert not tree(shop).parent.exists()
    assert "agent/1" in git(shop, "branch")
    assert daemon.call("WorktreeRemove", path=path)["branch"] is None  # a retry


def test_force_loses_changes_and_keeps_commits(daemon: Daemon, shop: Path) -> None:
    create(daemon, shop)
    daemon.call("WorkspaceDelete", name="w")
    git(tree(shop), "commit", "-q", "--allow-empty", "-m", "kept")
    (tree(shop) / "new").write_text("lost\n")
    daemon.call("WorktreeRemove", path=str(tree(shop)), force=True)
    assert git(shop, "log", "-1", "--format=%s", "agent/1") == "kept\n"


def test_no_other_folder_can_be_removed(daemon: Daemon, shop: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    git(shop, "worktree", "add", "-q", str(own))
    for path in (own, shop, shop / "src", tmp_path, "relative"):
        assert refusal(daemon, "WorktreeRemove", path=str(path), force=True).code == "process.bad_directory"
    assert (own / "src" / "x").exists()


def test_what_git_lists_is_read_with_locks_and_without_branches() -> None:
    text = (
        "worktree /a/b c\nHEAD 1\nbranch refs/heads/main\n\nworktree /d\nHEAD 2\ndetached\nlocked initializing\n\n"
        "worktree /e\nbare\n\n"
    )
    assert git_words.trees_of(text) == [
        git_words.Tree("/a/b c", "main", None), git_words.Tree("/d", None, "initializing"),
        git_words.Tree("/e", None, None, True),
    ]  # fmt: skip


def test_what_is_watched_lies_in_the_worktree(daemon: Daemon, shop: Path) -> None:
    create(daemon, shop, "panes:\n  a: { command: [sleep, '1000'], worktree: agent/1, watch: 'src/**' }\n")

    def has_restarted() -> bool:
        # Written again and again: when the watcher is at work cannot be seen.
        (tree(shop) / "src" / "x").write_text("changed\n")
        return bool(daemon.call("ProcessGet", process="w/a")["process"]["run"] == 2)

    until(has_restarted, 20, "a restart by a change there")
