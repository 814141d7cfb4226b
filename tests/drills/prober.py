"""Connects to the public socket all the time and asks `Ping`: does any connect fail, and when does a new hub answer?

`python -m tests.drills.prober SOCKET`. Says `hub {at, hub_id}` at each hub's first Pong and `totals` at the end.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time

from tests.drills.actor import say

EVERY_S = 0.02
PING = b'{"Ping":{}}\n'


class Prober:
    """Many connections at once: those that a dead hub left in the backlog wait there for the next one."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._selector = selectors.DefaultSelector()
        self._hubs: set[str] = set()
        self._asked: dict[socket.socket, float] = {}
        self.connects = self.pongs = self.refused = self.cut = 0
        self.failures: list[str] = []
        self.slowest_s = 0.0

    def run(self) -> None:
        """Probe until stdin ends."""
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        due = time.monotonic()
        while True:
            for key, _ in self._selector.select(max(0.0, due - time.monotonic())):
                if key.fileobj is sys.stdin:
                    return
                self._read(key.fileobj)  # type: ignore[arg-type]
            if time.monotonic() >= due:
                self._ask()
                due = max(due + EVERY_S, time.monotonic())

    def _ask(self) -> None:
        sock = socket.socket(socket.AF_UNIX)
        sock.setblocking(False)
        try:
            sock.connect(self._path)
        except OSError as error:
            self.failures.append(f"{error.strerror} at {time.monotonic():.3f}")
            say("failed", reason=self.failures[-1])
            sock.close()
            return
        self.connects += 1
        try:
            sock.send(PING)
        except OSError:  # accepted and killed in between
            self.cut += 1
            sock.close()
            return
        self._asked[sock] = time.monotonic()
        self._selector.register(sock, selectors.EVENT_READ)

    def _read(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(65536)
        except OSError:
            data = b""
        at = time.monotonic()
        self._selector.unregister(sock)
        sock.close()
        asked = self._asked.pop(sock)
        if not data:
            self.cut += 1
            return
        reply = json.loads(data)
        if "Pong" not in reply:
            self.refused += 1
            return
        self.pongs += 1
        self.slowest_s = max(self.slowest_s, at - asked)
        hub_id = reply["Pong"]["hub_id"]
        if hub_id not in self._hubs:
            self._hubs.add(hub_id)
            say("hub", at=at, hub_id=hub_id)


def main(path: str) -> None:
    """Probe, then tell."""
    prober = Prober(path)
    prober.run()
    say(
        "totals", connects=prober.connects, pongs=prober.pongs, refused=prober.refused, cut=prober.cut,
        failures=prober.failures, slowest_s=prober.slowest_s,
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
