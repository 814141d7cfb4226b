"""A workspace and its template, brought together through the public socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon

BEFORE = "panes:\n  server: [sleep, '1000']\n  log: [sleep, '1001']\nprocesses:\n  tests: [sleep, '1002']\n"
AFTER = "panes:\n  server: [sleep, '2000']\n  worker: [sleep, '2001']\nprocesses:\n  tests: [sleep, '1002']\n"


@pytest.fixture
def shop(daemon: Daemon, tmp_path: Path) -> dict[str, Any]:
    return daemon.call("WorkspaceCreate", name="shop", source=BEFORE, root=str(tmp_path))


def apply(daemon: Daemon, source: str = AFTER, **fields: Any) -> dict[str, Any]:
    return daemon.call("WorkspaceApply", name="shop", source=source, **fields)


def members(daemon: Daemon) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in daemon.call("ProcessList", workspace="shop")["processes"]}


def kinds(applied: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["kind"] for one in applied["changes"]}


def argv_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]


def test_a_dry_run_tells_all_and_changes_nothing(daemon: Daemon, shop: dict[str, Any]) -> None:
    before = daemon.call("WorkspaceGet", name="shop")
    seq = daemon.call("Status")["seq"]
    planned = apply(daemon, dry_run=True)
    assert kinds(planned) == {"server": "changed", "worker": "added", "tests": "kept", "log": "removed"}
    server = planned["changes"][0]
    assert (server["needs_restart"], server["running"], server["restarted"]) == (True, True, False)
    assert server["fields"] == [{"field": "command", "before": "sleep 1000", "after": "sleep 2000"}]
    after = daemon.call("WorkspaceGet", name="shop")
    assert [one["pid"] for one in after["processes"]] == [one["pid"] for one in before["processes"]]
    assert after["plan"] == before["plan"]
    assert daemon.call("Status")["seq"] == seq


def test_what_is_new_starts_and_what_runs_runs_on_until_its_next_start(daemon: Daemon, shop: dict[str, Any]) -> None:
    before, status = members(daemon), daemon.call("Status")
    applied = apply(daemon)
    assert {one["process_id"]: one["now"] for one in applied["processes"]}["shop/worker"] == "spawned"
    after = members(daemon)
    assert {name: after[name]["pid"] for name in before} == {name: one["pid"] for name, one in before.items()}
    assert (after["server"]["needs_restart"], after["server"]["command"]) == (True, "sleep 2000")
    assert argv_of(after["server"]["pid"]) == ["sleep", "1000"]
    assert (after["log"]["in_template"], after["worker"]["in_template"]) == (False, True)
    assert daemon.call("WorkspaceGet", name="shop")["workspace"]["not_in_template"] == 1
    shown = {pane["process_id"] for tab in applied["plan"]["tabs"] for pane in tab["panes"]}
    assert shown == {"shop/server", "shop/worker"}
    with daemon.client() as client:
        for message in client.subscribe(["workspace.changed"], since=status["seq"], epoch=status["epoch"]):
            data = message["Event"]["data"]
            break
    assert (data["added"], data["changed"], data["removed"]) == (["worker"], ["server"], ["log"])
    daemon.call("ProcessRestart", process="shop/server")
    server = members(daemon)["server"]
    assert (argv_of(server["pid"]), server["needs_restart"]) == (["sleep", "2000"], False)


def test_what_is_new_may_wait_for_what_is_new_further_down(daemon: Daemon, shop: dict[str, Any]) -> None:
    needs = "  first: { command: [sleep, '1000'], depends_on: { second: ready } }\n  second: [sleep, '1000']\n"
    applied = apply(daemon, BEFORE + needs)
    assert [one["kind"] for one in applied["changes"]] == ["kept"] * 3 + ["added"] * 2
    until(lambda: members(daemon)["first"]["state"] == "running", 10, "the start of both")


def test_what_is_named_is_restarted_now(daemon: Daemon, shop: dict[str, Any]) -> None:
    before = members(daemon)
    applied = apply(daemon, restart=["server"])
    assert applied["changes"][0]["restarted"] is True
    after = members(daemon)
    assert argv_of(after["server"]["pid"]) == ["sleep", "2000"]
    assert after["tests"]["pid"] == before["tests"]["pid"]


def test_the_star_restarts_all_that_changed_but_no_agent(daemon: Daemon, tmp_path: Path) -> None:
    text = "panes:\n  coder: {{agent: claude_code, command: [sleep, '{0}']}}\n  server: [sleep, '{0}']\n"
    daemon.call("WorkspaceCreate", name="shop", source=text.format(1000), root=str(tmp_path))
    before = members(daemon)
    applied = apply(daemon, text.format(2000), restart=["*"])
    assert [one["restarted"] for one in applied["changes"]] == [False, True]
    assert members(daemon)["coder"]["pid"] == before["coder"]["pid"]
    apply(daemon, text.format(3000), restart=["coder"])  # named, it is meant
    assert argv_of(members(daemon)["coder"]["pid"]) == ["sleep", "3000"]


def test_a_change_that_is_taken_back_needs_no_restart(daemon: Daemon, shop: dict[str, Any]) -> None:
    apply(daemon)
    assert members(daemon)["server"]["needs_restart"] is True
    back = apply(daemon, BEFORE)
    assert kinds(back) == {"server": "changed", "log": "added", "tests": "kept", "worker": "removed"}
    assert members(daemon)["server"]["needs_restart"] is False
    assert members(daemon)["log"]["in_template"] is True


def test_what_needs_a_restart_is_known_to_the_next_hub(daemon: Daemon, shop: dict[str, Any]) -> None:
    apply(daemon)
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    after = members(daemon)
    assert (after["server"]["needs_restart"], after["log"]["in_template"]) == (True, False)
    assert apply(daemon)["changes"][0]["needs_restart"] is True


def test_what_left_is_not_started_again_and_prune_forgets_it(daemon: Daemon, shop: dict[str, Any]) -> None:
    apply(daemon)
    daemon.call("WorkspaceClose", name="shop")
    daemon.call("WorkspaceOpen", name="shop")
    assert members(daemon)["log"]["state"] == "stopped"
    applied = apply(daemon, prune=True)
    assert kinds(applied)["log"] == "removed"
    assert "log" not in members(daemon)


def test_a_closed_workspace_changes_and_nothing_starts(daemon: Daemon, shop: dict[str, Any]) -> None:
    daemon.call("WorkspaceClose", name="shop")
    apply(daemon)
    assert {one["pid"] for one in members(daemon).values()} == {None}
    daemon.call("WorkspaceOpen", name="shop")
    after = members(daemon)
    assert argv_of(after["server"]["pid"]) == ["sleep", "2000"]
    assert (after["worker"]["state"], after["log"]["state"]) == ("running", "stopped")


def test_the_file_that_it_was_opened_from_is_read_again(daemon: Daemon, tmp_path: Path) -> None:
    template = tmp_path / "config" / "mine.yaml"
    template.parent.mkdir()
    template.write_text(BEFORE)
    root = tmp_path / "root"
    root.mkdir()
    name = own_template(daemon, template)
    daemon.call("WorkspaceCreate", name="shop", template=name, root=str(root))
    assert kinds(daemon.call("WorkspaceApply", name="shop", dry_run=True)) == dict.fromkeys(
        ("server", "log", "tests"), "kept"
    )
    own_template(daemon, template, AFTER)
    assert kinds(daemon.call("WorkspaceApply", name="shop"))["worker"] == "added"


def own_template(daemon: Daemon, template: Path, text: str = BEFORE) -> str:
    """Put a template among the user's own, which need no acceptance; return its name."""
    folder = daemon.home / "config" / "wezterm-parallel" / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / template.name).write_text(text)
    return template.stem


def test_a_workspace_without_a_file_says_that_a_template_is_to_be_named(daemon: Daemon, shop: dict[str, Any]) -> None:
    with pytest.raises(RequestError) as refused:
        daemon.call("WorkspaceApply", name="shop")
    assert refused.value.code == "template.not_found"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"source": "panes: ["}, "template.syntax"),
    ({"source": "layout: |\n  a b\n  b a\npanes: {a: x, b: y}\n"}, "template.layout"),
    ({"source": AFTER, "restart": ["servr"]}, "command.bad_value"),
    ({"source": AFTER, "restart": "server"}, "command.bad_value"),
    ({"template": "no-such-template"}, "template.not_found"),
    ({"source": "root: /no/such/folder\npanes: [[sleep, '1']]\n"}, "process.no_directory"),
    ({"source": AFTER, "colour": "red"}, "command.unknown_field"),
    ({"name": "shpo", "source": AFTER}, "workspace.not_found"),
    ({"source": "panes: {mine: [sleep, '1']}\n"}, "process.bad_state"),
]


def test_what_cannot_be_applied_changes_nothing(daemon: Daemon, shop: dict[str, Any]) -> None:
    daemon.call("ProcessAdd", id="shop/mine", command="sleep", args=["1000"])
    before = daemon.call("WorkspaceGet", name="shop")
    for fields, code in BAD:
        with pytest.raises(RequestError) as refused:
            daemon.call("WorkspaceApply", **{"name": "shop", **fields})
        assert refused.value.code == code, fields
    after = daemon.call("WorkspaceGet", name="shop")
    assert (after["plan"], after["workspace"]) == (before["plan"], before["workspace"])
    assert [(one["pid"], one["argv"]) for one in after["processes"]] == [
        (one["pid"], one["argv"]) for one in before["processes"]
    ]


def test_it_has_exactly_one_effect_wherever_the_hub_dies(daemon: Daemon, shop: dict[str, Any]) -> None:
    runs = {"server": 1, "log": 1, "tests": 1}
    for number, failpoint in enumerate(("stored", "sent", "answered", "committed")):
        name = f"worker{number}"
        text = BEFORE.replace("1000", f"{3000 + number}") + f"  {name}: [sleep, '1000']\n"
        daemon.arm(failpoint)
        first = apply(daemon, text, restart=["server"], prune=True, key=f"k-{number}")
        assert not (daemon.failpoints / failpoint).exists()
        runs = {**{one: runs[one] for one in ("log", "tests")}, "server": runs["server"] + 1, name: 1}
        assert {one: record["run"] for one, record in members(daemon).items()} == runs, failpoint
        assert apply(daemon, text, restart=["server"], prune=True, key=f"k-{number}") == first
        assert {one: record["run"] for one, record in members(daemon).items()} == runs, failpoint


def test_with_wait_ready_it_answers_when_what_it_started_is_ready(daemon: Daemon, shop: dict[str, Any]) -> None:
    worker = "{command: [sh, -c, 'sleep 0.4; echo up; exec sleep 1000'], ready: {log_line: up}}"
    added = BEFORE + f"  worker: {worker}\n"
    applied = apply(daemon, added, wait="ready")
    assert {one["process_id"]: one["now"] for one in applied["processes"]}["shop/worker"] == "spawned"
    assert members(daemon)["worker"]["state"] == "ready"


def test_with_wait_ready_what_never_gets_ready_is_told_as_refused(daemon: Daemon, shop: dict[str, Any]) -> None:
    worker = "{command: [sh, -c, 'exit 3'], restart: never, ready: {log_line: up}}"
    applied = apply(daemon, BEFORE + f"  worker: {worker}\n", wait="ready")
    told = {one["process_id"]: one for one in applied["processes"]}["shop/worker"]
    assert told["now"] == "refused"
    assert "not ready" in told["error"]["message"]
