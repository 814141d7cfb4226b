"""WezTerm dies with all its panes: after `restore` everything is on the screen again, and nothing was lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.wezterm.mux_server import MuxServer
from tests.wezterm.place import Place
from tests.wezterm.waiting import wait_for

pytestmark = pytest.mark.wezterm

LUA = Path(__file__).parents[2] / "lua"
TEMPLATES = {
    "web": "layout: 'api ui'\npanes: { api: { command: echo api began; exec cat }, "
    "ui: { command: echo ui began; exec cat } }",
    "jobs": "tabs:\n  one: { layout: shell }\n  two: { layout: log }\n"
    "panes: { shell: { command: echo shell began; exec cat }, log: { command: echo log began; exec cat } }",
}
RESTORE = "return require('wezparallel.workspaces').restore(nil, nil)"


def runs(place: Place) -> dict[str, Any]:
    with place.hub() as hub:
        return {one["process_id"]: (one["run_id"], one["pid"]) for one in hub.call("ProcessList", {})["processes"]}


def by_name(wezterm: MuxServer) -> dict[str, dict[str, Any]]:
    """The panes of our workspaces by the first word that each shows."""
    return {
        wezterm.wait_for_text(pane["pane_id"], "began").split()[0]: pane
        for pane in wezterm.list()
        if pane["workspace"] in TEMPLATES
    }


def test_after_a_kill_every_pane_is_there_again_with_what_it_showed(place: Place, mux_server: MuxServer) -> None:
    place.write(".wezterm/README", "")
    (place.home / ".wezterm" / "wezparallel").symlink_to(LUA / "wezparallel")
    place.wezparallel("daemon", "start")
    mux_server.start()
    with place.hub() as hub:
        for name, source in TEMPLATES.items():
            hub.call("WorkspaceCreate", {"name": name, "source": source, "root": str(place.home)}, timeout_s=10)
    assert sorted(mux_server.rpc(RESTORE)) == ["jobs", "web"]
    before, were = by_name(mux_server), runs(place)
    assert before.keys() == {"api", "ui", "shell", "log"}
    mux_server.cli("send-text", "--no-paste", "--pane-id", str(before["api"]["pane_id"]), "typed before\r")
    mux_server.wait_for_text(before["api"]["pane_id"], "typed before\ntyped before")

    mux_server.kill()
    mux_server.start()
    assert [pane for pane in mux_server.list() if pane["workspace"] in TEMPLATES] == []
    assert sorted(mux_server.rpc(RESTORE)) == ["jobs", "web"]

    after = by_name(mux_server)
    kept = ("workspace", "left_col", "top_row", "size", "tab_title", "is_active")
    assert {name: [pane[what] for what in kept] for name, pane in after.items()} == {
        name: [pane[what] for what in kept] for name, pane in before.items()
    }
    assert runs(place) == were
    api = after["api"]["pane_id"]
    assert "typed before\ntyped before" in mux_server.text(api)
    mux_server.cli("send-text", "--no-paste", "--pane-id", str(api), "typed after\r")
    mux_server.wait_for_text(api, "typed after\ntyped after")
    # A second time there is nothing to restore, whether the hub has told of the views already or not.
    panes = len(mux_server.list())
    assert mux_server.rpc(RESTORE) in ([], {})
    assert len(mux_server.list()) == panes


def test_views_are_closed_and_what_they_showed_goes_on(place: Place, mux_server: MuxServer) -> None:
    place.write(".wezterm/README", "")
    (place.home / ".wezterm" / "wezparallel").symlink_to(LUA / "wezparallel")
    place.wezparallel("daemon", "start")
    mux_server.start()
    source = "layout: 'one two'\npanes: { one: { command: echo one began; exec cat, on_close: stop }, two: exec cat }"
    with place.hub() as hub:
        hub.call("WorkspaceCreate", {"name": "web", "source": source, "root": str(place.home)}, timeout_s=10)
    mux_server.rpc(RESTORE)
    were = runs(place)
    code = (
        "local window = setmetatable({}, { __index = function() return function() end end }) "
        "require('wezparallel.workspaces').close_views(window, nil, 'web')"
    )
    with place.hub() as hub:
        wait_for(lambda: len(hub.call("ViewList", {})["views"]) == 2, "the views to be known")
        mux_server.rpc(code)
        assert [pane for pane in mux_server.list() if pane["workspace"] == "web"] == []
        wait_for(lambda: not hub.call("ViewList", {})["views"], "the views to be gone")
        # `on_close: stop` would act two seconds after a person has closed the pane.
        waited = hub.call("ProcessWait", {"process": "web/one", "for": "exited", "timeout_s": 3}, timeout_s=10)
    assert waited["outcome"] == "timeout"
    assert runs(place) == were
