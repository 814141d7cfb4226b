"""The drills in short: a killed hub loses nothing. How fast the next one answers, only the long ones judge."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.drills.__main__ import size
from tests.drills.numbered import Checker, _template, block
from tests.drills.report import Report

ROOT = Path(__file__).resolve().parents[2]
NO_BUDGET = ("--flood-budget", "60", "--idle-budget", "60")


def drill(*args: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tests.drills", *args]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_nothing_is_lost_when_the_hub_is_killed_under_a_flood():
    done = drill("hub", "--total", "20M", "--kills", "3", "--writers", "4", "--idle-kills", "0", *NO_BUDGET)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_lost_when_the_idle_hub_is_killed():
    done = drill("idle", "--kills", "2", "--processes", "3", "--idle-budget", "60")
    assert done.returncode == 0, done.stdout + done.stderr


def test_starts_and_stops_of_mixed_processes_leave_nothing_behind():
    # So few do not reach the bounds of the caches: only the long drill judges the memory.
    done = drill("soak", "--starts", "60", "--warm-up", "30", "--growth-kb", "8192")
    assert done.returncode == 0, done.stdout + done.stderr


def numbers(blocks: int) -> bytes:
    return b"".join(block(number, _template(b"\n")) for number in range(blocks))


def test_the_checker_takes_numbers_however_they_are_cut():
    checker, data = Checker(2, tty=False), numbers(2)
    for start in range(0, len(data), 777):
        checker.feed(data[start : start + 777])
    assert checker.is_complete
    assert checker.verdict() == ""


def test_the_checker_sees_a_missing_a_doubled_and_a_surplus_line():
    data = numbers(1)
    for wrong in (data[:500] + data[600:], data[:500] + data[400:], data + data[:100]):
        checker = Checker(1, tty=False)
        checker.feed(wrong)
        assert checker.verdict()


def test_a_report_with_one_late_kill_is_not_good():
    report = Report("drill")
    report.check("something", "found", [])
    report.kill("idle", "idle", 0.5, 1.0)
    assert report.is_good
    report.kill("idle", "idle", 1.5, 1.0)
    assert not report.is_good


def test_sizes_are_read_as_people_write_them():
    assert (size("20M"), size("2G"), size("1.5k")) == (20_000_000, 2_000_000_000, 1500)
