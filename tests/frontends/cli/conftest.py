"""The command line beside a scripted hub, or beside the real daemon."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon
from tests.support.scripted_hub import ScriptedHub


@pytest.fixture
def runtime() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="wz", dir="/tmp")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def hub(runtime: str) -> Iterator[ScriptedHub]:
    with ScriptedHub(runtime + "/hub.sock") as scripted:
        yield scripted


@pytest.fixture
def wezparallel(runtime: str, tmp_path: Path) -> CommandLine:
    """The command line of a user whose runtime directory has what the test puts there."""
    home = tmp_path / "home"
    (home / "code" / "shop").mkdir(parents=True)
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("WEZPARALLEL_", "XDG_"))}
    return CommandLine(
        {**outer, "WEZPARALLEL_RUNTIME_DIR": runtime, "XDG_STATE_HOME": str(home / "state"), "HOME": str(home)},
        home / "code" / "shop",
    )


@pytest.fixture
def real(daemon: Daemon) -> CommandLine:
    """The command line of the user of a real daemon, in a project folder."""
    folder = daemon.home / "shop"
    folder.mkdir()
    (folder / ".git").mkdir()
    return CommandLine(daemon.env, folder)
