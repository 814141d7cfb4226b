"""What the daemon costs when nothing happens: memory with no process and with 100, computing and wake-ups."""

from __future__ import annotations

import time

from benches.daemon import Lines, daemon
from benches.measure import Row, below, cpu_s, pss, rss, wake_ups

COUNT = 100
SETTLE_S = 5.0
WATCH_S = 20.0


def run() -> list[Row]:
    """Measure."""
    with daemon() as running:
        lines = Lines(running.socket)
        status = running.call("Status")
        hub, keeper = status["hub_pid"], status["keeper_pid"]
        time.sleep(SETTLE_S)
        empty = pss(hub) + pss(keeper)
        rows = [
            below("memory, 0 processes: hub RSS", rss(hub), 50, "MB"),
            below("memory, 0 processes: keeper RSS", rss(keeper), 14, "MB"),
            below("memory, 0 processes: PSS of both", empty, 55, "MB"),
        ]
        fields = {"command": "/bin/sleep", "args": ["100000"]}
        lines.all([("ProcessAdd", {"id": f"sleep-{number}", **fields}) for number in range(COUNT)])
        lines.close()
        time.sleep(SETTLE_S)
        rows.append(below("memory that 100 processes add, PSS of both", pss(hub) + pss(keeper) - empty, 10, "MB"))
        return rows + quiet(hub, keeper)


def quiet(hub: int, keeper: int) -> list[Row]:
    """Watch both do nothing."""
    before = (cpu_s(hub) + cpu_s(keeper), wake_ups(hub), wake_ups(keeper))
    time.sleep(WATCH_S)
    used = cpu_s(hub) + cpu_s(keeper) - before[0]
    return [
        below("idle CPU, 100 processes", used / WATCH_S * 100, 0.3, "% of a core"),
        below("idle wake-ups of the keeper", (wake_ups(keeper) - before[2]) / WATCH_S, 0.5, "/s"),
        below("idle wake-ups of the hub", (wake_ups(hub) - before[1]) / WATCH_S, 5, "/s"),
    ]
