"""`setup` as users write it: what it adds, what it leaves alone, and that loading runs nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lua.conftest import ROOT
from tests.lua.fake import FakeWezterm
from tests.lua.lua_process import LuaFaultError, plain
from tests.lua.test_state import write

Make = Callable[..., FakeWezterm]
HEAD = """local wezterm = require 'wezterm'
local wezparallel = require 'wezparallel'
local config = wezterm.config_builder()
"""
SEED = (ROOT / "tests/compat/seed_002_wezterm.lua").read_text()  # section 4.2, character by character
FACTS: dict[str, Any] = {
    "format": 1, "python": "/opt/python", "call": "/opt/call.py", "attach": "/opt/attach.py", "env": {},
    "ui": {"show_process_status": False, "auto_hide_inactive_panes": False},
    "counts": {"workspaces": 0, "processes": 0, "running": 0, "agents": 0, "waiting": 0, "failed": 0},
    "waiting": [], "workspaces": [], "loose": [], "requests": [],
}  # fmt: skip


def started(
    make: Make, setup: str = "wezparallel.setup(config)", flavour: str = "stable", **given: Any
) -> FakeWezterm:
    """Load a configuration that ends with `return config`."""
    wezterm = make(flavour, **given)
    wezterm.answer = lambda _argv: (True, '{"Pong":{}}\n', "")
    wezterm.load(HEAD + setup + "\nreturn config")
    return wezterm


def test_the_configuration_of_the_seed_loads_and_its_keys_work(make: Make, home: Path, flavour: str) -> None:
    write(home, json.dumps(FACTS))
    wezterm = make(flavour)
    wezterm.answer = lambda _argv: (True, '{"Templates":{"templates":[]}}\n', "")
    wezterm.load(SEED)
    wezterm.press("n", "CTRL|SHIFT")
    assert wezterm.overlay is not None
    assert wezterm.overlay["title"].startswith("Create a workspace")
    wezterm.choose("")
    wezterm.type_line(None)
    wezterm.press("w", "CTRL|SHIFT")
    assert wezterm.overlay is not None
    assert wezterm.overlay["title"] == "Switch to a workspace"


def test_loading_runs_no_program_reads_no_folder_and_waits_for_nothing(make: Make) -> None:
    wezterm = make()
    config = wezterm.lua.eval("function(load) return load() end")(
        wezterm._chunk(HEAD + "wezparallel.setup(config) return config", "wezterm.lua")
    )
    assert config is not None  # evaluated outside every coroutine, where anything async would have failed
    assert wezterm.children == []
    assert len(wezterm.fake.timers) == 0


def test_setup_takes_no_slot_that_has_one_owner_but_the_palette(make: Make) -> None:
    wezterm = started(make)
    handlers = set(wezterm.fake.handlers.keys())
    assert handlers & {"format-tab-title", "format-window-title", "mux-is-process-stateful"} == set()
    assert "augment-command-palette" in handlers
    assert set(wezterm.fake.config.keys()) == {"keys", "key_tables"}
    quiet = started(make, "wezparallel.setup(config, { palette = false, keys = false })")
    assert "augment-command-palette" not in set(quiet.fake.handlers.keys())
    assert set(quiet.fake.config.keys()) == set()


def test_what_has_one_owner_is_taken_when_an_option_says_so(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config, { tab_marks = true, close_question = true })")
    assert {"format-tab-title", "mux-is-process-stateful"} <= set(wezterm.fake.handlers.keys())


def test_the_sample_that_is_shipped_loads(make: Make, flavour: str) -> None:
    wezterm = make(flavour)
    wezterm.load((ROOT / "config/templates/wezterm.lua").read_text())
    assert wezterm.call("return require('wezparallel.options').current.status") is True


def test_setup_done_twice_is_done_once(make: Make) -> None:
    once = started(make, "wezparallel.setup(config, { keys = 'seed' })")
    twice = started(make, "wezparallel.apply_to_config(config) wezparallel.setup(config, { keys = 'seed' })")
    for wezterm in (once, twice):
        assert len(plain(wezterm.fake.config["keys"])) == 5
        assert len(wezterm.fake.handlers["update-status"]) == 1
        assert len(wezterm.fake.handlers["augment-command-palette"]) == 1


def test_setup_takes_a_plain_table_too(make: Make) -> None:
    wezterm = make()
    wezterm.load("local config = {} require('wezparallel').setup(config) return config")
    assert len(plain(wezterm.fake.config["keys"])) == 1


def test_every_action_is_a_key_action_before_setup_too(make: Make, flavour: str) -> None:
    names = "menu create_workspace switch_workspace delete_workspace show_dashboard next_waiting attach_process"
    names += " restart_process kill_process show_logs sync_panes type_all relayout restore close_views show_keys"
    keys = ", ".join(
        f"{{ key = 'F{n}', action = wezparallel.actions.{name} }}" for n, name in enumerate(names.split())
    )
    wezterm = started(make, f"config.keys = {{ {keys} }}", flavour)
    actions = [entry["action"] for entry in plain(wezterm.fake.config["keys"])]
    assert actions == [{"EmitEvent": f"wezparallel.{name}"} for name in names.split()]


def test_an_action_that_does_not_exist_is_refused_with_those_that_do(make: Make) -> None:
    with pytest.raises(LuaFaultError, match='no action "create_workspce"; it has attach_process, '):
        started(make, "local a = wezparallel.actions.create_workspce")


def test_an_action_that_fails_is_told_to_the_person_and_logged(make: Make, home: Path) -> None:
    wezterm = started(make)
    wezterm.call("package.loaded['wezparallel.workspaces'] = { relayout = function() error('it broke') end }")
    wezterm.perform({"EmitEvent": "wezparallel.relayout"})
    assert [toast["message"].rpartition(": ")[2] for toast in wezterm.toasts if "broke" in toast["message"]] == [
        "it broke"
    ]
    assert any("relayout" in line and line.startswith("error") for line in wezterm.logs)


def test_a_key_that_was_pressed_in_a_list_acts_on_the_pane_below_it(make: Make) -> None:
    wezterm = started(make)
    told = "relayout = function(_, pane) require('wezterm').log_info('in ' .. pane:pane_id()) end"
    wezterm.call(f"package.loaded['wezparallel.workspaces'] = {{ {told} }}")
    gone = wezterm.call("return (select(2, (...):mux_window():spawn_tab {})):pane_id()", wezterm.window())
    pane = wezterm.pane(gone)
    wezterm.kill_pane(gone)
    wezterm.emit("wezparallel.relayout", wezterm.window(), pane)
    assert "info: in 0" in wezterm.logs


def test_the_palette_has_every_entry_and_makes_its_callbacks_once(make: Make) -> None:
    wezterm = started(make)
    entries = wezterm.emit_sync("augment-command-palette", wezterm.window(), wezterm.pane())
    count = wezterm.fake.callbacks
    wezterm.emit_sync("augment-command-palette", wezterm.window(), wezterm.pane())
    assert len(entries) > 12
    assert all(entry["brief"].startswith("wezparallel: ") for entry in entries)
    assert wezterm.fake.callbacks == count


def test_an_option_that_is_not_understood_stops_the_load(make: Make) -> None:
    with pytest.raises(LuaFaultError, match="knows no option"):
        started(make, "wezparallel.setup(config, { autostart = true })")


def test_it_loads_in_the_mux_server_which_has_no_gui(make: Make) -> None:
    server = started(make, gui=False)
    server.advance(5)
    assert server.children == []


@pytest.mark.parametrize("folder", ["httpssCssZssZexampledsDcomsZwezparallel", "any name"])
def test_the_plugin_door_finds_its_own_checkout(make: Make, home: Path, folder: str) -> None:
    (home / ".wezterm/wezparallel").unlink()
    checkout = home / "plugins" / folder
    checkout.mkdir(parents=True)
    for name in ("plugin", "lua"):
        (checkout / name).symlink_to(ROOT / name)
    wezterm = make()
    wezterm.lua.globals().package.path = f"{home}/plugins/?/plugin/init.lua"  # as WezTerm sets it
    wezterm.load(f"local w = require '{folder}' local c = {{}} w.apply_to_config(c) return c")
    assert wezterm.call("return require('wezparallel').version") == "0.1.0"


def test_the_plugin_door_asks_the_list_by_url_when_it_is_not_told_where_it_is(make: Make, home: Path) -> None:
    (home / ".wezterm/wezparallel").unlink()
    wezterm = make()
    door = wezterm._chunk((ROOT / "plugin/init.lua").read_text(), "door")
    with pytest.raises(Exception, match="does not know where it is"):
        door()
    wezterm.plugins = [
        {"url": "https://example.com/other", "component": "o", "plugin_dir": "/nowhere"},
        {"url": "https://example.com/you/wezparallel.git", "component": "w", "plugin_dir": str(ROOT)},
    ]
    assert door()[0].version == "0.1.0"  # and the path that require gives


def test_the_names_of_the_seeds_are_the_same_module(make: Make) -> None:
    wezterm = started(make)
    assert wezterm.call("return require('multi_dev_framework') == require('wezparallel')") is True


def test_version_is_that_of_the_package(make: Make) -> None:
    version = started(make).call("return require('wezparallel').version")
    assert f'version = "{version}"' in (ROOT / "pyproject.toml").read_text()
