"""The real WezTerm for each test that asks for it; without one these tests are skipped and say why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.wezterm.binaries import lacking
from tests.wezterm.display import Display
from tests.wezterm.gui import Gui
from tests.wezterm.mux_server import MuxServer
from tests.wezterm.person import Person
from tests.wezterm.place import Place


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what cannot run on this machine."""
    for marker in ("wezterm", "wezterm_gui"):
        if item.get_closest_marker(marker) and (reason := lacking(marker)):
            pytest.skip(reason)


@pytest.fixture
def place() -> Iterator[Place]:
    """Folders and an environment of the test's own; what still runs there afterwards is ended."""
    place = Place()
    try:
        yield place
    finally:
        place.close()


@pytest.fixture
def mux_server(place: Place) -> Iterator[MuxServer]:
    """A mux server that is not started yet: the test writes its configuration first, to `place.config`."""
    server = MuxServer(place)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def display(place: Place) -> Iterator[Display]:
    """A desktop of the test's own."""
    display = Display(place)
    try:
        display.start()
        yield display
    finally:
        display.close()


@pytest.fixture
def gui(place: Place, display: Display) -> Iterator[Gui]:
    """A WezTerm that is not started yet: the test writes its configuration first, to `place.config`."""
    gui = Gui(place, display)
    try:
        yield gui
    finally:
        gui.close()


@pytest.fixture
def person(place: Place, gui: Gui) -> Person:
    """Somebody at its window; nothing is set up yet."""
    return Person(place, gui)
