"""Which keys are bound, which are left alone, and the key table with its hint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lua.fake import FakeWezterm
from tests.lua.lua_process import plain
from tests.lua.test_setup import FACTS, Make, started
from tests.lua.test_state import write


def bindings(wezterm: FakeWezterm) -> dict[str, str]:
    """Return `mods key` -> event, of what is bound."""

    def event(action: dict[str, Any]) -> str:
        if "Multiple" in action:
            opens, tells = action["Multiple"]
            assert (opens["ActivateKeyTable"]["name"], tells) == ("wezparallel", {"EmitEvent": "wezparallel.opened"})
            return "show_keys"
        return str(action.get("EmitEvent", "?")).removeprefix("wezparallel.")

    entries = plain(wezterm.fake.config["keys"] or {})
    return {f"{entry.get('mods', '')} {entry['key']}": event(entry["action"]) for entry in entries}


def keys_file(home: Path, *keys: dict[str, str], **more: Any) -> Path:
    path = home / ".config/wezterm-parallel/keys.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"format": 1, "keys": keys, **more}))
    return path


def test_one_key_is_bound_by_default(make: Make) -> None:
    assert bindings(started(make)) == {"CTRL|ALT Space": "show_keys"}


def test_the_entry_key_can_be_another_or_none(make: Make) -> None:
    other = started(make, "wezparallel.setup(config, { entry = { key = 'a', mods = 'LEADER' } })")
    assert bindings(other) == {"LEADER a": "show_keys"}
    none = started(make, "wezparallel.setup(config, { entry = false })")
    assert bindings(none) == {}
    assert none.fake.config.key_tables is None


def test_the_preset_of_the_seeds_says_what_it_displaces_once(make: Make, home: Path) -> None:
    write(home, json.dumps(FACTS))
    wezterm = started(make, "wezparallel.setup(config, { keys = 'seed' })")
    assert bindings(wezterm) == {
        "CTRL|ALT Space": "show_keys", "CTRL|SHIFT n": "create_workspace", "CTRL|SHIFT w": "switch_workspace",
        "CTRL|SHIFT d": "show_dashboard", "CTRL|SHIFT k": "kill_process",
    }  # fmt: skip
    wezterm.reload()
    (told,) = [line for line in wezterm.logs if "instead of" in line]
    assert "CTRL|SHIFT w instead of CloseCurrentTab" in told


def test_keybindings_of_the_configuration_come_from_keys_json_and_the_file_is_watched(make: Make, home: Path) -> None:
    path = keys_file(
        home, {"action": "kill_process", "key": "k", "mods": "CTRL|SHIFT"}, {"action": "jump", "key": "j", "mods": ""}
    )
    wezterm = started(make)
    assert bindings(wezterm) == {"CTRL|ALT Space": "show_keys", "CTRL|SHIFT k": "kill_process"}
    assert plain(wezterm.fake.watched) == [str(path)]
    assert any('"jump", which is no action' in line for line in wezterm.logs)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format":2,"keys":[]}', '{"format":1,"keys":3}', '{"format":1,"keys":[{"action":"menu"}]}',
     '{"format":1,"keys":[7]}', '{"format":1,"keys":[{"action":"menu","key":"x","mods":1}]}'],
)  # fmt: skip
def test_a_keys_json_that_is_not_understood_changes_nothing(make: Make, home: Path, text: str) -> None:
    keys_file(home).write_text(text)
    wezterm = started(make)
    assert bindings(wezterm) == {"CTRL|ALT Space": "show_keys"}
    assert any("is not understood" in line for line in wezterm.logs)


def test_keys_of_the_options_hold_over_those_of_the_file(make: Make, home: Path) -> None:
    keys_file(home, {"action": "kill_process", "key": "K", "mods": "CTRL"})
    wezterm = started(
        make,
        "wezparallel.setup(config, { keys = { menu = { key = 'k', mods = 'SHIFT|CTRL' }, relayout = { { key = 'F1' },"
        " { key = 'F2' } } } })",
    )
    found = bindings(wezterm)
    assert found["SHIFT|CTRL k"] == "menu"
    assert {" F1", " F2"} < set(found)
    assert "kill_process" not in found.values()


def test_false_binds_nothing_and_the_menu_opens_for_a_key_of_your_own(make: Make, home: Path) -> None:
    keys_file(home, {"action": "kill_process", "key": "k", "mods": "CTRL|SHIFT"})
    wezterm = started(
        make,
        "wezparallel.setup(config, { keys = false })"
        " config.keys = { { key = 'F1', action = wezparallel.actions.show_keys } }",
    )
    wezterm.advance(1)
    assert bindings(wezterm) == {" F1": "show_keys"}
    assert wezterm.slot().overrides is None
    wezterm.press("F1")
    assert wezterm.overlay is not None
    assert wezterm.overlay["kind"] == "InputSelector"


@pytest.mark.parametrize(
    ("key", "mods"),
    [("n", "CTRL|SHIFT"), ("n", "SHIFT|CTRL"), ("N", "CTRL"), ("N", "CTRL|SHIFT"), ("mapped:n", "SHIFT|CTRL")],
)  # fmt: skip
def test_what_the_person_has_bound_before_stays(make: Make, key: str, mods: str) -> None:
    wezterm = started(
        make,
        f"config.keys = {{ {{ key = '{key}', mods = '{mods}', action = wezterm.action.SpawnWindow }} }}"
        " wezparallel.setup(config, { keys = 'seed' })",
    )
    entries = plain(wezterm.fake.config["keys"])
    assert [entry["action"] for entry in entries if entry["key"].lower().endswith("n")] == ["SpawnWindow"]
    assert len(entries) == 5


def test_keys_assigned_after_setup_do_not_lose_ours(make: Make, home: Path) -> None:
    write(home, json.dumps(FACTS))
    keys_file(home, {"action": "kill_process", "key": "k", "mods": "CTRL|SHIFT"})
    wezterm = started(
        make,
        "wezparallel.setup(config, {}) config.keys = { { key = 'q', mods = 'ALT', action = wezterm.action.Nop } }"
        " config.key_tables = {}",
    )
    wezterm.advance(1)
    wezterm.press("k", "CTRL|SHIFT")
    assert wezterm.performed[-1] == {"EmitEvent": "wezparallel.kill_process"}
    wezterm.press("q", "ALT")
    wezterm.press("Space", "CTRL|ALT")
    wezterm.press("w")
    assert {"EmitEvent": "wezparallel.switch_workspace"} in wezterm.performed


def test_a_window_is_overridden_once_and_other_overrides_stay(make: Make) -> None:
    wezterm = started(
        make,
        """wezparallel.setup(config)
        local action = wezterm.action.ActivateTab(0)
        config.keys = { { key = '1', action = action }, { key = '2', action = action } }""",
    )
    wezterm.call(
        """local window = ...
        require('wezterm').on('window-config-reloaded', function() require('wezterm').log_info 'reloaded' end)
        window:set_config_overrides { font_size = 9 }""",
        wezterm.window(),
    )
    wezterm.advance(5)
    assert plain(wezterm.slot().overrides)["font_size"] == 9
    assert len(plain(wezterm.slot().overrides)["keys"]) == 3
    assert len([line for line in wezterm.logs if "reloaded" in line]) <= 3


def test_keys_that_somebody_gave_a_window_are_left_alone(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config) config.keys = {}")
    wezterm.advance(2)
    wezterm.call(
        "(...):set_config_overrides { keys = { { key = 'x', action = require('wezterm').action.ActivateTab(0) } } }",
        wezterm.window(),
    )
    wezterm.advance(5)
    assert [entry["key"] for entry in plain(wezterm.slot().overrides)["keys"]] == ["x"]


def test_overrides_that_are_reset_now_and_then_get_our_keys_each_time(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config) config.keys = {}")
    for _ in range(5):
        wezterm.call("(...):set_config_overrides {}", wezterm.window())
        wezterm.advance(61)
        assert plain(wezterm.slot().overrides)["keys"]


def test_an_override_goes_when_the_configuration_has_our_keys_again(make: Make) -> None:
    text = """local wezterm = require 'wezterm'
    local config = wezterm.config_builder()
    require('wezparallel').setup(config)
    if not wezterm.GLOBAL.mended then config.keys = {} end
    return config"""
    wezterm = make()
    wezterm.load(text)
    wezterm.advance(1)
    assert wezterm.slot().overrides["keys"] is not None
    wezterm.call("require('wezterm').GLOBAL.mended = true")
    wezterm.reload()
    assert plain(wezterm.slot().overrides) == {}


def test_a_window_that_opens_later_gets_our_keys_too(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config) config.keys = {}")
    wezterm.advance(2)
    wezterm.call("require('wezterm').mux.spawn_window { args = { 'x' } }")
    wezterm.advance(2)
    wezterm.press("Space", "CTRL|ALT", window=2)
    assert wezterm.slot(2).key_tables[1].name == "wezparallel"


def test_keep_keys_off_overrides_nothing(make: Make) -> None:
    wezterm = started(make, "wezparallel.setup(config, { keep_keys = false }) config.keys = {}")
    wezterm.advance(2)
    assert wezterm.slot().overrides is None


def test_the_entry_key_opens_the_table_with_a_hint_that_goes_with_it(make: Make, home: Path) -> None:
    write(home, json.dumps(FACTS))
    wezterm = started(make)
    wezterm.resize(200, 50)
    wezterm.press("Space", "CTRL|ALT")
    assert wezterm.status().startswith("n new  w switch  Space next waiting  d dashboard  ")
    assert wezterm.status().endswith("? all ")
    wezterm.press("Escape")
    wezterm.advance(1.5)
    assert wezterm.status() == ""


def test_a_hint_that_comes_after_the_next_key_is_not_shown(make: Make, home: Path) -> None:
    write(home, json.dumps(FACTS))
    wezterm = started(make)
    wezterm.call(
        "(...):perform_action(require('wezterm').action.EmitEvent 'wezparallel.opened', (...):active_pane())",
        wezterm.window(),
    )
    assert wezterm.status() == ""


def test_an_action_takes_the_hint_away_at_once(make: Make, home: Path) -> None:
    write(home, json.dumps(FACTS))
    wezterm = started(make)
    wezterm.press("Space", "CTRL|ALT")
    wezterm.press("w")
    assert wezterm.status() == ""
    assert {"EmitEvent": "wezparallel.switch_workspace"} in wezterm.performed


def test_a_hint_that_another_status_replaced_comes_back_while_the_table_is_open(make: Make, home: Path) -> None:
    write(home, json.dumps(FACTS))
    wezterm = started(make)
    wezterm.press("Space", "CTRL|ALT")
    hint = wezterm.status()
    wezterm.call("(...):set_right_status 'mine'", wezterm.window())
    wezterm.advance(1.5)
    assert wezterm.status() == hint


def test_tabs_leave_less_room_for_the_hint_because_a_long_one_would_lose_its_beginning(
    make: Make, home: Path
) -> None:
    write(home, json.dumps(FACTS))
    wezterm = started(make)
    wezterm.press("Space", "CTRL|ALT")
    alone = wezterm.status()
    wezterm.press("Escape")
    wezterm.call("local window = require('wezterm').mux.get_window(0) for _ = 1, 2 do window:spawn_tab {} end")
    wezterm.press("Space", "CTRL|ALT")
    assert len(wezterm.status()) <= 80 - 3 * 16 < len(alone) <= 80 - 16


@pytest.mark.parametrize("columns", [20, 40, 64, 100, 200])
def test_the_hint_fits_and_always_says_how_to_see_all(make: Make, columns: int) -> None:
    hint = started(make).call("return require('wezparallel.hint').text(...)", columns)
    assert len(hint) <= columns
    assert hint.endswith("? all ")


@pytest.mark.parametrize("option", ["enable_tab_bar = false", "hide_tab_bar_if_only_one_tab = true"])
def test_without_a_tab_bar_the_menu_opens_in_the_place_of_a_hint(make: Make, option: str) -> None:
    wezterm = started(make, f"config.{option} wezparallel.setup(config)")
    wezterm.press("Space", "CTRL|ALT")
    assert wezterm.overlay is None  # whoever knows the next key has a moment for it
    wezterm.advance(0.5)
    assert wezterm.overlay is not None
    assert wezterm.overlay["kind"] == "InputSelector"


def test_every_key_of_the_table_is_another_and_leads_to_an_action(make: Make) -> None:
    table = plain(started(make).fake.config.key_tables)["wezparallel"]
    combinations = [(entry["key"], entry.get("mods")) for entry in table]
    assert len(set(combinations)) == len(combinations)
    assert sum("EmitEvent" in entry["action"] for entry in table if isinstance(entry["action"], dict)) == 16
