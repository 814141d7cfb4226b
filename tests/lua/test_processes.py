"""Processes by key: gone to, restarted, killed, typed into, and what waits."""

from __future__ import annotations

import pytest

from tests.lua.fake import FakeWezterm
from tests.lua.hub import MUX, PYTHON, Hub, pane_of, plan_tab, process, refusal, run, workspace


@pytest.fixture
def hub(wezterm: FakeWezterm) -> Hub:
    hub = Hub(wezterm)
    for name in ("ProcessRestart", "ProcessKill", "ViewSee", "ProcessTypeMany"):
        hub.answers[name] = {f"{name}Done": {"process_id": "x"}}
    hub.has(
        workspace("web", [plan_tab("web", ["a b"])]),
        workspace("api", [plan_tab("api", ["c"])], open=False),
    )
    hub.tell(loose=[process("backup", "exited", pane=False, exit_code=0)])
    return hub


def toasts(wezterm: FakeWezterm) -> list[str]:
    return [toast["message"] for toast in wezterm.toasts]


def choices(wezterm: FakeWezterm) -> list[str]:
    assert wezterm.overlay is not None
    return [choice["id"] for choice in wezterm.overlay["choices"]]


def opened(wezterm: FakeWezterm) -> None:
    run(wezterm, "workspaces", "open", "web")


def test_all_processes_are_offered_the_focused_one_first_then_what_waits(wezterm: FakeWezterm, hub: Hub) -> None:
    opened(wezterm)
    hub.state["workspaces"][1]["processes"][0]["waits"] = "Bash: ls"
    hub.tell()
    wezterm.call("(...):activate()", wezterm.pane(pane_of(wezterm, "web/b")))
    run(wezterm, "processes", "attach")
    assert choices(wezterm) == ["web/b", "api/c", "web/a", "backup"]


def test_a_process_on_screen_is_gone_to(wezterm: FakeWezterm, hub: Hub) -> None:
    opened(wezterm)
    wezterm.call("require('wezterm').mux.set_active_workspace('default')")
    before = set(wezterm.world.panes)
    run(wezterm, "processes", "attach")
    wezterm.choose("web/a")
    assert wezterm.active_pane() == pane_of(wezterm, "web/a")
    assert set(wezterm.world.panes) == before


def test_one_that_is_not_on_screen_gets_a_tab_here(wezterm: FakeWezterm, hub: Hub) -> None:
    run(wezterm, "processes", "attach", "backup")
    assert wezterm.workspace == "default"
    assert wezterm.active_pane() == pane_of(wezterm, "backup")
    assert len(wezterm.tabs("default")) == 2


def test_a_direct_process_runs_in_its_pane(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.tell(loose=[process("top", direct=True)])
    run(wezterm, "processes", "attach", "top")
    args = list(wezterm.world.panes[pane_of(wezterm, "top")].args.values())
    assert args == [PYTHON, "-I", "-S", "/opt/w/direct.py", "top"]


def test_restarting_asks_for_the_process_and_tells_a_failure(wezterm: FakeWezterm, hub: Hub) -> None:
    run(wezterm, "processes", "restart")
    wezterm.choose("web/a")
    assert hub.asked("ProcessRestart") == [{"process": "web/a"}]
    hub.answers["ProcessRestart"] = refusal("process.no_binary", "there is no npm")
    run(wezterm, "processes", "restart", "web/a")
    assert toasts(wezterm) == ["there is no npm"]


def test_killing_offers_what_lives_and_asks_first(wezterm: FakeWezterm, hub: Hub) -> None:
    run(wezterm, "processes", "kill")
    assert "backup" not in choices(wezterm)
    wezterm.choose("web/a")
    assert wezterm.overlay is not None
    assert wezterm.overlay["description"] == "Kill web/a and everything below it?"
    wezterm.choose(None)
    assert hub.asked("ProcessKill") == []
    run(wezterm, "processes", "kill", "web/a")
    wezterm.choose("yes")
    assert hub.asked("ProcessKill") == [{"process": "web/a"}]


def test_a_log_is_followed_in_a_pane_beside(wezterm: FakeWezterm, hub: Hub) -> None:
    run(wezterm, "processes", "show_logs", "web/a")
    (tab,) = wezterm.tabs("default")
    assert len(wezterm.places(tab)) == 2
    pane = wezterm.world.panes[wezterm.active_pane()]
    assert list(pane.args.values()) == [PYTHON, "-m", "wezparallel", "logs", "--follow", "web/a"]
    assert dict(pane.env.items()) == hub.state["env"]


def test_a_log_is_not_offered_of_what_has_none(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.tell(workspaces=[], loose=[process("top", direct=True)])
    run(wezterm, "processes", "show_logs")
    assert toasts(wezterm) == ["There is no such process"]


def wait(hub: Hub, *names: str) -> None:
    hub.tell(waiting=[{"process_id": name, "workspace": name.rpartition("/")[0] or None} for name in names])


def test_the_next_waiting_is_found_in_a_hidden_workspace_and_counts_as_seen(wezterm: FakeWezterm, hub: Hub) -> None:
    opened(wezterm)
    wezterm.call("require('wezterm').mux.set_active_workspace('default')")
    wait(hub, "web/b", "web/a")
    run(wezterm, "processes", "next_waiting")
    assert (wezterm.workspace, wezterm.active_pane()) == ("web", pane_of(wezterm, "web/b"))
    assert hub.asked("ViewSee") == [{"process": "web/b", "mux": MUX}]


def test_what_is_looked_at_already_is_passed_over(wezterm: FakeWezterm, hub: Hub) -> None:
    opened(wezterm)
    here = wezterm.active_pane()
    wait(hub, "web/a", "web/b")
    assert here == pane_of(wezterm, "web/a")
    run(wezterm, "processes", "next_waiting")
    assert wezterm.active_pane() == pane_of(wezterm, "web/b")
    assert [one["process"] for one in hub.asked("ViewSee")] == ["web/a", "web/b"]


def test_nothing_else_waits(wezterm: FakeWezterm, hub: Hub) -> None:
    opened(wezterm)
    wait(hub, "web/a")
    run(wezterm, "processes", "next_waiting")
    wait(hub)
    run(wezterm, "processes", "next_waiting")
    assert toasts(wezterm) == ["Nothing else waits for you", "Nothing waits for you"]


def test_its_workspace_is_opened_for_what_waits_unseen(wezterm: FakeWezterm, hub: Hub) -> None:
    wait(hub, "web/b")
    run(wezterm, "processes", "next_waiting")
    assert hub.asked("WorkspaceOpen") == [{"name": "web", "view": "plan"}]
    assert (wezterm.workspace, wezterm.active_pane()) == ("web", pane_of(wezterm, "web/b"))


def test_what_waits_without_a_place_in_the_plan_gets_a_tab_in_its_workspace(wezterm: FakeWezterm, hub: Hub) -> None:
    opened(wezterm)
    wezterm.call("require('wezterm').mux.set_active_workspace('default')")
    hub.state["workspaces"][0]["processes"].append(process("web/job", pane=False))
    wait(hub, "web/job")
    run(wezterm, "processes", "next_waiting")
    assert wezterm.workspace == "web"
    assert len(wezterm.tabs("web")) == 2
    assert wezterm.active_pane() == pane_of(wezterm, "web/job")


def test_a_line_goes_to_all_that_run_with_a_pane_in_this_workspace(wezterm: FakeWezterm, hub: Hub) -> None:
    opened(wezterm)
    members = hub.state["workspaces"][0]["processes"]
    members += [process("web/job", pane=False), process("web/gone", "exited"), process("web/own", direct=True)]
    hub.tell()
    run(wezterm, "processes", "type_all")
    assert wezterm.overlay is not None
    assert wezterm.overlay["description"] == "Line for web/a, web/b (Enter follows it)"
    refused = {"process_id": "web/b", "error": {"code": "process.not_running", "message": "web/b does not run"}}
    hub.answers["ProcessTypeMany"] = {"ProcessesTyped": {"processes": ["web/a"], "refused": [refused], "bytes": 9}}
    wezterm.type_line("git pull")
    assert hub.asked("ProcessTypeMany") == [{"processes": ["web/a", "web/b"], "text": "git pull", "enter": True}]
    assert toasts(wezterm) == ["web/b does not run"]


def test_there_is_nothing_to_type_into(wezterm: FakeWezterm, hub: Hub) -> None:
    run(wezterm, "processes", "type_all")
    assert toasts(wezterm) == ["Nothing of this workspace runs with a pane"]


def test_panes_of_a_tab_are_tied_and_untied(wezterm: FakeWezterm, hub: Hub) -> None:
    opened(wezterm)
    hub.answers["ViewSync"] = lambda fields: {"ViewSynced": {"processes": fields["processes"], "on": fields["on"]}}
    run(wezterm, "processes", "sync_panes")
    for one in hub.state["workspaces"][0]["processes"]:
        one["synced"] = True
    hub.tell()
    run(wezterm, "processes", "sync_panes")
    assert hub.asked("ViewSync") == [
        {"processes": ["web/a", "web/b"], "on": True},
        {"processes": ["web/a", "web/b"], "on": False},
    ]
    assert toasts(wezterm) == ["What you type here goes to web/a, web/b", "What you type goes to one pane again"]


def test_one_pane_alone_cannot_be_tied(wezterm: FakeWezterm, hub: Hub) -> None:
    run(wezterm, "processes", "sync_panes")
    assert toasts(wezterm) == ["There are no two panes of ours in this tab"]
    assert hub.asked("ViewSync") == []


def test_what_could_not_be_shown_does_not_count_as_seen(wezterm: FakeWezterm, hub: Hub) -> None:
    wait(hub, "web/b")
    hub.answers["WorkspaceOpen"] = refusal("workspace.limit", "8 are open; close one")
    run(wezterm, "processes", "next_waiting")
    assert toasts(wezterm) == ["8 are open; close one"]
    assert hub.asked("ViewSee") == []


def dashboards(wezterm: FakeWezterm) -> list[int]:
    found = []
    for number, pane in wezterm.world.panes.items():
        words = list(pane.args.values()) if pane.args else []
        if words[-1:] == ["dashboard"]:
            found.append(int(number))
    return found


def test_the_dashboard_comes_and_goes_with_the_same_key(wezterm: FakeWezterm, hub: Hub) -> None:
    run(wezterm, "processes", "attach", "backup")
    before = wezterm.active_pane()
    run(wezterm, "processes", "show_dashboard")
    (pane,) = dashboards(wezterm)
    assert wezterm.active_pane() == pane
    assert [str(tab.title) for tab in wezterm.tabs("default")] == ["", "", "dashboard"]
    wezterm.reload()
    run(wezterm, "processes", "show_dashboard")
    assert dashboards(wezterm) == []
    assert wezterm.active_pane() == before


def test_a_dashboard_behind_another_tab_comes_to_the_front(wezterm: FakeWezterm, hub: Hub) -> None:
    run(wezterm, "processes", "show_dashboard")
    (pane,) = dashboards(wezterm)
    wezterm.call("(...):activate()", wezterm.pane(0))
    run(wezterm, "processes", "show_dashboard")
    assert dashboards(wezterm) == [pane]
    assert wezterm.active_pane() == pane


def test_a_dashboard_of_another_workspace_is_closed_and_opened_here(wezterm: FakeWezterm, hub: Hub) -> None:
    run(wezterm, "processes", "show_dashboard")
    opened(wezterm)
    run(wezterm, "processes", "show_dashboard")
    (pane,) = dashboards(wezterm)
    assert wezterm.active_pane() == pane
    assert (len(wezterm.tabs("default")), len(wezterm.tabs("web"))) == (1, 2)


@pytest.mark.parametrize("name", ["attach", "restart", "kill", "show_logs", "next_waiting", "show_dashboard"])
def test_without_a_snapshot_each_says_what_to_do(wezterm: FakeWezterm, hub: Hub, name: str) -> None:
    hub.path.unlink()
    run(wezterm, "processes", name)
    assert toasts(wezterm) == ["nothing is known of the daemon yet; run `wezparallel init` in a shell once"]
