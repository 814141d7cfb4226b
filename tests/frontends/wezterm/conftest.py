"""A WezTerm whose command line is played by a script, beside a folder of the test's own."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import tests.support.fake_wezterm as script
from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon
from wezparallel.frontends.wezterm.cli import Wezterm


@dataclass
class Fake:
    """The played WezTerm, from outside."""

    folder: Path

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What was called: `words` behind `cli --no-auto-start`, and `env`."""
        told = [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]
        return [{**one, "words": one["words"][2:]} for one in told]

    @property
    def verbs(self) -> list[str]:
        """The first word of each call."""
        return [one["words"][0] for one in self.calls]

    @property
    def panes(self) -> list[int]:
        """What there is."""
        return [one["pane_id"] for one in json.loads((self.folder / "panes").read_text())]

    def fail(self, verb: str, after: int = 0) -> None:
        """Let so many calls of a verb succeed, none after them."""
        (self.folder / f"fail-{verb}").write_text(str(after))

    def environment(self) -> dict[str, str]:
        """What a shell in its only pane, number 1, has."""
        return {
            **os.environ, "WEZTERM_EXECUTABLE_DIR": str(self.folder), "WEZTERM_UNIX_SOCKET": f"{self.folder}/sock",
            "WEZTERM_PANE": "1",
        }  # fmt: skip


def make_fake(folder: Path) -> Fake:
    """Put the script where WezTerm's programs would be, with one pane in one window."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "wezterm"
    source = Path(script.__file__).read_text()
    program.write_text(f"#!{sys.executable} -IS\n{source}")
    program.chmod(0o755)
    one = {"pane_id": 1, "tab_id": 1, "window_id": 7, "workspace": "default", "size": {"cols": 120, "rows": 30}}
    (folder / "panes").write_text(json.dumps([one]))
    return Fake(folder)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """A WezTerm with one pane."""
    monkeypatch.setenv("WEZPARALLEL_RUNTIME_DIR", str(tmp_path))
    return make_fake(tmp_path / "bin")


@pytest.fixture
def wezterm(fake: Fake) -> Wezterm:
    """Our way into it."""
    return Wezterm(str(fake.folder / "sock"), fake.environment())


@pytest.fixture
def real(daemon: Daemon) -> CommandLine:
    """The command line of the user of a real daemon, in a project folder."""
    folder = daemon.home / "shop"
    folder.mkdir()
    (folder / ".git").mkdir()
    return CommandLine(daemon.env, folder)
