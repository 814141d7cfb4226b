"""Reading the snapshot file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lua.conftest import EMPTY
from tests.lua.fake import FakeWezterm

READ = "return require('wezparallel.state').read()"


def write(home: Path, text: str) -> Path:
    path = home / ".local/state/wezterm-parallel/gui.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_snapshot_is_read_in_any_context(wezterm: FakeWezterm, home: Path) -> None:
    write(home, '{"format":1,"version":"9"}')
    assert wezterm.call(READ + ".version") == "9"
    assert wezterm.call_sync(READ + ".version") == "9"


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "missing"), ('{"format":2}', "format"), ('{"format":', "broken"), ("[]", "format"), ("3", "broken")],
)
def test_without_a_snapshot_it_says_why(wezterm: FakeWezterm, home: Path, text: str | None, reason: str) -> None:
    if text is not None:
        write(home, text)
    assert wezterm.call(READ) == (None, reason)
    assert wezterm.call(READ) == (None, reason)


def test_a_file_that_the_hub_cannot_have_written_is_not_read_to_its_end(wezterm: FakeWezterm, home: Path) -> None:
    write(home, '{"format":1}' + " " * (1 << 20))
    assert wezterm.call(READ + ".format") == 1
    write(home, " " * (1 << 20) + '{"format":1}')
    assert wezterm.call(READ) == (None, "broken")


def test_the_same_file_is_parsed_once_and_a_changed_one_again(wezterm: FakeWezterm, home: Path) -> None:
    write(home, '{"format":1,"version":"1"}')
    same = "local state = require 'wezparallel.state' return state.read() == state.read()"
    assert wezterm.call(same) is True
    write(home, '{"format":1,"version":"2"}')
    assert wezterm.call(READ + ".version") == "2"


@pytest.mark.parametrize(("value", "base"), [("/elsewhere", "/elsewhere"), ("", "~"), ("relative", "~")])
def test_the_state_folder_follows_xdg(make: Callable[..., FakeWezterm], home: Path, value: str, base: str) -> None:
    wezterm = make(env={"XDG_STATE_HOME": value})
    wezterm.load(EMPTY)
    wanted = base.replace("~", f"{home}/.local/state") + "/wezterm-parallel/gui.json"
    assert wezterm.call("return require('wezparallel.state').path()") == wanted


def test_the_sample_of_the_hub_is_understood(wezterm: FakeWezterm, home: Path) -> None:
    sample = json.loads((Path(__file__).parent / "gui.json").read_text())
    write(home, json.dumps(sample))
    assert wezterm.call(READ + ".counts") == sample["counts"]
