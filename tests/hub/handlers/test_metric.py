"""Figures of now and of the past, and the runs that were, asked of a real daemon."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from datetime import UTC, datetime

import psutil
import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon

MB = 1 << 20
MINUTE = 60_000
HOLDS = "held = bytearray(range(256)) * (40 << 12); print('held', flush=True); import time; time.sleep(600)"


def add(daemon: Daemon, name: str, *argv: str, **more: object) -> str:
    fields = {"id": name, "command": argv[0], "args": list(argv[1:]), "restart": "never", **more}
    return str(daemon.call("ProcessAdd", **fields)["process"]["process_id"])


def _rfc3339(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat()


def ended(daemon: Daemon, process: str) -> None:
    daemon.call("ProcessWait", process=process, **{"for": "exited"})


def write_figures(daemon: Daemon, subject: str, rows: list[tuple[int, int, float]]) -> None:
    """Write what a daemon that ran so long would have written: step, time, CPU."""
    (path,) = (daemon.home / "state").glob("*/state.db")
    with closing(sqlite3.connect(path, timeout=10)) as database, database:
        database.executemany(
            "INSERT OR REPLACE INTO figures VALUES (?, ?, ?, 6, ?, ?, 1000, 2000)",
            [(subject, step_s, at, cpu, 2 * cpu) for step_s, at, cpu in rows],
        )


def test_the_eight_figures_agree_with_the_machine(daemon: Daemon) -> None:
    add(daemon, "idle", "sleep", "600")
    add(daemon, "asks", "sleep", "600", agent="claude_code")
    add(daemon, "gone", "true")
    ended(daemon, "gone")
    figures = daemon.call("MetricGet")
    assert set(figures) == {
        "cpu_usage", "memory_usage", "disk_usage", "network_io", "process_count", "active_sessions",
        "api_response_time", "error_rate",
    }  # fmt: skip
    assert set(figures["network_io"]) == {
        "bytes_received", "bytes_sent", "packets_received", "packets_sent", "rx_rate", "tx_rate",
    }  # fmt: skip
    assert figures["memory_usage"] == pytest.approx(psutil.virtual_memory().percent, abs=5)
    assert figures["process_count"] == 2
    assert figures["active_sessions"] == 1
    assert figures["api_response_time"] > 0
    assert 0 <= figures["error_rate"] < 1


def test_errors_show_in_the_rate_of_errors(daemon: Daemon) -> None:
    before = daemon.call("MetricGet")["error_rate"]
    for _ in range(20):
        daemon.raw(b'{"ProcessGet":{"process":"nobody"}}\n')
    assert daemon.call("MetricGet")["error_rate"] > before


def test_a_run_remembers_the_most_that_it_used_when_it_is_over(daemon: Daemon) -> None:
    process = add(daemon, "holds", sys.executable, "-c", HOLDS)
    daemon.call("ProcessWait", process=process, **{"for": "output", "regex": "held"})

    def peak() -> int:
        daemon.call("MetricGet")  # has the process table looked at, if that was some time ago
        return daemon.call("HistoryList", process=process)["runs"][0]["peak_memory_bytes"] or 0

    until(lambda: peak() > 40 * MB, 20, "a look at it")
    running = daemon.call("HistoryList", process=process)["runs"][0]
    assert (running["status"], running["ended_at"], running["number"]) == ("spawned", None, 1)
    daemon.call("ProcessStop", process=process)
    (run,) = daemon.call("HistoryList", process=process)["runs"]
    assert (run["status"], run["asked"], run["signal"]) == ("exited", True, 15)
    assert run["peak_memory_bytes"] > 40 * MB
    assert run["ran_s"] > 0
    assert run["ended_at"] > run["started_at"]


def test_a_run_that_nobody_looked_at_has_no_peak(daemon: Daemon) -> None:
    process = add(daemon, "short", "true")
    ended(daemon, process)
    (run,) = daemon.call("HistoryList", process=process)["runs"]
    assert (run["peak_memory_bytes"], run["peak_cpu_percent"], run["exit_code"]) == (None, None, 0)


def test_the_most_that_a_run_used_survives_the_hub(daemon: Daemon) -> None:
    process = add(daemon, "holds", sys.executable, "-c", HOLDS)
    daemon.call("ProcessWait", process=process, **{"for": "output", "regex": "held"})

    def peak() -> int:
        daemon.call("MetricGet")
        return daemon.call("HistoryList", process=process)["runs"][0]["peak_memory_bytes"] or 0

    until(lambda: peak() > 40 * MB, 20, "a look at it")
    seen, hub = peak(), daemon.hub_pid()
    psutil.Process(hub).terminate()  # ended in order: the minute that goes on is written
    until(lambda: daemon.hub_pid() != hub, 20, "the next hub")
    assert daemon.call("HistoryList", process=process)["runs"][0]["peak_memory_bytes"] >= seen - MB


def test_runs_are_found_by_workspace_by_time_and_by_a_bad_end(daemon: Daemon) -> None:
    add(daemon, "shop/api", "sh", "-c", "exit 3", root=str(daemon.home))
    add(daemon, "shop/fine", "true")
    add(daemon, "alone", "sh", "-c", "exit 4")
    for process in ("shop/api", "shop/fine", "alone"):
        ended(daemon, process)
    daemon.call("ProcessStart", process="shop/fine")
    ended(daemon, "shop/fine")

    def found(**wanted: object) -> list[tuple[str, int]]:
        return [(run["process_id"], run["number"]) for run in daemon.call("HistoryList", **wanted)["runs"]]

    assert found() == [("shop/fine", 2), ("alone", 1), ("shop/fine", 1), ("shop/api", 1)]
    assert found(workspace="shop") == [("shop/fine", 2), ("shop/fine", 1), ("shop/api", 1)]
    assert found(failed=True) == [("alone", 1), ("shop/api", 1)]
    assert found(workspace="shop", failed=True) == [("shop/api", 1)]
    assert found(workspace="shop", process="alone") == []
    assert found(since="1h") == found()
    assert found(since="2099-01-01T00:00:00Z") == []
    first = daemon.call("HistoryList", limit=3)
    assert len(first["runs"]) == 3
    assert found(after=first["next"]) == [("shop/api", 1)]
    assert daemon.call("HistoryList", after=first["next"])["next"] is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"process": "nobody"}, "process.not_found"),
        ({"workspace": "nowhere"}, "workspace.not_found"),
        ({"after": "nonsense"}, "command.bad_value"),
        ({"since": "long ago"}, "command.bad_value"),
    ],
)
def test_what_is_not_there_is_said(daemon: Daemon, fields: dict[str, object], code: str) -> None:
    with pytest.raises(RequestError) as told:
        daemon.call("HistoryList", **fields)
    assert told.value.code == code


def test_the_past_is_told_by_the_minute_and_further_back_by_the_quarter(daemon: Daemon) -> None:
    process = add(daemon, "idle", "sleep", "600")
    now = time.time_ns() // 1_000_000
    minute = now - now % MINUTE
    quarter = now - now % (15 * MINUTE) - 2 * 24 * 60 * MINUTE
    write_figures(daemon, process, [(60, minute - back * MINUTE, float(back)) for back in range(1, 6)])
    write_figures(daemon, process, [(900, quarter, 50.0)])
    near = daemon.call("MetricHistory", process=process, since="1h")
    assert near["step_s"] == 60
    assert [point["cpu_percent"] for point in near["points"]][:5] == [5.0, 4.0, 3.0, 2.0, 1.0]
    assert near["points"][0]["cpu_percent_max"] == 10.0
    assert (near["points"][0]["memory_bytes"], near["points"][0]["memory_bytes_max"]) == (1000, 2000)
    within = daemon.call("MetricHistory", process=process, since=_rfc3339(minute - 3 * MINUTE + 30_000))
    assert [point["cpu_percent"] for point in within["points"]][:3] == [3.0, 2.0, 1.0]
    far = daemon.call("MetricHistory", process=process, since="3d", until="1d")
    assert (far["step_s"], [point["cpu_percent"] for point in far["points"]]) == (900, [50.0])
    assert daemon.call("MetricHistory", since="3d")["process_id"] is None


def test_pages_of_the_past_follow_each_other(daemon: Daemon) -> None:
    process = add(daemon, "idle", "sleep", "600")
    now = time.time_ns() // 1_000_000
    minute = now - now % MINUTE
    write_figures(daemon, process, [(60, minute - back * MINUTE, float(back)) for back in range(1, 6)])
    seen, since = [], "1h"
    while since:
        page = daemon.call("MetricHistory", process=process, since=since, limit=2, until="1m")
        seen += [point["cpu_percent"] for point in page["points"]]
        since = page["next"]
    assert seen == [5.0, 4.0, 3.0, 2.0, 1.0][: len(seen)]
    assert len(seen) >= 4
