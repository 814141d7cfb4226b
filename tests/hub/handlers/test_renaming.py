"""Workspaces are switched to, renamed while they run, and limited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon

TWO = "panes:\n  a: [sleep, '1000']\n  b: 'echo $WORKSPACE $WEZPARALLEL_PROCESS; sleep 1001'\n"


@pytest.fixture
def shop(daemon: Daemon, tmp_path: Path) -> dict[str, Any]:
    return daemon.call("WorkspaceCreate", name="shop", source=TWO, root=str(tmp_path))


def refused(daemon: Daemon, command: str, /, **fields: Any) -> RequestError:
    with pytest.raises(RequestError) as found:
        daemon.call(command, **fields)
    return found.value


def log_of(daemon: Daemon, process: str) -> str:
    return "".join(entry["text"] for entry in daemon.call("LogRead", process=process, lines=100)["chunks"])


def test_a_workspace_is_renamed_while_it_runs(daemon: Daemon, shop: dict[str, Any], tmp_path: Path) -> None:
    before = daemon.call("WorkspaceGet", name="shop")
    renamed = daemon.call("WorkspaceRename", name="shop", to="store")
    assert (renamed["previous"], renamed["workspace"]["name"]) == ("shop", "store")
    after = daemon.call("WorkspaceGet", name="store")
    assert [one["pid"] for one in after["processes"]] == [one["pid"] for one in before["processes"]]
    assert {one["workspace"] for one in after["processes"]} == {"store"}
    assert refused(daemon, "WorkspaceGet", name="shop").code == "workspace.not_found"
    # Ids stay, and the new name means them as well.
    assert [one["process_id"] for one in after["processes"]] == ["shop/a", "shop/b"]
    assert daemon.call("ProcessGet", process="store/a")["process"]["process_id"] == "shop/a"
    assert after["plan"]["tabs"][0]["title"] == "store"

    error = refused(daemon, "WorkspaceCreate", name="shop", source=TWO, root=str(tmp_path))
    assert (error.code, "store" in error.message) == ("workspace.exists", True)
    assert refused(daemon, "ProcessAdd", id="shop/new", command="sleep").code == "workspace.exists"
    error = refused(daemon, "ProcessAdd", id="store/a", command="sleep", args=["1"])
    assert error.code == "process.bad_state"
    added = daemon.call("ProcessAdd", id="store/a", command="sleep", args=["1000"], unique=True)
    assert added["process"]["name"] == "a-2"

    pid = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != pid, 10, "the next hub")
    assert daemon.call("WorkspaceGet", name="store")["processes"][0]["pid"] == before["processes"][0]["pid"]
    daemon.call("ProcessRestart", process="store/b")
    until(lambda: log_of(daemon, "shop/b").splitlines()[-1:] == ["store shop/b"], 10, "the next run's variables")
    applied = daemon.call("WorkspaceApply", name="store", source=TWO)
    assert {pane["process_id"] for tab in applied["plan"]["tabs"] for pane in tab["panes"]} == {"shop/a", "shop/b"}

    back = daemon.call("WorkspaceRename", name="store", to="shop")
    assert back["workspace"]["name"] == "shop"
    daemon.call("WorkspaceDelete", name="shop")
    daemon.call("WorkspaceCreate", name="shop", source=TWO, root=str(tmp_path))


def test_a_name_that_is_taken_or_none_is_refused(daemon: Daemon, shop: dict[str, Any], tmp_path: Path) -> None:
    daemon.call("WorkspaceCreate", name="other", source=TWO, root=str(tmp_path))
    assert refused(daemon, "WorkspaceRename", name="shop", to="other").code == "workspace.exists"
    assert refused(daemon, "WorkspaceRename", name="nobody", to="x").code == "workspace.not_found"
    for name in ("a/b", "", "x" * 65, "a\nb"):
        assert refused(daemon, "WorkspaceRename", name="shop", to=name).code == "command.bad_value"
    assert daemon.call("WorkspaceRename", name="shop", to="shop")["workspace"]["name"] == "shop"


def test_a_rename_has_exactly_one_effect_wherever_the_hub_dies(daemon: Daemon, shop: dict[str, Any]) -> None:
    daemon.arm("answered")
    first = daemon.call("WorkspaceRename", name="shop", to="store", key="k-1")
    assert daemon.call("WorkspaceRename", name="shop", to="store", key="k-1") == first
    assert [one["name"] for one in daemon.call("WorkspaceList")["workspaces"]] == ["store"]


def test_who_is_switched_to_is_told_and_kept(daemon: Daemon, shop: dict[str, Any]) -> None:
    before = daemon.call("Status")
    switched = daemon.call("WorkspaceSwitch", name="shop", focus="b")["workspace"]
    assert (switched["focus"], switched["switched_at"] is not None) == ("shop/b", True)
    with daemon.client() as client:
        for message in client.subscribe(["workspace.switched"], since=before["seq"], epoch=before["epoch"]):
            assert message["Event"]["data"]["focus"] == "shop/b"
            break
    assert refused(daemon, "WorkspaceSwitch", name="shop", focus="nobody").code == "process.not_found"
    daemon.call("ProcessAdd", id="alone", command="sleep", args=["1000"])
    assert refused(daemon, "WorkspaceSwitch", name="shop", focus="alone").code == "process.bad_state"
    assert daemon.call("WorkspaceGet", name="shop")["workspace"]["focus"] == "shop/b"


def test_the_limit_says_how_it_is_raised_and_which_are_open(daemon: Daemon, tmp_path: Path) -> None:
    for number in range(8):
        daemon.call("WorkspaceCreate", name=f"w{number}", source="panes: [[sleep, '100']]", root=str(tmp_path))
    error = refused(daemon, "WorkspaceCreate", name="w8", source="panes: [[sleep, '100']]", root=str(tmp_path))
    assert error.code == "workspace.limit"
    assert "workspaces.max_workspaces" in error.message
    assert len(error.data["open"]) == 8
    daemon.call("WorkspaceClose", name="w0")
    daemon.call("WorkspaceCreate", name="w8", source="panes: [[sleep, '100']]", root=str(tmp_path))
    assert refused(daemon, "WorkspaceOpen", name="w0").code == "workspace.limit"


def test_a_name_is_made_of_the_folder_and_a_second_one_is_numbered(daemon: Daemon, tmp_path: Path) -> None:
    for folder in ("one/api", "two/api"):
        (tmp_path / folder).mkdir(parents=True)
    first = daemon.call("WorkspaceCreate", source=TWO, root=str(tmp_path / "one/api"), unique=True)
    second = daemon.call("WorkspaceCreate", source=TWO, root=str(tmp_path / "two/api"), unique=True)
    assert (first["workspace"]["name"], first["wanted_name"]) == ("api", None)
    assert (second["workspace"]["name"], second["wanted_name"]) == ("api-2", "api")


def test_a_wezterm_that_is_there_already_is_not_asked_to_go(daemon: Daemon, shop: dict[str, Any]) -> None:
    snapshot = Path(daemon.env["XDG_STATE_HOME"]) / "wezterm-parallel" / "gui.json"

    def asked() -> list[str]:
        return [one["workspace"] for one in json.loads(snapshot.read_text())["requests"] if one["kind"] == "switch"]

    switched = daemon.call("WorkspaceSwitch", name="shop", mux="/run/gui-sock-1")
    assert switched["workspace"]["switched_at"] is not None
    daemon.call("WorkspaceSwitch", name="shop")
    until(lambda: asked() == ["shop"], 10, "the request to be written")
