"""`ui.keybindings` for WezTerm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.views import configured
from wezparallel.hub.configuration import Configuration, read
from wezparallel.hub.gui import keys


@pytest.mark.parametrize(
    ("text", "key", "mods"),
    [
        ("ctrl+shift+n", "n", "CTRL|SHIFT"),
        ("Shift+CTRL+N", "n", "CTRL|SHIFT"),
        ("CTRL|SHIFT+w", "w", "CTRL|SHIFT"),
        ("ctrl-alt-space", "Space", "CTRL|ALT"),
        ("cmd+left", "LeftArrow", "SUPER"),
        ("option + PageDown", "PageDown", "ALT"),
        ("leader+a", "a", "LEADER"),
        ("f5", "F5", "NONE"),
        ("ctrl++", "+", "CTRL"),
        ("ctrl+plus", "+", "CTRL"),
        ("ctrl+-", "-", "CTRL"),
        ("ctrl--", "-", "CTRL"),
        ("alt+é", "é", "ALT"),
        ("+", "+", "NONE"),
        ("-", "-", "NONE"),
    ],
)
def test_a_key_is_called_as_wezterm_calls_it(text: str, key: str, mods: str) -> None:
    assert keys.parse(text) == (key, mods)


@pytest.mark.parametrize("text", ["", "ctrl+", "hyper+x", "ctrl+shift", "ctrl+nn", "ctrl+\x01", "f25", "ctrl+shift+"])
def test_what_is_no_key_is_none(text: str) -> None:
    assert keys.parse(text) is None


def warnings(text: str) -> list[str]:
    """Return what is warned of in a configuration."""
    found: Configuration = read(text, "/x/config.yaml", {})
    assert found.errors == ()
    return [problem.message for problem in found.warnings]


def test_an_unknown_action_or_key_is_warned_of_where_it_stands() -> None:
    text = "ui:\n  keybindings:\n    create_workspce: ctrl+n\n    kill_process: ctrl+nn\n    next-waiting: alt+n\n"
    action, key = warnings(text)
    assert "config.yaml:3:5" in action
    assert "Did you mean 'create_workspace'?" in action
    assert "config.yaml:4:5" in key
    assert "'ctrl+nn' is no key" in key


def test_the_file_holds_what_is_known(daemon: Daemon) -> None:
    path = Path(daemon.home / "config" / "wezterm-parallel" / "keys.json")
    assert not path.exists()  # nobody asked for keys
    configured(daemon, "ui:\n  keybindings:\n    create_workspace: ctrl+shift+n\n    nothing: ctrl+x\n")
    assert json.loads(path.read_text()) == {
        "format": 1, "keys": [{"action": "create_workspace", "key": "n", "mods": "CTRL|SHIFT"}],
    }  # fmt: skip
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.stat()
    daemon.call("ConfigReload")
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (
        before.st_mtime_ns,
        before.st_ino,
    )  # WezTerm reloads at that
    configured(daemon, "")
    assert json.loads(path.read_text())["keys"] == []
