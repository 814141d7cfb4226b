"""Workspaces through the public socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.daemon import Daemon, parse
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon

TWO = "layout: |\n  left right\npanes:\n  left: [sleep, '100']\n  right: [sleep, '200']\n"


def test_the_literal_request_of_the_seeds_creates_and_then_says_it_exists(daemon: Daemon) -> None:
    request = b'{"WorkspaceCreate":{"name":"test","template":"basic"}}\n'
    (created,) = parse(daemon.raw(request))
    assert created["WorkspaceCreated"]["workspace"]["name"] == "test"
    (refused,) = parse(daemon.raw(request))
    assert refused["Error"]["code"] == "workspace.exists"


def test_a_workspace_answers_with_its_plan_and_what_became_of_each_process(daemon: Daemon, tmp_path: Path) -> None:
    created = daemon.call("WorkspaceCreate", name="two", source=TWO, root=str(tmp_path))
    assert [(one["process_id"], one["now"]) for one in created["processes"]] == [
        ("two/left", "spawned"),
        ("two/right", "spawned"),
    ]
    (tab,) = created["plan"]["tabs"]
    assert (tab["first"], tab["splits"][0]["pane"], tab["splits"][0]["direction"]) == ("left", "right", "right")


def test_one_refused_process_does_not_hinder_the_others(daemon: Daemon, tmp_path: Path) -> None:
    source = "layout: |\n  left right\npanes:\n  left: [no-such-program]\n  right: [sleep, '200']\n"
    created = daemon.call("WorkspaceCreate", name="two", source=source, root=str(tmp_path))
    left, right = created["processes"]
    assert (left["now"], left["error"]["code"], right["now"]) == ("refused", "process.no_binary", "spawned")


def test_closing_stops_and_keeps_and_opening_starts_again(daemon: Daemon, tmp_path: Path) -> None:
    daemon.call("WorkspaceCreate", name="two", source=TWO, root=str(tmp_path))
    closed = daemon.call("WorkspaceClose", name="two")["workspace"]
    assert (closed["open"], closed["running"], closed["processes"]) == (False, 0, 2)
    opened = daemon.call("WorkspaceOpen", name="two")
    assert opened["workspace"]["running"] == 2
    assert opened["plan"]["tabs"]


def test_deleting_forgets_everything(daemon: Daemon, tmp_path: Path) -> None:
    daemon.call("WorkspaceCreate", name="two", source=TWO, root=str(tmp_path))
    daemon.call("WorkspaceDelete", name="two")
    assert daemon.call("WorkspaceList")["workspaces"] == []
    assert daemon.call("ProcessList")["processes"] == []
    daemon.call("WorkspaceCreate", name="two", source=TWO, root=str(tmp_path))


def test_a_name_of_another_root_is_numbered_on_request(daemon: Daemon, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    daemon.call("WorkspaceCreate", name="api", source=TWO, root=str(tmp_path))
    second = daemon.call("WorkspaceCreate", name="api", source=TWO, root=str(other), unique=True)
    assert second["workspace"]["name"] == "api-2"


def test_the_ninth_open_workspace_is_refused_and_the_error_says_how_on(daemon: Daemon, tmp_path: Path) -> None:
    for number in range(8):
        daemon.call("WorkspaceCreate", name=f"w{number}", source="panes: ['sleep 100']", root=str(tmp_path))
    with pytest.raises(RequestError) as refused:
        daemon.call("WorkspaceCreate", name="w8", source="panes: ['sleep 100']", root=str(tmp_path))
    assert refused.value.code == "workspace.limit"
    assert "down" in refused.value.message


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("layout: |\n  a b\n  b a\npanes: {a: sleep 1, b: sleep 1}\n", "template.layout"),
        ("panes: [", "template.syntax"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n", "template.syntax"),
    ],
)
def test_a_template_that_does_not_compile_creates_nothing(
    daemon: Daemon, tmp_path: Path, source: str, code: str
) -> None:
    with pytest.raises(RequestError) as refused:
        daemon.call("WorkspaceCreate", name="bad", source=source, root=str(tmp_path))
    assert refused.value.code == code
    assert daemon.call("WorkspaceList")["workspaces"] == []


def test_the_environment_of_the_caller_reaches_the_program_and_no_file(daemon: Daemon, tmp_path: Path) -> None:
    out = tmp_path / "out"
    source = f"panes: ['echo $SECRET_OF_MINE $WORKSPACE > {out}; sleep 100']"
    environment = {**daemon.env, "SECRET_OF_MINE": "swordfish-9f2c"}
    daemon.call("WorkspaceCreate", name="env", source=source, root=str(tmp_path), environment=environment, key="k")
    until(lambda: out.exists() and out.read_text() == "swordfish-9f2c env\n", 10, "the variable")
    for path in (daemon.home / "state").rglob("*"):
        if path.is_file():
            assert b"swordfish-9f2c" not in path.read_bytes()


def test_a_process_whose_pane_is_being_opened_waits_for_its_viewer_a_second_at_most(
    daemon: Daemon, tmp_path: Path
) -> None:
    created = daemon.call("WorkspaceCreate", name="two", source=TWO, root=str(tmp_path), view="plan")
    assert [(one["now"], one["waits_for"]) for one in created["processes"]] == [("waits", "viewer")] * 2
    until(lambda: daemon.call("WorkspaceGet", name="two")["processes"][1]["pid"] is not None, 10, "the start")


def test_every_event_of_a_mutation_names_its_caller(daemon: Daemon, tmp_path: Path) -> None:
    before = daemon.call("Status")
    daemon.call("WorkspaceCreate", name="two", source=TWO, root=str(tmp_path))
    daemon.call("WorkspaceClose", name="two")
    asked = {"workspace.created", "process.added", "workspace.closed", "process.stopping"}
    seen = set()
    with daemon.client() as client:
        for message in client.subscribe(["*"], since=before["seq"], epoch=before["epoch"]):
            event = message["Event"]
            if event["name"] in asked:
                assert event["by"]["role"] == "person", event
                seen.add(event["name"])
            if event["name"] == "process.stopped" and event["data"]["process_id"] == "two/right":
                break
    assert seen == asked
