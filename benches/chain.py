"""A chain of processes, each of which needs the one before to be ready, against its longest path.

The longest path is what the programs themselves take: the same ones, started one after the other by a bare loop that
looks every millisecond whether the last one's port accepts, and then starts the next one.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time

from benches.daemon import daemon, folder
from benches.measure import Row, at_most, in_turns

LINKS = 50
EVERY_S = 0.001
PROGRAM = """
import socket, sys, time
time.sleep(0.1)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    time.sleep(1000)
"""
"""A server that needs a moment before it accepts."""


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def argv(port: int) -> list[str]:
    """Return the command of one link."""
    return [sys.executable, "-I", "-S", "-c", PROGRAM, str(port)]


def accepts(port: int) -> bool:
    """Look once."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def bare() -> float:
    """Start the programs one after the other; return how long it takes until the last one is ready."""
    children: list[subprocess.Popen[bytes]] = []
    ports = free_ports(LINKS)
    begin = time.perf_counter()
    try:
        for port in ports:
            children.append(subprocess.Popen(argv(port), stdin=subprocess.DEVNULL))
            while not accepts(port):
                time.sleep(EVERY_S)
        return time.perf_counter() - begin
    finally:
        for child in children:
            child.kill()
            child.wait(10)


def run() -> list[Row]:
    """Measure."""
    with daemon() as ours, folder() as root, ours.client() as client:

        def chain() -> float:
            before: str | None = None
            for number, port in enumerate(free_ports(LINKS)):
                program, *arguments = argv(port)
                client.call("ProcessAdd", {
                    "id": f"chain/{number}", "command": program, "args": arguments, "root": str(root),
                    "auto_start": False, "ready": {"tcp": str(port)},
                    "depends_on": {before: "ready"} if before else {},
                })  # fmt: skip
                before = str(number)
            begin = time.perf_counter()
            client.call("ProcessStart", {"process": f"chain/{before}", "wait": "ready"})
            taken = time.perf_counter() - begin
            client.call("WorkspaceDelete", {"name": "chain"})
            return taken

        medians = in_turns({"ours": chain, "bare": bare}, rounds=3)
    headline = f"a chain of {LINKS}, each needs the one before `ready`"
    return [at_most(headline, medians["ours"], {"its longest path": medians["bare"]}, 1.2, "s")]
