"""Starting the daemon: bounded, only when asked after a stop, never into a folder of somebody else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.scripted_hub import ScriptedHub
from wezparallel import paths
from wezparallel.client import launch
from wezparallel.errors import LinkError

KEEPER = """
import sys
sys.path.insert(0, {root!r})
from tests.support.scripted_hub import ScriptedHub
import os, threading
print("session", os.getsid(0) == os.getpid(), os.getcwd(), flush=True)
hub = ScriptedHub({path!r})
while not hub.requests:
    threading.Event().wait(0.01)
threading.Event().wait(0.2)
hub.close()
"""


def use(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Let a small program stand for the keeper."""
    monkeypatch.setattr(launch, "keeper_command", lambda: [sys.executable, "-c", source])


def test_a_running_hub_is_found(runtime: str) -> None:
    with ScriptedHub(runtime + "/hub.sock"):
        assert launch.ensure()["hub_id"] == "h-1"


def test_a_missing_daemon_is_started_in_a_session_of_its_own(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(Path(__file__).parents[2])
    use(monkeypatch, KEEPER.format(root=root, path=runtime + "/hub.sock"))
    assert launch.ensure(timeout_s=10)["hub_id"] == "h-1"
    assert launch.tail(paths.own_log("keeper")) == ["session True /"]


def test_a_daemon_that_was_stopped_is_started_only_when_asked(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = Path(paths.stopped_mark())
    mark.touch()
    with pytest.raises(LinkError, match="was stopped"):
        launch.ensure()
    assert mark.exists()
    root = str(Path(__file__).parents[2])
    use(monkeypatch, KEEPER.format(root=root, path=runtime + "/hub.sock"))
    launch.ensure(asked=True, timeout_s=10)
    assert not mark.exists()


def test_a_keeper_that_does_not_come_up_is_told_with_what_it_wrote_last(
    runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, "import sys; sys.exit('no room on this ship')")
    with pytest.raises(LinkError) as caught:
        launch.ensure(timeout_s=0.5)
    assert "did not come up within 0.5 s" in str(caught.value)
    assert "no room on this ship" in str(caught.value)


def test_a_program_that_is_missing_is_told_in_the_log(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "keeper_command", lambda: ["/nowhere/python3"])
    with pytest.raises(LinkError, match="cannot start /nowhere/python3"):
        launch.ensure(timeout_s=0.2)


def test_the_runtime_directory_is_made_for_us_alone(tmp_path: Path) -> None:
    launch.check_runtime_dir(str(tmp_path / "new"))
    assert os.stat(tmp_path / "new").st_mode & 0o777 == 0o700


def test_a_runtime_directory_open_to_others_is_refused_with_the_fix(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(LinkError, match=f"chmod 700 {tmp_path}"):
        launch.check_runtime_dir(str(tmp_path))


def test_a_link_in_the_place_of_the_runtime_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(LinkError, match="not a directory"):
        launch.check_runtime_dir(str(tmp_path / "link"))


def test_a_runtime_directory_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(LinkError, match="not to you"):
        launch.check_runtime_dir(str(tmp_path))
