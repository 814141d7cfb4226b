"""Workspaces by key: made, opened, gone to, shown again after WezTerm died, closed, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lua.fake import FakeWezterm
from tests.lua.hub import MUX, Hub, Json, adjusts, pane_of, plan_tab, refusal, run, shows, titles, workspace


@pytest.fixture
def hub(wezterm: FakeWezterm) -> Hub:
    hub = Hub(wezterm)
    hub.answers["TemplateList"] = {
        "Templates": {
            "templates": [
                {"name": "shop", "description": "All of it", "origin": "folder", "path": "/home/me/shop/w.yaml"},
                {"name": "web_dev", "description": "Front and back", "origin": "built-in", "path": "/x"},
                {"name": "detected", "description": "", "origin": "detected", "path": "detected"},
            ]
        }
    }
    return hub


def web(*names: str, **more: Any) -> Json:
    return workspace("web", [plan_tab("web", [" ".join(names or ("a", "b"))], title="main", **more)])


def created(name: str = "web", **more: Any) -> Json:
    one = web()
    record = {key: one[key] for key in ("root", "open", "switched_at")}
    reply = {"workspace": {"name": name, **record}, "plan": {"tabs": one["tabs"]}, "processes": [], **more}
    return {"WorkspaceCreated": reply}


def toasts(wezterm: FakeWezterm) -> list[str]:
    return [toast["message"] for toast in wezterm.toasts]


def test_a_template_and_a_name_make_a_workspace_and_go_there(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.answers["WorkspaceCreate"] = created()
    wezterm.world.panes[0].cwd = "/home/me/code/shop/"
    run(wezterm, "workspaces", "create")
    assert hub.asked("TemplateList") == [{"root": "/home/me/code/shop"}]
    assert wezterm.overlay is not None
    # A folder's own template is meant by its file; what a folder looks like is the first choice of all.
    assert [choice["id"] for choice in wezterm.overlay["choices"]] == ["", "/home/me/shop/w.yaml", "web_dev"]
    wezterm.choose("web_dev")
    assert wezterm.overlay["description"] == "Name of the workspace (nothing: shop)"
    wezterm.type_line("  web ")
    wanted = {"name": "web", "template": "web_dev", "root": "/home/me/code/shop", "unique": True, "view": "plan"}
    assert hub.asked("WorkspaceCreate") == [wanted]
    assert wezterm.workspace == "web"
    (tab,) = wezterm.tabs("web")
    assert shows(wezterm, tab).keys() == {"web/a", "web/b"}
    assert (tab.cols, tab.rows) == (80, 24)


def test_without_a_name_and_a_template_the_folder_decides(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.answers["WorkspaceCreate"] = created()
    run(wezterm, "workspaces", "create")
    wezterm.choose("")
    wezterm.type_line("")
    assert hub.asked("WorkspaceCreate") == [{"root": str(wezterm.home), "unique": True, "view": "plan"}]


def test_a_change_carries_a_key_and_the_same_key_when_it_is_asked_again(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.answers["WorkspaceCreate"] = created()
    run(wezterm, "workspaces", "create", "basic")
    wezterm.type_line("")
    assert hub.requests[-1]["WorkspaceCreate"]["key"].startswith("lua-")


def test_what_the_person_has_to_know_is_told(wezterm: FakeWezterm, hub: Hub) -> None:
    refused = {"process_id": "web/a", "now": "refused", "error": {"code": "process.no_binary", "message": "no npm"}}
    hub.answers["WorkspaceCreate"] = created("web-2", wanted_name="web", processes=[refused])
    run(wezterm, "workspaces", "create", "basic")
    wezterm.type_line("web")
    assert toasts(wezterm) == [
        "web/a did not start: no npm",
        "It is called web-2, because web is the workspace of another folder",
    ]


UNTRUSTED = refusal(
    "template.untrusted", "not accepted",
    path="/home/me/shop/w.yaml", root="/home/me/shop", sha256="ab" * 32, commands=["a  rm -rf x"], changes=None,
)  # fmt: skip


def test_commands_of_a_folder_are_shown_and_accepted_before_they_run(wezterm: FakeWezterm, hub: Hub) -> None:
    answers = [UNTRUSTED, created()]
    hub.answers["WorkspaceCreate"] = lambda _: answers.pop(0)
    hub.answers["TemplateTrust"] = {"TemplateTrusted": {"path": "p", "sha256": "s"}}
    run(wezterm, "workspaces", "create", "basic")
    wezterm.type_line("web")
    assert wezterm.overlay is not None
    assert wezterm.overlay["title"] == "Run commands that came with the folder? They are of /home/me/shop/w.yaml"
    assert "rm -rf x" in wezterm.overlay["choices"][2]["label"]
    wezterm.choose("yes")
    trust = {"name": "/home/me/shop/w.yaml", "root": "/home/me/shop", "sha256": "ab" * 32}
    assert hub.asked("TemplateTrust") == [trust]
    first, second = hub.asked("WorkspaceCreate")
    assert first == second
    assert wezterm.workspace == "web"


def test_commands_that_are_not_accepted_do_not_run(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.answers["WorkspaceCreate"] = UNTRUSTED
    run(wezterm, "workspaces", "create", "basic")
    wezterm.type_line("web")
    wezterm.choose(None)
    assert len(hub.asked("WorkspaceCreate")) == 1
    assert hub.asked("TemplateTrust") == []
    assert wezterm.workspaces == ["default"]


def test_changed_commands_are_shown_as_what_came_and_went(wezterm: FakeWezterm, hub: Hub) -> None:
    changed = {**UNTRUSTED["Error"], "data": {**UNTRUSTED["Error"]["data"], "changes": ["- a  ls", "+ a  rm"]}}
    hub.answers["WorkspaceCreate"] = {"Error": changed}
    run(wezterm, "workspaces", "create", "basic")
    wezterm.type_line("web")
    assert wezterm.overlay is not None
    assert "Run other commands than you accepted?" in wezterm.overlay["title"]
    assert [("- a  ls" in one["label"], "+ a  rm" in one["label"]) for one in wezterm.overlay["choices"][2:]] == [
        (True, False),
        (False, True),
    ]


def test_a_failure_is_told_and_makes_nothing(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.answers["WorkspaceCreate"] = refusal("workspace.limit", "8 are open; close one")
    run(wezterm, "workspaces", "create", "basic")
    wezterm.type_line("web")
    assert toasts(wezterm) == ["8 are open; close one"]
    assert wezterm.workspaces == ["default"]


def test_the_picker_has_the_last_used_first_and_the_one_on_screen_last(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(
        workspace("default", []),
        workspace("old", [], open=False, switched_at="2026-11-24T12:00:00.000Z"),
        workspace("api", [plan_tab("api", ["a"])], switched_at="2026-11-24T10:00:00.000Z"),
        workspace("web", [plan_tab("web", ["a b"])], switched_at="2026-11-24T11:00:00.000Z"),
    )
    hub.tell(waiting=[{"process_id": "api/a", "workspace": "api"}])
    wezterm.call("require('wezterm').mux.spawn_window { workspace = 'mine' }")
    run(wezterm, "workspaces", "switch")
    assert wezterm.overlay is not None
    labels = {choice["id"]: choice["label"] for choice in wezterm.overlay["choices"]}
    assert list(labels) == ["web", "api", "old", "mine", "default"]
    assert "2 of 2 run" in labels["web"]
    assert "! waits" in labels["api"]
    assert "closed" in labels["old"]
    assert "of WezTerm" in labels["mine"]
    wezterm.choose("mine")
    assert wezterm.workspace == "mine"


def test_an_open_workspace_is_gone_to_and_nothing_is_drawn_twice(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(web())
    run(wezterm, "workspaces", "open", "web")
    before = set(wezterm.world.panes)
    wezterm.call("require('wezterm').mux.set_active_workspace('default')")
    run(wezterm, "workspaces", "switch", "web")
    assert wezterm.workspace == "web"
    assert set(wezterm.world.panes) == before
    assert len(hub.asked("WorkspaceOpen")) == 1


def test_where_the_person_was_in_a_workspace_they_are_again(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(web(focus="a"))
    run(wezterm, "workspaces", "open", "web")
    wezterm.call("(...):activate()", wezterm.pane(pane_of(wezterm, "web/b")))
    wezterm.call("require('wezterm').mux.set_active_workspace('default')")
    run(wezterm, "workspaces", "switch", "web")
    assert wezterm.active_pane() == pane_of(wezterm, "web/b")
    run(wezterm, "workspaces", "switch", "web", "web/a")
    assert wezterm.active_pane() == pane_of(wezterm, "web/a")


def test_a_workspace_without_panes_is_opened(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(web())
    run(wezterm, "workspaces", "switch", "web", "web/b")
    assert hub.asked("WorkspaceOpen") == [{"name": "web", "view": "plan"}]
    assert wezterm.workspace == "web"
    assert wezterm.active_pane() == pane_of(wezterm, "web/b")


def test_one_too_new_for_the_snapshot_is_asked_of_the_hub(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(web())
    hub.tell(workspaces=[])
    run(wezterm, "workspaces", "switch", "web")
    assert wezterm.workspace == "web"


def test_only_what_is_missing_is_drawn(wezterm: FakeWezterm, hub: Hub) -> None:
    tabs = [plan_tab("web", ["a b"], title="one"), plan_tab("web", ["c"], title="two")]
    hub.has(workspace("web", tabs))
    run(wezterm, "workspaces", "open", "web")
    kept = pane_of(wezterm, "web/a")
    wezterm.kill_pane(pane_of(wezterm, "web/b"))
    wezterm.kill_pane(pane_of(wezterm, "web/c"))
    run(wezterm, "workspaces", "open", "web")
    assert titles(wezterm, "web") == ["one", "two"]
    first, second = wezterm.tabs("web")
    assert shows(wezterm, first).keys() == {"web/a", "web/b"}
    assert shows(wezterm, second).keys() == {"web/c"}
    assert pane_of(wezterm, "web/a") == kept
    assert first.window == second.window


def test_a_missing_pane_comes_back_to_the_very_cell(wezterm: FakeWezterm, hub: Hub) -> None:
    adjusts(wezterm)
    hub.has(workspace("web", [plan_tab("web", ["a b", "a c", "d d"])]))
    run(wezterm, "workspaces", "open", "web")
    (tab,) = wezterm.tabs("web")
    before = shows(wezterm, tab)
    wezterm.kill_pane(pane_of(wezterm, "web/b"))
    run(wezterm, "workspaces", "open", "web")
    assert shows(wezterm, tab) == before


def test_a_window_with_the_name_of_the_workspace_gets_the_tabs(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(web())
    wezterm.call("require('wezterm').mux.spawn_window { workspace = 'web' }")
    run(wezterm, "workspaces", "open", "web")
    assert len(wezterm.world.order) == 2
    assert len(wezterm.tabs("web")) == 2


def test_a_workspace_without_panes_in_its_plan_says_so(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(workspace("jobs", []))
    run(wezterm, "workspaces", "switch", "jobs")
    assert "nothing in this workspace has a pane" in toasts(wezterm)[0]


def notice(wezterm: FakeWezterm, hub: Hub) -> list[str]:
    hub.requests.clear()
    wezterm.call("require('wezparallel.workspaces').notice(require('wezparallel.state').read())")
    wezterm.advance(0)
    return [one["name"] for one in hub.asked("WorkspaceSwitch")]


def test_the_hub_is_told_where_the_person_went_by_whatever_way(wezterm: FakeWezterm, hub: Hub) -> None:
    api = workspace("api", [plan_tab("api", ["x"])], switched_at="2026-11-24T11:00:00.000Z")
    hub.has(web(), api)
    hub.answers["WorkspaceSwitch"] = {"WorkspaceSwitched": {"workspace": {}}}
    assert notice(wezterm, hub) == []  # where they are now is none of ours
    wezterm.call("require('wezterm').mux.spawn_window { workspace = 'web' }")
    wezterm.perform({"SwitchToWorkspace": {"name": "web"}})
    assert notice(wezterm, hub) == ["web"]
    assert hub.asked("WorkspaceSwitch") == [{"name": "web", "mux": MUX}]
    assert notice(wezterm, hub) == []
    # The hub knows it where it asked for it.
    wezterm.call("require('wezterm').mux.spawn_window { workspace = 'api' }")
    wezterm.perform({"SwitchToWorkspace": {"name": "api"}})
    assert notice(wezterm, hub) == []


def test_deleting_asks_first(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(web(), workspace("default", []))
    hub.answers["WorkspaceDelete"] = {"WorkspaceDeleted": {"name": "web"}}
    run(wezterm, "workspaces", "delete")
    assert wezterm.overlay is not None
    assert [choice["id"] for choice in wezterm.overlay["choices"]] == ["default", "web"]
    wezterm.choose("web")
    assert wezterm.overlay["description"] == "Stop everything in web and forget it, with its logs?"
    wezterm.choose("no")
    assert hub.asked("WorkspaceDelete") == []
    run(wezterm, "workspaces", "delete", "web")
    wezterm.choose("yes")
    assert hub.asked("WorkspaceDelete") == [{"name": "web"}]
    assert toasts(wezterm) == ["web is deleted"]


def test_open_workspaces_without_panes_here_are_restored(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(
        workspace("api", [plan_tab("api", ["x", "y"])], switched_at="2026-11-24T10:00:00.000Z"),
        workspace("closed", [plan_tab("closed", ["a"])], open=False),
        workspace("jobs", []),
        workspace("there", [plan_tab("there", ["a"])]),
        workspace("web", [plan_tab("web", ["a b"], focus="b")], switched_at="2026-11-24T11:00:00.000Z"),
    )
    run(wezterm, "workspaces", "open", "there")
    assert run(wezterm, "workspaces", "restore") == ["web", "api"]
    assert wezterm.workspaces == ["api", "default", "there", "web"]
    assert len(wezterm.tabs("there")) == 1
    # The one used last is on the screen.
    assert wezterm.workspace == "web"
    assert wezterm.active_pane() == pane_of(wezterm, "web/b")
    assert len(hub.asked("WorkspaceOpen")) == 1


def test_restoring_twice_draws_nothing_twice(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(web())
    run(wezterm, "workspaces", "restore")
    before = set(wezterm.world.panes)
    assert run(wezterm, "workspaces", "restore") == {}
    assert set(wezterm.world.panes) == before
    assert toasts(wezterm) == ["Every open workspace is on the screen already"]


def test_one_that_cannot_be_drawn_keeps_no_other_from_it(wezterm: FakeWezterm, hub: Hub) -> None:
    wide = plan_tab("api", [" ".join(f"p{n}" for n in range(60))])
    hub.has(workspace("api", [wide]), workspace("web", [plan_tab("web", ["a b"])]))
    assert run(wezterm, "workspaces", "restore") == ["web"]
    assert "needs at least 119 columns" in toasts(wezterm)[0]


def test_closing_the_views_of_a_workspace_tells_the_hub_first(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(web())
    run(wezterm, "workspaces", "open", "web")
    a, b = (pane_of(wezterm, name) for name in ("web/a", "web/b"))
    seen: list[bool] = []

    def view_close(fields: Json) -> Json:
        seen.append(int(fields["pane"]) in wezterm.world.panes)
        return {"ViewClosed": {"process_id": fields["process"], "views": []}}

    hub.answers["ViewClose"] = view_close
    run(wezterm, "workspaces", "close_views")
    assert [(one["process"], one["pane"]) for one in hub.asked("ViewClose")] == [("web/a", str(a)), ("web/b", str(b))]
    assert seen == [True, True]
    assert set(wezterm.world.panes) == {0}
    assert wezterm.workspace == "default"


def test_a_shell_in_which_somebody_looks_at_a_process_stays(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(web())
    run(wezterm, "workspaces", "open", "web")
    shell = wezterm.call("return require('wezterm').mux.get_pane(0):split { args = { 'sh' } }:pane_id()")
    wezterm.set_user_var(shell, "wezparallel_process", "web/a")
    run(wezterm, "workspaces", "close_views")
    assert set(wezterm.world.panes) == {0, shell}


def test_the_last_panes_of_wezterm_stay(wezterm: FakeWezterm, hub: Hub) -> None:
    hub.has(web())
    run(wezterm, "workspaces", "open", "web")
    wezterm.kill_pane(0)
    before = set(wezterm.world.panes)
    run(wezterm, "workspaces", "close_views")
    assert set(wezterm.world.panes) == before
    assert "WezTerm ends with them" in toasts(wezterm)[0]


def test_a_workspace_of_somebody_else_has_no_plan(wezterm: FakeWezterm, hub: Hub) -> None:
    run(wezterm, "workspaces", "relayout")
    assert toasts(wezterm) == ["default is none of our workspaces, so it has no plan"]


def test_each_tab_of_the_workspace_is_laid_out_again(wezterm: FakeWezterm, hub: Hub) -> None:
    adjusts(wezterm)
    tabs = [plan_tab("web", ["a b"]), plan_tab("web", ["c d"])]
    hub.has(workspace("web", tabs))
    run(wezterm, "workspaces", "open", "web")
    before = [shows(wezterm, tab) for tab in wezterm.tabs("web")]
    for tab in wezterm.tabs("web"):
        tab.tree.a, tab.tree.b = 10, 69
    run(wezterm, "workspaces", "relayout")
    assert [shows(wezterm, tab) for tab in wezterm.tabs("web")] == before


@pytest.mark.parametrize(
    ("cwd", "folder"), [(None, None), ("/", "/"), ("/home/me/code/", "/home/me/code"), ("/home/me", "/home/me")]
)
def test_the_folder_is_the_panes_or_the_home(wezterm: FakeWezterm, cwd: str | None, folder: str | None) -> None:
    wezterm.world.panes[0].cwd = cwd
    found = wezterm.call("return require('wezparallel.workspaces').folder_of(...)", wezterm.pane())
    assert found == (folder or str(wezterm.home))
