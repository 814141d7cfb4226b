"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.daemon import Daemon, clear, running_daemon

# Other tests run beside: how long an example takes says nothing here.
settings.register_profile("beside", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside")


@pytest.fixture(scope="module")
def one_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for a module's tests."""
    with running_daemon(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def daemon(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """A real daemon of its own; with the marker `one_daemon` the module's, with nothing left in it afterwards.

    To start one takes longer than most tests of it do.
    """
    if request.node.get_closest_marker("one_daemon"):
        running = request.getfixturevalue("one_daemon")
        yield running
        clear(running)
        return
    home = request.getfixturevalue("tmp_path") / "home"
    home.mkdir()
    with running_daemon(home) as running:
        yield running
