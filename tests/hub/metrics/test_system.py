"""The machine's figures: rates need two looks, and agree with an independent reading."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from wezparallel.hub.metrics.system import Counters, Looker, Moved, System, proc_counters, psutil_counters


class World:
    """A clock and counters that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.counters: Counters | None = Counters(0.0, 0.0, Moved(0, 0, 0, 0))

    def looker(self, folder: Path) -> Looker:
        return Looker(str(folder), lambda: self.counters, lambda: self.now)


def test_rates_come_with_the_second_look(tmp_path: Path) -> None:
    world = World()
    looker = world.looker(tmp_path)
    first = looker.look()
    assert (first.cpu_percent, first.rx_rate, first.tx_rate) == (None, None, None)
    world.now, world.counters = 2.0, Counters(1.0, 4.0, Moved(2000, 2, 4000, 4))
    second = looker.look()
    assert (second.cpu_percent, second.rx_rate, second.tx_rate) == (25.0, 1000.0, 2000.0)
    assert second.network == Moved(2000, 2, 4000, 4)


def test_two_looks_at_once_say_the_same(tmp_path: Path) -> None:
    world = World()
    looker = world.looker(tmp_path)
    looker.look()
    world.now, world.counters = 2.0, Counters(1.0, 4.0, Moved(2000, 2, 4000, 4))
    looker.look()
    world.now, world.counters = 2.01, Counters(1.0, 4.0, Moved(2000, 2, 4000, 4))
    assert looker.look().cpu_percent == 25.0


def test_an_interface_that_went_away_makes_the_rate_unknown(tmp_path: Path) -> None:
    world = World()
    world.counters = Counters(0.0, 0.0, Moved(5000, 5, 5000, 5))
    looker = world.looker(tmp_path)
    looker.look()
    world.now, world.counters = 1.0, Counters(1.0, 2.0, Moved(100, 1, 6000, 6))
    seen = looker.look()
    assert (seen.rx_rate, seen.tx_rate) == (None, 1000.0)


def test_what_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    world = World()
    world.counters = None
    seen = world.looker(tmp_path / "nowhere").look()
    assert (seen.cpu_percent, seen.network, seen.disk_used, seen.disk_percent) == (None, None, None, None)
    assert System().memory_percent is None


def test_memory_and_disk_agree_with_psutil(tmp_path: Path) -> None:
    seen = Looker(str(tmp_path)).look()
    memory, disk = psutil.virtual_memory(), psutil.disk_usage(str(tmp_path))
    assert seen.memory_total == memory.total
    assert seen.memory_used == pytest.approx(memory.total - memory.available, rel=0.2)
    assert seen.disk_used == pytest.approx(disk.used, rel=0.05)
    assert seen.disk_percent == pytest.approx(disk.percent, abs=3)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_both_ways_to_count_agree() -> None:
    ours, theirs = proc_counters(), psutil_counters()
    assert ours is not None
    assert theirs is not None
    assert ours.network is not None
    assert theirs.network is not None
    assert ours.network.bytes_received == pytest.approx(theirs.network.bytes_received, rel=0.01, abs=1_000_000)
    assert 0 <= ours.busy_s <= ours.total_s
