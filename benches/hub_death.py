"""`kill -9` of the hub: how long until the new one answers, and what was lost meanwhile."""

from __future__ import annotations

import json
import os
import signal
import time

from benches.daemon import Lines, daemon
from benches.flooded import flood
from benches.measure import Row, below, none, p50
from tests.support.daemon import Daemon

ROUNDS = 4  # a hub that dies five times at once is restarted later and later
COUNT = 20


def seconds_to_pong(running: Daemon) -> float:
    """Kill the hub; return the seconds until another one answers on a new connection."""
    status = running.call("Status")
    os.kill(status["hub_pid"], signal.SIGKILL)
    begin = time.perf_counter()
    while True:
        try:
            answer = json.loads(running.raw(b'{"Ping":{}}\n').splitlines()[0])
        except (ConnectionError, IndexError):  # the old hub had accepted it
            continue
        if answer.get("Pong", {}).get("hub_id", status["hub_id"]) != status["hub_id"]:
            return time.perf_counter() - begin


def pids(running: Daemon) -> dict[str, int]:
    """Return process id -> pid of all that run."""
    return {one["process_id"]: one["pid"] for one in running.call("ProcessList")["processes"]}


def run() -> list[Row]:
    """Measure."""
    rows = []
    for what, limit in (("idle", 1.0), ("20 processes flooding", 3.0)):
        with daemon() as running:
            lines = Lines(running.socket)
            if what == "idle":
                fields = {"command": "/bin/sleep", "args": ["100000"]}
                lines.all([("ProcessAdd", {"id": f"sleep-{number}", **fields}) for number in range(COUNT)])
            else:
                flood(lines)
            lines.close()
            before = pids(running)
            taken = []
            for _ in range(ROUNDS):
                taken.append(seconds_to_pong(running))
                time.sleep(2.5)
            after = pids(running)
        lost = sum(after.get(name) != pid for name, pid in before.items())
        rows.append(below(f"kill -9 of the hub, {what}: first Pong", p50(taken), limit, "s"))
        rows.append(none(f"kill -9 of the hub, {what}: children lost", lost, f"of {len(before)}"))
    return rows
