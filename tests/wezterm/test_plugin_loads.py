"""The plugin in the real WezTerm: loaded as people load it, talking to a real hub, its keys in the real table."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.wezterm.binaries import binary
from tests.wezterm.mux_server import MuxServer
from tests.wezterm.place import Place
from tests.wezterm.waiting import wait_for

ROOT = Path(__file__).parents[2]
SEED = ROOT / "tests/compat/seed_002_wezterm.lua"
SETUP = """
local wezterm = require 'wezterm'
local wezparallel = require 'wezparallel'
local config = wezterm.config_builder()
{}
return config
"""


def link(place: Place) -> None:
    """Link the plugin as `wezparallel init --write` does."""
    folder = place.home / ".wezterm"
    folder.mkdir()
    for source in (ROOT / "lua").iterdir():
        (folder / source.name).symlink_to(source)


def shown_keys(place: Place, *words: str) -> str:
    """Return what `wezterm show-keys` says of the configuration; on an error in it that is WezTerm's own table."""
    argv = [binary("wezterm-gui"), "--config-file", str(place.config), "show-keys", "--lua", *words]
    done = subprocess.run(argv, env=place.env, capture_output=True, text=True, check=True, timeout=20)
    return done.stdout


@pytest.mark.wezterm
def test_the_configuration_of_the_seed_loads_as_it_is_written(place: Place, mux_server: MuxServer) -> None:
    link(place)
    place.config.write_text(SEED.read_text())
    mux_server.start()

    said = mux_server.rpc(
        """
        local loaded = package.loaded
        return { loaded.multi_dev_framework == loaded.wezparallel, loaded.wezparallel.version,
          loaded['wezparallel.options'].current.config_path }
        """
    )

    assert said == [True, "0.1.0", f"{place.home}/.config/wezterm-parallel/config.yaml"]


@pytest.mark.wezterm
def test_it_loads_through_wezterms_own_plugins(place: Place, mux_server: MuxServer) -> None:
    checkout = place.home / "wezparallel"
    checkout.mkdir()
    for name in ("lua", "plugin"):
        (checkout / name).mkdir()
        subprocess.run(["cp", "-R", f"{ROOT}/{name}/.", str(checkout / name)], check=True)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-C", str(checkout)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], check=True, env=place.env)
    place.config.write_text(
        f"local config = {{}}\nrequire('wezterm').plugin.require 'file://{checkout}'.apply_to_config(config)\n"
        "config.default_workspace = 'loaded'\nreturn config\n"
    )
    mux_server.start()

    assert mux_server.list()[0]["workspace"] == "loaded", "the configuration failed, and WezTerm fell back to its own"
    assert mux_server.rpc("return package.loaded['wezparallel.keys'].TABLE") == "wezparallel"


@pytest.mark.wezterm
def test_its_client_reaches_a_real_hub_and_its_state_reads_what_the_hub_wrote(
    place: Place, mux_server: MuxServer
) -> None:
    link(place)
    place.config.write_text(SETUP.format("wezparallel.setup(config)"))
    place.wezparallel("daemon", "start")
    snapshot = place.home / ".local/state/wezterm-parallel/gui.json"
    wait_for(snapshot.exists, "the snapshot")
    mux_server.start()

    ping, missing, version = mux_server.rpc(
        """
        local client = require 'wezparallel.client'
        local ping = assert(client.call 'Ping')
        local _, failure = client.call { ProcessStart = { process = 'nobody/nothing' } }
        return { ping, failure, require('wezparallel.state').read().version }
        """
    )

    assert ping["protocol"] == {"min": 1, "max": 1}
    assert missing["code"] == "process.not_found"
    assert version == ping["version"]


@pytest.mark.wezterm_gui
def test_every_action_and_key_stands_in_the_real_table(place: Place) -> None:
    link(place)
    place.config.write_text(
        SETUP.format(
            """wezparallel.setup(config, { keys = 'seed' })
            table.insert(config.keys, { key = 'F9', action = wezparallel.actions.relayout })"""
        )
    )

    keys = shown_keys(place)

    for line in (
        "key = 'phys:Space', mods = 'ALT|CTRL', action = act.Multiple{ ",
        "key = 'N', mods = 'CTRL', action = act.EmitEvent 'wezparallel.create_workspace'",  # Ctrl+Shift+n to WezTerm
        "key = 'F9', mods = 'NONE', action = act.EmitEvent 'wezparallel.relayout'",
    ):
        assert line in keys
    table = keys[keys.index("wezparallel = {") :]
    assert len(set(re.findall(r"wezparallel\.(\w+)", table))) >= 15


@pytest.mark.wezterm_gui
def test_the_keys_of_the_seed_stand_in_the_real_table(place: Place) -> None:
    link(place)
    place.config.write_text(SEED.read_text())

    keys = shown_keys(place)

    for key, action in (("N", "create_workspace"), ("W", "switch_workspace"), ("D", "show_dashboard")):
        assert f"key = '{key}', mods = 'CTRL', action = act.EmitEvent 'wezparallel.{action}'" in keys
