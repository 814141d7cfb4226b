"""Seed 002's WorkspaceManager: its names, its configuration, and what they do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lua.fake import FakeWezterm
from tests.lua.test_setup import FACTS, Make, started
from tests.lua.test_state import write

MANAGER = "local manager = require 'workspace_manager' "
REPLIES: dict[str, Any] = {
    "WorkspaceCreate": {"WorkspaceCreated": {"workspace": {"name": "web"}, "plan": {"tabs": []}, "processes": []}},
    "WorkspaceOpen": {"WorkspaceOpened": {"workspace": {"name": "web"}, "plan": {"tabs": []}, "processes": []}},
    "WorkspaceDelete": {"WorkspaceDeleted": {"name": "web"}},
    "WorkspaceList": {"Workspaces": {"workspaces": [{"name": "web"}]}},
    "Ping": {"Pong": {}},
}


@pytest.fixture
def wezterm(make: Make) -> FakeWezterm:
    running = started(make)
    write(running.home, json.dumps(FACTS))
    running.answer = lambda argv: (True, json.dumps(REPLIES[next(iter(json.loads(argv[-1])))]) + "\n", "")
    return running


def sent(wezterm: FakeWezterm) -> list[tuple[str, dict[str, Any]]]:
    return [next(iter(json.loads(argv[-1]).items())) for argv in wezterm.children]


def test_its_configuration_is_that_of_the_seed(wezterm: FakeWezterm) -> None:
    assert wezterm.call(MANAGER + "return manager.config") == {
        "max_workspaces": 8, "default_layout": "three_pane", "auto_save_interval": 30,
    }  # fmt: skip


def test_it_creates_a_workspace_from_a_template_and_goes_there(wezterm: FakeWezterm) -> None:
    assert wezterm.call(MANAGER + "return manager:create_workspace('web', 'basic')") == {"name": "web"}
    (name, body), *later = sent(wezterm)
    assert (name, body["name"], body["template"], body["view"]) == ("WorkspaceCreate", "web", "basic", "plan")
    assert [request for request, _ in later] == ["WorkspaceOpen"]


def test_what_goes_wrong_is_returned(wezterm: FakeWezterm) -> None:
    wezterm.answer = lambda _argv: (True, '{"Error":{"code":"workspace.exists","message":"it exists"}}', "")
    assert wezterm.call(MANAGER + "return manager:create_workspace('web')") == (None, "it exists")
    assert wezterm.call(MANAGER + "return manager:delete_workspace('web')") == (None, "it exists")
    assert wezterm.call(MANAGER + "return manager:list_workspaces()") == (None, "it exists")


def test_the_rest_of_its_interface_is_there(wezterm: FakeWezterm) -> None:
    assert wezterm.call(MANAGER + "return manager:list_workspaces()")[0] == [{"name": "web"}]
    assert wezterm.call(MANAGER + "return manager:delete_workspace('web')")[0] is True
    assert wezterm.call(MANAGER + "return manager:save_state()")[0] is True
    wezterm.call(MANAGER + "manager:switch_workspace('web')")
    assert [name for name, _ in sent(wezterm)] == ["WorkspaceList", "WorkspaceDelete", "Ping", "WorkspaceOpen"]
