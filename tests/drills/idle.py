"""The drill of the hub's death when nothing goes on: sleeping processes, kills, and the time to the next Pong."""

from __future__ import annotations

import argparse
import random
import select
import shutil
import tempfile
from pathlib import Path

from tests.drills.actor import Actor
from tests.drills.killing import IDLE, Killer
from tests.drills.report import Progress, Report
from tests.support.daemon import running_daemon


def main(options: argparse.Namespace) -> int:
    """Run the drill in folders of its own; return the exit code."""
    home = Path(tempfile.mkdtemp(prefix="wzp-drill-"))
    progress = Progress()
    report = Report(f"drill idle: {options.processes} processes sleep, the hub is killed {options.kills} times")
    chance = random.Random(options.seed)
    try:
        with running_daemon(home) as daemon:
            prober = Actor("tests.drills.prober", daemon.socket, env=daemon.env)
            with daemon.client() as client:
                pids = {}
                for number in range(options.processes):
                    request = {"id": f"sleep-{number:02d}", "command": "/bin/sleep", "args": ["3600"]}
                    pids[request["id"]] = client.call("ProcessAdd", request)["process"]["pid"]
                prober.wait_for("hub", 30)
                killer = Killer(daemon, prober, chance)
                for number in range(options.kills):
                    progress.show(f"kill {number + 1} of {options.kills}")
                    select.select([], [], [], chance.uniform(2.1, 2.6))
                    report.kill(IDLE, "idle", killer.kill(IDLE), options.idle_budget)
                found = {p["process_id"]: p["pid"] for p in client.call("ProcessList")["processes"]}
            report.check("every kill met a new hub", f"{options.kills} kills", killer.faults)
            changed = [f"{name} had pid {pid}, now {found.get(name)}" for name, pid in pids.items()
                       if found.get(name) != pid]  # fmt: skip
            report.check("all pids are the same", f"{len(pids)} processes", changed)
            prober.end()
            totals = (prober.said("totals") or [{"failures": ["the prober crashed"], "connects": 0}])[0]
            report.check("no connect failed", f"{totals['connects']} connects", totals["failures"])
    finally:
        progress.clear()
        shutil.rmtree(home, ignore_errors=True)
    report.print()
    return 0 if report.is_good else 1
