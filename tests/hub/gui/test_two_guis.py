"""Two WezTerms with the plugin: who shows the thing is asked about it, else who spoke last."""

from __future__ import annotations

import pytest

from tests.hub.gui.conftest import NewGui
from tests.support.daemon import Daemon
from tests.support.fake_gui import FakeGui
from tests.support.views import add, has_view, requests
from tests.support.waiting import until


@pytest.fixture
def daemon(emptied: Daemon) -> Daemon:
    """The module's daemon."""
    return emptied


@pytest.fixture
def guis(daemon: Daemon, new_gui: NewGui) -> tuple[FakeGui, FakeGui]:
    """Two GUIs: the first shows a process of workspace `one`, the second, which spoke last, of `two`."""
    first, second = new_gui(), new_gui()
    for name, gui in (("one", first), ("two", second)):
        add(daemon, f"{name}/a", root=str(daemon.home))
        add(daemon, f"{name}/hidden")
        gui.open(1, f"{name}/a")
        has_view(daemon, f"{name}/a")
        daemon.call("Ping", mux=gui.mux)
    return first, second


def toasted(daemon: Daemon, process_id: str, gui: FakeGui) -> None:
    """Have something to tell of a process, and wait until that GUI is asked to show it."""
    daemon.call("ProcessNotify", process=process_id, text="look")
    until(
        lambda: process_id in [one["process_id"] for one in requests(daemon, "toast", gui.mux)],
        10, f"the toast about {process_id}",
    )  # fmt: skip


def test_who_shows_it_is_asked(daemon: Daemon, guis: tuple[FakeGui, FakeGui]) -> None:
    first, second = guis
    toasted(daemon, "one/a", first)
    toasted(daemon, "two/a", second)
    for name, gui in (("one", first), ("two", second)):
        assert daemon.call("ViewFocus", process=f"{name}/a")["mux"] == gui.mux
        assert daemon.call("ViewOpen", process=f"{name}/a")["mux"] == gui.mux
        assert daemon.call("WorkspaceSwitch", name=name)["mux"] == gui.mux
        assert [one["workspace"] for one in requests(daemon, "switch", gui.mux)] == [name]


def test_where_it_is_shown_nowhere_or_by_both_who_spoke_last_is_asked(
    daemon: Daemon, guis: tuple[FakeGui, FakeGui]
) -> None:
    first, second = guis
    add(daemon, "three/a", root=str(daemon.home))
    second.open(2, "one/a")
    has_view(daemon, "one/a", 2)
    for last in (second, first):
        daemon.call("Ping", mux=last.mux)
        for process_id in ("one/a", "one/hidden", "three/a"):
            assert daemon.call("ViewFocus", process=process_id)["mux"] == last.mux
        for name in ("one", "three"):
            assert daemon.call("WorkspaceSwitch", name=name)["mux"] == last.mux
    toasted(daemon, "three/a", first)


def test_a_gui_that_has_gone_is_not_asked_for_what_it_showed(daemon: Daemon, guis: tuple[FakeGui, FakeGui]) -> None:
    first, second = guis
    first.kill()
    toasted(daemon, "one/a", second)
    assert daemon.call("ViewFocus", process="one/a")["mux"] == second.mux


def test_a_gui_that_shows_it_without_the_plugin_is_not_asked(
    daemon: Daemon, guis: tuple[FakeGui, FakeGui], new_gui: NewGui
) -> None:
    _, second = guis
    bare = new_gui()
    add(daemon, "four/a", root=str(daemon.home))
    bare.open(1, "four/a")
    has_view(daemon, "four/a")
    toasted(daemon, "four/a", second)
    assert daemon.call("WorkspaceSwitch", name="four")["mux"] == second.mux


def test_the_next_hub_knows_both(daemon: Daemon, guis: tuple[FakeGui, FakeGui]) -> None:
    first, second = guis
    daemon.call("ViewFocus", process="one/a")  # its answer waits for the file that the next hub reads
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    has_view(daemon, "one/a")
    assert daemon.call("ViewFocus", process="one/a")["mux"] == first.mux
    assert daemon.call("ViewFocus", process="two/hidden")["mux"] == second.mux
