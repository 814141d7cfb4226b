"""100 processes started and running: a posix_spawn loop, supervisord; and a workspace of four from nothing."""

from __future__ import annotations

import time

from benches.daemon import Lines, daemon, folder
from benches.measure import Row, at_most, below, in_turns, missing, seconds_of
from benches.peers import end_all, present, spawn_many, supervisord

COUNT = 100
PROGRAMS = f"""[program:sleep]
command=/bin/sleep 100000
numprocs={COUNT}
process_name=%(program_name)s_%(process_num)d
autostart=false
startsecs=0
"""
WORKSPACE = """
panes: [sleep 100001, sleep 100002, sleep 100003, sleep 100004]
"""


def floor() -> float:
    """Return the seconds of the bare loop."""
    begin = time.perf_counter()
    pids = spawn_many(COUNT)
    taken = time.perf_counter() - begin
    end_all(pids)
    return taken


def run() -> list[Row]:
    """Measure."""
    with daemon() as running, folder() as path:
        lines = Lines(running.socket)
        names = [f"sleep-{number}" for number in range(COUNT)]
        fields = {"command": "/bin/sleep", "args": ["100000"], "auto_start": False}
        lines.all([("ProcessAdd", {"id": name, **fields}) for name in names])

        def ours() -> float:
            taken = seconds_of(lambda: lines.all([("ProcessStart", {"process": name}) for name in names]))
            lines.all([("ProcessKill", {"process": name}) for name in names])
            return taken

        if not present("supervisord"):
            medians = in_turns({"floor": floor, "ours": ours})
            rows = [missing("100 processes started and running", "supervisord", "≤ 0.5×")]
        else:
            with supervisord(path, PROGRAMS) as peer:

                def theirs() -> float:
                    taken = seconds_of(lambda: peer.call("supervisor.startAllProcesses", True))
                    peer.call("supervisor.stopAllProcesses", True)
                    return taken

                medians = in_turns({"floor": floor, "ours": ours, "supervisord": theirs})
            theirs_s = {"supervisord": medians["supervisord"]}
            rows = [at_most("100 processes started and running", medians["ours"], theirs_s, 0.5, "s")]
        floors = {"posix_spawn loop": medians["floor"]}
        rows.insert(0, at_most("100 processes started and running", medians["ours"], floors, 3, "s"))
        lines.close()
    return [*rows, workspace_row()]


def workspace_row() -> Row:
    """Measure a workspace of four processes, asked until all run."""
    with daemon() as running, running.client() as client:
        numbers = iter(range(1000))

        def create() -> float:
            name = f"w{next(numbers)}"
            body = {"name": name, "source": WORKSPACE}
            taken = seconds_of(lambda: client.call("WorkspaceCreate", body))
            states = {one["state"] for one in client.call("ProcessList", {"workspace": name})["processes"]}
            assert states == {"running"}, states
            client.call("WorkspaceDelete", {"name": name})
            return taken

        median = in_turns({"ours": create}, rounds=9)["ours"]
    return below("workspace of 4 processes, asked to running", median, 0.1, "s")
