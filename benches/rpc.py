"""Round trips of one client on an idle daemon: `Ping` and `Status`, against a raw ping-pong of two processes.

All of them share one processor. Spread over two, a trip costs mostly what it takes to wake an idle one (10 to 80 µs
in a VM, another figure each hour), and the kernel spreads a client and a server that waits in epoll, but not the two
ends of a blocking ping-pong.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benches.daemon import Lines, daemon, request
from benches.measure import Row, at_most, in_turns, p50
from benches.peers import ping_pong

COUNT = 1500
MESSAGE = b"x" * 63 + b"\n"


def raw_trips(sock: socket.socket, count: int = COUNT) -> list[float]:
    """Send 64 bytes to and fro; return the seconds of each trip."""
    taken = []
    for _ in range(count):
        begin = time.perf_counter()
        sock.sendall(MESSAGE)
        sock.recv(4096)
        taken.append(time.perf_counter() - begin)
    return taken


def our_trips(lines: Lines, line: bytes, count: int = COUNT) -> list[float]:
    """Ask the same thing again and again; return the seconds of each answer."""
    taken = []
    for _ in range(count):
        begin = time.perf_counter()
        lines.ask(line)
        taken.append(time.perf_counter() - begin)
    return taken


@contextmanager
def one_processor() -> Iterator[None]:
    """Have this process, and all that it starts, run on one processor, where that can be had."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def run() -> list[Row]:
    """Measure."""
    with one_processor(), daemon() as ours, ping_pong() as floor:
        lines = Lines(ours.socket)
        ping, status = request("Ping"), request("Status")
        our_trips(lines, ping), our_trips(lines, status)
        medians = in_turns(
            {
                "floor": lambda: p50(raw_trips(floor)),
                "ping": lambda: p50(our_trips(lines, ping)),
                "status": lambda: p50(our_trips(lines, status)),
            },
            rounds=7,
        )
        lines.close()
    raw = {"raw ping-pong": medians["floor"]}
    return [
        at_most("Ping round trip p50", medians["ping"], raw, 3.0, "s"),
        at_most("Status round trip p50", medians["status"], raw, 3.0, "s"),
    ]
