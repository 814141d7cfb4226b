"""`Ping` while 20 processes print as fast as they can, against a raw ping-pong in the same flood."""

from __future__ import annotations

from benches.daemon import CAP, Lines, daemon, request
from benches.measure import Row, at_most, in_turns, p99
from benches.peers import ping_pong
from benches.rpc import our_trips, raw_trips

PROCESSES = 20
COUNT = 400


def flood(lines: Lines) -> None:
    """Start the 20 processes."""
    fields = {"command": "/usr/bin/yes", "args": ["x" * 63], "log_cap_bytes": CAP}
    lines.all([("ProcessAdd", {"id": f"flood-{number}", **fields}) for number in range(PROCESSES)])


def run() -> list[Row]:
    """Measure."""
    with daemon() as ours, ping_pong() as floor:
        lines = Lines(ours.socket)
        flood(lines)
        ping = request("Ping")
        medians = in_turns(
            {
                "floor": lambda: p99(raw_trips(floor, COUNT)),
                "ping": lambda: p99(our_trips(lines, ping, COUNT)),
            },
            rounds=7,
        )
        lines.close()
    return [
        at_most("Ping p99, 20 processes flooding", medians["ping"], {"raw ping-pong": medians["floor"]}, 3.0, "s")
    ]
