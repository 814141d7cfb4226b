"""After `init --write` the real WezTerm loads the plugin from its links, and the sample is right for its Lua."""

from __future__ import annotations

import pytest

from tests.wezterm.mux_server import MuxServer
from tests.wezterm.place import Place

pytestmark = pytest.mark.wezterm

LOADED = """
local found = package.loaded['wezparallel']
return { found and found.version or 'not loaded', type(found and found.setup), answer }
"""
OWN = """
local wezterm = require 'wezterm'
local config = wezterm.config_builder()
answer = 42
return config
"""
SEED = """
local wezterm = require 'wezterm'
local WorkspaceManager = require 'workspace_manager'
local framework = require 'multi_dev_framework'
answer = type(WorkspaceManager) .. ' ' .. type(framework.setup)
return {}
"""


def test_a_configuration_of_ones_own_asks_for_the_plugin_and_stays_what_it_was(
    place: Place, mux_server: MuxServer
) -> None:
    place.config.write_text(OWN)
    assert place.wezparallel("init", "--write").code == 0
    mux_server.start()
    version, setup, answer = mux_server.rpc(LOADED)
    assert version[0].isdigit()
    assert (setup, answer) == ("function", 42)


def test_the_sample_loads(place: Place, mux_server: MuxServer) -> None:
    assert place.wezparallel("init", "--write").code == 0
    place.config.write_text(
        place.config.read_text().replace("\nreturn config", "\nanswer = config.initial_cols\nreturn config")
    )
    mux_server.start()
    version, _, answer = mux_server.rpc(LOADED)
    assert version[0].isdigit()
    assert answer == 160  # a configuration that fails is passed over without a word


def test_the_seeds_module_names_work_without_a_line_about_paths(place: Place, mux_server: MuxServer) -> None:
    assert place.wezparallel("init").code == 0
    place.config.write_text(SEED)
    mux_server.start()
    assert mux_server.rpc("return answer") == "table function"
