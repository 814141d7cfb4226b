"""`history` and `metrics` say what a person wants to know of the past and of the machine."""

from __future__ import annotations

import json
from typing import Any

from tests.support.commandline import CommandLine
from tests.support.scripted_hub import ScriptedHub


def run(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "run_id": f"{name}-1", "process_id": name, "workspace": "shop", "number": 1, "status": "exited", "pid": 7,
        "started_at": "2026-01-01T10:00:00.000Z", "ended_at": "2026-01-01T10:02:05.000Z", "ran_s": 125.0,
        "exit_code": 0, "signal": None, "asked": False, "peak_cpu_percent": 12.4, "peak_memory_bytes": 80 << 20,
        **fields,
    }  # fmt: skip


RUNS = [
    run("shop/web", status="spawned", ended_at=None, exit_code=None),
    run("shop/api", exit_code=3, peak_cpu_percent=None, peak_memory_bytes=None),
    run("shop/db", exit_code=None, signal=9),
    run("shop/cron", asked=True, exit_code=None, signal=15),
    run("shop/old", status="lost", exit_code=None, ran_s=None),
    run("shop/job"),
]

STATUS = {
    "version": "1", "hub_id": "h-1", "hub_pid": 1, "keeper_pid": 2, "epoch": "e-1", "seq": 1, "uptime_s": 1.0,
    "keeper_uptime_s": 1.0, "hub_deaths": 0, "socket": "/s", "workspaces": 0, "processes": 0, "by_state": {},
    "hub_memory_bytes": 1, "processes_memory_bytes": None, "subscribers": 0, "metrics_url": None,
}  # fmt: skip
FIGURES = {
    "cpu_usage": 12.5, "memory_usage": 40.0, "disk_usage": None, "process_count": 3, "active_sessions": 1,
    "api_response_time": 0.25, "error_rate": 0.5,
    "network_io": {"bytes_received": 1, "bytes_sent": 2, "packets_received": 3, "packets_sent": 4,
                   "rx_rate": 2048.0, "tx_rate": 10.0},
}  # fmt: skip


def test_each_run_says_how_it_ended_the_latest_last(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    hub.answers["HistoryList"] = {"runs": RUNS, "next": None}
    title, *lines = wezparallel("history").out.splitlines()
    assert "most memory" in title
    assert [line.split()[1] for line in lines] == [one["process_id"] for one in reversed(RUNS)]
    job, old, cron, db, api, web = lines
    assert job.startswith("✓")
    assert "done" in job
    assert "80 MB" in job
    assert "12 %" in job
    assert "not known" in old
    assert "stopped" in cron
    assert "signal 9" in db
    assert "code 3" in api
    assert "%" not in api
    assert "runs" in web
    assert "2m" in web


def test_what_is_asked_for_is_passed_on(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    hub.answers["HistoryList"] = {"runs": [], "next": None}
    assert "No run is known that ended so." in wezparallel("history", "shop/", "--failed", "--since", "2h").out
    assert hub.asked("HistoryList")[-1] == {"workspace": "shop", "failed": True, "since": "2h", "limit": 20}
    assert "No run is known." in wezparallel("history", "shop/api", "-n", "3").out
    assert hub.asked("HistoryList")[-1] == {"process": "shop/api", "limit": 3}


def test_more_than_was_asked_for_is_said(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    hub.answers["HistoryList"] = {"runs": RUNS[:2], "next": "1:1:x"}
    done = wezparallel("history", "-n", "2")
    assert "--lines" in done.err
    assert len(json.loads(wezparallel("history", "-n", "2", "--json").out)["runs"]) == 2


def test_a_number_of_lines_below_one_is_refused(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    assert wezparallel("history", "-n", "0").code == 2


def test_figures_come_step_by_step(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    points = [
        {"at": f"2026-01-01T10:0{minute}:00.000Z", "cpu_percent": 10.0 * minute, "cpu_percent_max": 99.0,
         "memory_bytes": 5 << 20, "memory_bytes_max": None if minute else 9 << 20}
        for minute in range(3)
    ]  # fmt: skip
    hub.answers["MetricHistory"] = {"process_id": "shop/api", "step_s": 60, "points": points, "next": None}
    title, *lines = wezparallel("history", "shop/api", "--figures").out.splitlines()
    assert title.split() == ["at", "CPU", "most", "memory", "most"]
    assert [line.split()[3:5] for line in lines] == [["0.0", "%"], ["10.0", "%"], ["20.0", "%"]]
    assert lines[-1].endswith("█")
    hub.answers["MetricHistory"] = {"process_id": None, "step_s": 60, "points": [], "next": None}
    assert "by the minute" in wezparallel("history", "--figures").out
    assert json.loads(wezparallel("history", "--figures", "--json").out)["points"] == []


def test_the_machine_is_told_with_where_prometheus_finds_the_rest(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    hub.answers["MetricGet"] = FIGURES
    hub.answers["Status"] = {**STATUS, "metrics_url": "http://127.0.0.1:9464/metrics"}
    out = wezparallel("metrics").out
    assert "http://127.0.0.1:9464/metrics" in out
    assert "0.25 ms" in out
    assert "50 %" in out
    assert "2 KB/s received" in out
    assert "disk" not in out
    assert json.loads(wezparallel("metrics", "--json").out) == FIGURES
    hub.answers["Status"] = {**STATUS, "metrics_error": "the port is taken"}
    assert "not served: the port is taken" in wezparallel("metrics").out
