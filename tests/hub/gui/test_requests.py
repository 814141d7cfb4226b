"""What the GUI is asked: numbers that only rise, and which GUI."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from wezparallel.hub.gui.requests import KEPT_MS, MOST, MOST_MUXES, Requests, mux_lives


class Clock:
    """Milliseconds that a test moves."""

    now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sockets(tmp_path: Path) -> list[str]:
    """Names of sockets that are there."""
    names = [str(tmp_path / name) for name in ("one", "two", "three")]
    for name in names:
        Path(name).touch()
    return names


def test_numbers_rise_even_where_the_clock_does_not(clock: Clock) -> None:
    requests = Requests(clock)
    first = requests.make("switch", None, workspace="a")["id"]
    second = requests.make("switch", None, workspace="b")["id"]
    clock.now -= 5000
    third = requests.make("switch", None, workspace="c")["id"]
    assert first < second < third


def test_a_new_hub_goes_on_above_the_last_and_keeps_what_is_recent(clock: Clock) -> None:
    before = Requests(clock)
    before.make("switch", "/a", workspace="old")
    clock.now += KEPT_MS
    kept = before.make("switch", "/a", workspace="a")
    clock.now -= KEPT_MS  # the machine's clock was put back
    after = Requests(clock, {"requests": [*before.recent(), "junk", {"id": "x"}], "gui": "/a"})
    assert after.recent()[-1] == kept
    assert after.make("focus", None)["id"] > kept["id"]
    clock.now += 3 * KEPT_MS
    assert after.recent() == []


def test_where_the_clock_was_put_back_a_request_does_not_stand_there_until_it_has_caught_up(clock: Clock) -> None:
    before = Requests(clock)
    before.make("switch", None, workspace="a")
    clock.now -= 7_200_000
    after = Requests(clock, {"requests": before.recent()})
    after.make("switch", None, workspace="b")
    for requests in (before, after):
        assert requests.recent()
        clock.now += KEPT_MS + 1
        assert requests.recent() == []
        clock.now -= KEPT_MS + 1


def test_a_number_that_lua_could_not_count_on_from_is_nobodys_request(clock: Clock) -> None:
    after = Requests(clock, {"requests": [{"id": 10**30, "kind": "switch"}, {"id": -1, "kind": "switch"}]})
    assert after.recent() == []
    assert after.make("switch", None)["id"] == clock.now


def test_a_request_that_an_earlier_hub_accepted_is_there_once(clock: Clock) -> None:
    requests = Requests(clock)
    made = requests.make("switch", None, workspace="a")
    assert not requests.ensure(made)
    lost = {"id": made["id"] - 7, "at": "", "mux": None, "kind": "focus"}
    assert requests.ensure(lost)
    assert requests.recent() == [lost, made]
    clock.now += 2 * KEPT_MS
    assert not requests.ensure({"id": made["id"] + 1, "at": "", "mux": None, "kind": "focus"})
    assert requests.last_id == made["id"] + 1


def test_only_the_latest_stay(clock: Clock) -> None:
    requests = Requests(clock)
    made = [requests.make("switch", None, workspace=str(number)) for number in range(2 * MOST)]
    assert requests.recent() == made[-MOST:]


def test_the_gui_that_spoke_last_and_is_there_is_meant(clock: Clock, sockets: list[str]) -> None:
    one, two, three = sockets
    requests = Requests(clock)
    assert requests.target() is None
    assert requests.target(others=[three]) == three
    requests.spoke(one)
    requests.spoke(two)
    assert requests.target(others=[three]) == two
    requests.spoke(one)
    assert (requests.target(others=[three]), requests.plugin()) == (one, one)
    os.unlink(one)
    assert requests.target(others=[three]) == two
    os.unlink(two)
    assert (requests.target(others=[three]), requests.plugin()) == (three, None)


def test_many_guis_are_not_remembered_for_ever(clock: Clock) -> None:
    requests = Requests(clock)
    for number in range(3 * MOST_MUXES):
        requests.spoke(f"/{number}")
    assert requests.last_mux == f"/{3 * MOST_MUXES - 1}"
    assert len(requests._spoke) == MOST_MUXES


@pytest.fixture
def ended() -> int:
    """A pid that nobody has any more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_socket_that_outlived_its_gui_is_no_gui(tmp_path: Path, ended: int) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        own = f"{tmp_path}/gui-sock-{os.getpid()}"
        sock.bind(own)
        assert mux_lives(own)
    gone = tmp_path / f"gui-sock-{ended}"
    gone.touch()
    assert not mux_lives(str(gone))
    assert not mux_lives(f"{tmp_path}/another")


def test_who_shows_it_goes_before_who_spoke_last(clock: Clock, sockets: list[str]) -> None:
    one, two, three = sockets
    requests = Requests(clock)
    for mux in (one, two):
        requests.spoke(mux)
    assert (requests.plugin([one, three]), requests.target([one, three])) == (one, one)
    assert requests.plugin([one, two]) == two
    assert requests.plugin([three]) == two
    os.unlink(one)
    assert requests.plugin([one]) == two


@pytest.mark.parametrize("junk", [None, "one", [1, None], {}])
def test_the_next_hub_knows_who_has_spoken_whatever_the_file_says(
    clock: Clock, sockets: list[str], junk: object
) -> None:
    one, two, _ = sockets
    assert Requests(clock, {"guis": [two, one, 7], "gui": one}).muxes == [two, one]
    assert Requests(clock, {"guis": junk, "gui": two}).plugin() == two
    assert len(Requests(clock, {"guis": [str(number) for number in range(99)]}).muxes) == MOST_MUXES
