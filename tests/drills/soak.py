"""The drill of starts and stops: mixed processes by the hundred leave nothing behind in hub, keeper and folders.

Counted after a warm-up, because both programs grow at first: caches fill, and Python takes memory by the megabyte and
touches it page by page. A leak of a quarter of a kilobyte a start is seen behind it; before it, none would be.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import select
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.drills.report import Progress, Report
from tests.support.daemon import Daemon, running_daemon

if TYPE_CHECKING:
    from wezparallel.client.sync import Client

MARK = "WZP_SOAK"
SETTLE_S = 20.0
MOST_THREADS = 8  # the hub lends threads to what may hang

KINDS: dict[str, dict[str, Any]] = {
    "pipes": {"command": "/bin/echo", "args": ["one line"]},
    "terminal": {"command": "/bin/sh", "args": ["-c", "echo $TERM; stty size"], "tty": True},
    "failing": {"command": "/bin/sh", "args": ["-c", "echo no >&2; exit 3"]},
    "killed": {"command": "/bin/sh", "args": ["-c", "kill -9 $$"]},
    "missing": {"command": "/no/such/program"},
    "shell": {"command": "/bin/sh", "args": ["-i"], "tty": True, "stop": {"signal": "SIGHUP"}},
    "sessions": {
        "command": "/bin/sh",
        "args": ["-c", "setsid sh -c 'setsid sleep 1001 & sleep 1002' & sleep 1003 & echo up; wait"],
    },
    "stubborn": {"command": "/bin/sh", "args": ["-c", "trap '' TERM; echo up; sleep 1004; sleep 1005"],
                 "stop": {"grace_s": 0.05}},
    "limited": {"command": "/bin/sh", "args": ["-c", "ulimit -n; exec sleep 1006"], "isolate": True,
                "limits": {"ulimits": {"nofile": 99}, "nice": 1}},
    "ring": {"command": "/bin/sh", "args": ["-c", "seq 2000"], "log": "memory"},
}  # fmt: skip
STAY = ("shell", "sessions", "stubborn", "limited")
"""Kinds that run until they are stopped."""


@dataclass
class State:
    """What hub, keeper and folders hold at one moment."""

    descriptors: dict[str, list[str]] = field(default_factory=dict)
    resident_kb: dict[str, int] = field(default_factory=dict)
    threads: dict[str, int] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    strangers: list[str] = field(default_factory=list)
    """Living children of the keeper but the hub, and whatever carries our mark."""


def main(options: argparse.Namespace) -> int:
    """Run the drill in folders of its own; return the exit code."""
    home = Path(tempfile.mkdtemp(prefix="wzp-drill-"))
    progress = Progress()
    report = Report(f"drill soak: {options.warm_up} + {options.starts} starts and stops of mixed processes")
    chance = random.Random(options.seed)
    try:
        with running_daemon(home) as daemon:
            faults = rounds(daemon, options.warm_up, chance, progress, "warming up")
            before = settled(daemon)
            began = time.monotonic()
            faults += rounds(daemon, options.starts, chance, progress, "start")
            took_s = time.monotonic() - began
            after = settled(daemon)
        report.check("each did what it is to do", f"{options.starts / took_s:.0f} starts and stops a second", faults)
        judge(report, before, after, options.growth_kb)
    finally:
        progress.clear()
        shutil.rmtree(home, ignore_errors=True)
    report.print()
    return 0 if report.is_good else 1


def rounds(daemon: Daemon, count: int, chance: random.Random, progress: Progress, what: str) -> list[str]:
    """Start and stop so many processes, a few at a time; return what went wrong."""
    faults: list[str] = []
    done = 0
    with daemon.client() as client:
        while done < count:
            kinds = [chance.choice(list(KINDS)) for _ in range(min(chance.randint(1, 8), count - done))]
            ids = [f"w/{kind}-{number}" if chance.random() < 0.5 else f"{kind}-{number}"
                   for number, kind in enumerate(kinds, 1)]  # fmt: skip
            for process_id, kind in zip(ids, kinds, strict=True):
                faults += began(client, process_id, kind, str(daemon.home))
            for process_id, kind in zip(ids, kinds, strict=True):
                faults += ended(client, process_id, kind)
            done += len(kinds)
            progress.show(f"{what} {done} of {count}")
    return faults


def began(client: Client, process_id: str, kind: str, mark: str) -> list[str]:
    """Start one, with our mark in its environment; return what is wrong with the answer."""
    fields = {"id": process_id, "restart": "never", "env": {MARK: mark}, **KINDS[kind]}
    reply = client.call("ProcessAdd", fields, timeout_s=30)
    expected = "refused" if kind == "missing" else "spawned"
    return [] if reply["now"] == expected else [f"{process_id}: {reply['now']}, not {expected}"]


def ended(client: Client, process_id: str, kind: str) -> list[str]:
    """Wait for the end of one, or stop it; then remove it."""
    faults = []
    if kind in STAY:
        client.call("ProcessStop", {"process": process_id}, timeout_s=30)
    elif kind != "missing":
        reply = client.call("ProcessWait", {"process": process_id, "for": "exited", "timeout_s": 20}, timeout_s=30)
        record = reply["process"]
        expected = {"failing": (3, None), "killed": (None, 9)}.get(kind, (0, None))
        if (record["exit_code"], record["signal"]) != expected:
            faults.append(f"{process_id}: {record['state']} {record['exit_code']} {record['signal']}")
    client.call("ProcessRemove", {"process": process_id}, timeout_s=30)
    return faults


def settled(daemon: Daemon) -> State:
    """Return the state once nothing changes any more: what was removed is forgotten a moment later."""
    deadline = time.monotonic() + SETTLE_S
    last, since = look(daemon), time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < 1.0:
        select.select([], [], [], 0.2)
        now = look(daemon)
        if (now.descriptors, now.files, now.strangers) != (last.descriptors, last.files, last.strangers):
            since = time.monotonic()
        last = now
    return last


def look(daemon: Daemon) -> State:
    """Return what there is now."""
    state = State()
    status = daemon.call("Status")
    pids = {"keeper": status["keeper_pid"], "hub": status["hub_pid"]}
    for name, pid in pids.items():
        targets = []
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                targets.append(re.sub(r"\d+", "#", os.readlink(entry)))
            except OSError:
                continue
        state.descriptors[name] = sorted(targets)
        text = Path(f"/proc/{pid}/status").read_text()
        state.resident_kb[name] = int(text.split("RssAnon:")[1].split()[0])
        state.threads[name] = int(text.split("Threads:")[1].split()[0])
    for folder in (Path(daemon.runtime), daemon.home):
        found = (path for path in folder.rglob("*") if not path.name.startswith("state.db"))
        state.files |= {str(path) for path in found if "snapshots" not in path.parts}  # so many are kept
    mark = f"{MARK}={daemon.home}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in (*pids.values(), os.getpid()):
            said = stranger(entry, pids["keeper"], mark)
            state.strangers += [said] if said else []
    return state


def stranger(entry: Path, keeper: int, mark: bytes) -> str | None:
    """Return what a process is that should not be there: a child of the keeper, a zombie or whatever we marked."""
    try:
        fields = (entry / "stat").read_text().rpartition(")")[2].split()
        environ = (entry / "environ").read_bytes()
        command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
    if int(fields[1]) == keeper or mark in environ.split(b"\0"):
        return f"{'zombie' if fields[0] == 'Z' else 'process'} {command or entry.name}"
    return None


def judge(report: Report, before: State, after: State, growth_kb: int) -> None:
    """Compare both states."""
    for name in before.descriptors:
        found, had = after.descriptors[name], before.descriptors[name]
        more = [f"{found.count(one) - had.count(one)} more of {one}" for one in set(found)
                if found.count(one) > had.count(one)]  # fmt: skip
        report.check(f"descriptors of the {name}", f"{len(had)} before, {len(found)} after", more)
    for name in before.resident_kb:
        had_kb, has_kb = before.resident_kb[name], after.resident_kb[name]
        grown = [] if has_kb - had_kb <= growth_kb else [f"grew by {has_kb - had_kb} kB, and {growth_kb} may be"]
        report.check(f"resident memory of the {name}", f"{had_kb} kB before, {has_kb} kB after", grown)
    for name, count in after.threads.items():
        most = max(before.threads[name], MOST_THREADS)
        more = [f"{count}, and {most} may be"] if count > most else []
        report.check(f"threads of the {name}", f"{before.threads[name]} before, {count} after", more)
    strays = sorted(after.files - before.files)
    report.check("files in its folders", f"{len(before.files)} before, {len(after.files)} after", strays)
    report.check("processes and zombies that are left", f"{len(after.strangers)}", after.strangers)
