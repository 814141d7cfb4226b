"""A daemon, and GUIs that show what it holds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.daemon import Daemon, running_daemon
from tests.support.fake_gui import FakeGui

NewGui = Callable[[], FakeGui]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for a module's tests."""
    with running_daemon(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def emptied(shared: Daemon) -> Iterator[Daemon]:
    """The module's daemon, without what an earlier test left there."""
    yield shared
    for workspace in shared.call("WorkspaceList")["workspaces"]:
        shared.call("WorkspaceDelete", name=workspace["name"])
    for process in shared.call("ProcessList")["processes"]:
        shared.call("ProcessRemove", process=process["process_id"])


@pytest.fixture
def new_gui(daemon: Daemon) -> Iterator[NewGui]:
    """Return what starts a GUI beside the daemon."""
    folder = Path(tempfile.mkdtemp(prefix="wzg-", dir="/tmp"))
    with ExitStack() as ends:

        def start() -> FakeGui:
            gui = FakeGui(folder / str(len(list(folder.iterdir()))), daemon.env)
            ends.callback(gui.end)
            return gui

        yield start
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def gui(new_gui: NewGui) -> FakeGui:
    """A running GUI."""
    return new_gui()
