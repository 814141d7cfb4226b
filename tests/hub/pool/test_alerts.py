"""Alerts: two samples in a row decide, unknown figures do not, and a real process that takes memory is told of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.hub.handlers.test_process import add
from tests.support.configured import configured_daemon
from wezparallel.hub.pool.alerts import Alerts
from wezparallel.hub.pool.sampler import Usage
from wezparallel.hub.settings import Alerts as Thresholds
from wezparallel.hub.state.model import Process, Run
from wezparallel.protocol.process import ProcessSettings

MB = 1 << 20


class Told:
    """What was published, as `raised cpu 90.0`."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def __call__(self, name: str, data: dict[str, Any]) -> None:
        self.events.append(f"{name.removeprefix('alert.')} {data['what']} {data['value']}")


def process(**limits: Any) -> Process:
    """Return a process that runs."""
    settings = ProcessSettings(name="p", argv=["x"], cwd="/", limits=limits)
    return Process("w/p", "w", settings, run=Run("a", "w/p", 1, "spawned"))


@pytest.fixture
def told() -> Told:
    """Nothing yet."""
    return Told()


def samples(told: Told, one: Process, *values: float | None, general: Thresholds | None = None) -> Alerts:
    """Take samples of one process's processor time."""
    alerts = Alerts(told, lambda: 0)
    for value in values:
        alerts.look([one], {"w/p": Usage(value, 5 * MB, 1)}, general or Thresholds())
    return alerts


def test_two_samples_in_a_row_raise_and_two_clear(told: Told) -> None:
    alerts = samples(told, process(cpu_alert_percent=80), 90, 10, 90, 95, 99, 70, 90, 70)
    assert told.events == ["raised cpu 95.0"]
    assert [one.what for one in alerts.all()] == ["cpu"]
    alerts.look([process(cpu_alert_percent=80)], {"w/p": Usage(60, None, 1)}, Thresholds())
    assert told.events[1:] == ["cleared cpu 60"]
    assert alerts.all() == []


def test_exactly_the_threshold_is_not_above_it(told: Told) -> None:
    samples(told, process(cpu_alert_percent=80), 80, 80, 80)
    assert told.events == []


def test_an_unknown_figure_decides_nothing(told: Told) -> None:
    samples(told, process(cpu_alert_percent=80), 90, None, 90, None, None)
    assert told.events == ["raised cpu 90.0"]


def test_its_own_threshold_goes_before_the_general_one(told: Told) -> None:
    general = Thresholds(cpu_percent=50, memory_mb=4)
    samples(told, process(cpu_alert_percent=80), 60, 60, general=general)
    assert told.events == [f"raised memory {5.0 * MB}"]
    samples(told, process(memory_alert_bytes=6 * MB), 60, 60, general=general)
    assert told.events[1:] == ["raised cpu 60.0"]


def test_the_end_of_a_process_clears_at_once(told: Told) -> None:
    one = process(cpu_alert_percent=80)
    alerts = samples(told, one, 90, 90)
    assert one.run is not None
    one.run.status = "exited"
    alerts.look([one], {}, Thresholds())
    assert told.events == ["raised cpu 90.0", "cleared cpu None"]
    assert not alerts.is_undecided


def test_a_full_disk_is_told_of(told: Told) -> None:
    alerts = Alerts(told, lambda: 0)
    for used in (95.0, 95.0, 10.0, 10.0):
        alerts.look([], {}, Thresholds(disk_percent=90), used)
    assert told.events == ["raised disk 95.0", "cleared disk 10.0"]


def test_a_process_that_takes_memory_is_told_of_and_listed_until_it_ends(tmp_path: Path) -> None:
    with configured_daemon(tmp_path, "alerts: {memory_mb: 0.1}\n") as daemon, daemon.client() as client:
        events = client.subscribe(["alert.*", "metric.sampled"])  # who looks at figures gets them every 2 s
        alerts = (message["Event"] for message in events if message["Event"]["name"] != "metric.sampled")
        add(daemon, "w/big", "exec sleep 100", limits={"memory_alert_bytes": 4096}, root="/")
        raised = next(alerts)
        assert (raised["name"], raised["data"]["process_id"]) == ("alert.raised", "w/big")
        (listed,) = daemon.call("AlertList")["alerts"]
        assert (listed["what"], listed["workspace"], listed["threshold"]) == ("memory", "w", 4096)
        assert listed["value"] > 4096
        daemon.call("ProcessKill", process="w/big")
        assert next(alerts)["name"] == "alert.cleared"
        assert daemon.call("AlertList")["alerts"] == []
