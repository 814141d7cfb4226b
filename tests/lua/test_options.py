"""What `setup` takes, and how it says no."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lua.fake import FakeWezterm
from tests.lua.lua_process import LuaFaultError

READ = "return require('wezparallel.options').read(...)"


def test_nothing_given_is_all_defaults(wezterm: FakeWezterm) -> None:
    options = wezterm.call(READ)
    assert options == {
        "auto_start": True, "debug": False, "keys": "default", "entry": {"key": "Space", "mods": "CTRL|ALT"},
        "keep_keys": True, "tab_marks": False, "toasts": True, "close_question": False, "palette": True,
        "timeout_ms": 10000, "hint_ms": 8000,
    }  # fmt: skip


def test_the_options_of_the_seed_are_taken(wezterm: FakeWezterm) -> None:
    options = wezterm.call(READ, {"config_path": "/x.yaml", "auto_start": True, "debug": False})
    assert options["config_path"] == "/x.yaml"
    assert wezterm.call("return require('wezparallel.options').current.config_path") == "/x.yaml"


def test_an_unknown_option_is_refused_with_all_that_are_known(wezterm: FakeWezterm) -> None:
    with pytest.raises(LuaFaultError, match=r"knows no option \"kees\"; known are auto_start, .* keys, "):
        wezterm.call(READ, {"kees": "seed"})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"auto_start": "yes"}, "true or false"),
        ({"keys": "vim"}, "'default', 'seed'"),
        ({"keys": {"switch_workspace": {"mods": "ALT"}}}, "'default', 'seed'"),
        ({"keys": {"switch_workspace": [{"key": "a"}, {"mods": "ALT"}]}}, "'default', 'seed'"),
        ({"entry": {"mods": "ALT"}}, "false, or a key"),
        ({"entry": True}, "false, or a key"),
        ({"status": "top"}, "'left' or 'right'"),
        ({"timeout_ms": 0}, "milliseconds"),
        ({"timeout_ms": 0.5}, "milliseconds"),
        ({"config_path": 7}, "the path of a file"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_what_it_may_be(
    wezterm: FakeWezterm, given: dict[str, Any], wanted: str
) -> None:
    (name,) = given
    with pytest.raises(LuaFaultError, match=f"the option {name} of wezparallel must be .*{wanted}"):
        wezterm.call(READ, given)


def test_options_that_are_no_table_are_refused(wezterm: FakeWezterm) -> None:
    with pytest.raises(LuaFaultError, match="opts must be a table"):
        wezterm.call(READ, "seed")


@pytest.mark.parametrize(
    "keys", [False, "seed", {"menu": {"key": "m"}}, {"menu": [{"key": "m"}, {"key": "n", "mods": "ALT"}]}]
)
def test_every_form_of_keys_is_taken(wezterm: FakeWezterm, keys: Any) -> None:
    assert wezterm.call(READ, {"keys": keys})["keys"] == keys
