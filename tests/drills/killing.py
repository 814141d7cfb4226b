"""Kills the hub: at random moments, and at each place where an instruction more or less makes a difference."""

from __future__ import annotations

import os
import random
import select
import signal
import time
from pathlib import Path

from tests.drills.actor import Actor
from tests.support.daemon import Daemon
from wezparallel.client.control import Control

FAILPOINTS = ("stored", "sent", "answered", "exited", "committed", "adopting")
"""stored, not sent; sent, not answered; effect, no reply; exit, no acknowledgement; committed, not published"""
RANDOM = "a random moment"
IDLE = "idle"
PATIENCE_S = 30.0
SERVICE_S = 2.1  # a hub that lives so long has not failed at its start; else the keeper waits before the next


def plan(kills: int, chance: random.Random) -> list[str]:
    """Return where to kill: of ten kills six at the failpoints, the rest at random moments; in any order."""
    if kills >= len(FAILPOINTS):
        places = list(FAILPOINTS) * max(1, kills // 10)
        places += [RANDOM] * (kills - len(places))
    else:
        places = [RANDOM, *chance.sample(FAILPOINTS, max(0, kills - 1))][:kills]
    chance.shuffle(places)
    return places


class Killer:
    """Kills one daemon's hub and reads from the prober when the next one answers."""

    def __init__(self, daemon: Daemon, prober: Actor, chance: random.Random) -> None:
        self._daemon = daemon
        self._prober = prober
        self._chance = chance
        self._kills = 0
        self.faults: list[str] = []

    def hub_pid(self) -> int:
        """Return the pid of the keeper's present hub, which need not answer."""
        with Control(self._daemon.runtime + "/keeper.sock", timeout_s=PATIENCE_S) as control:
            return int(control.status()["hub"]["pid"] or 0)

    def pause(self) -> None:
        """Let a random time pass; the keeper counts deaths without service, so every second hub lives longer."""
        self._kills += 1
        at_least, at_most = (SERVICE_S, 3.0) if self._kills % 2 else (0.05, 1.0)
        select.select([], [], [], self._chance.uniform(at_least, at_most))

    def kill(self, where: str) -> float | None:
        """Kill; return the seconds until the next hub's first Pong, None when there was none."""
        before = len(self._prober.said("hub"))
        pid = self.hub_pid()
        file = Path(self._daemon.failpoints, where)
        if where in FAILPOINTS:
            self._daemon.arm(where)
        if where not in FAILPOINTS or where == "adopting":
            os.kill(pid, signal.SIGKILL)
        died = time.monotonic()
        if where in FAILPOINTS:
            died = self._until_gone(file)
            if not died:
                self.faults.append(f"the hub never came past {where!r}")
                return None
        pong = self._prober.wait_for("hub", PATIENCE_S, before + 1)
        if pong is None:
            self.faults.append(f"no hub answered within {PATIENCE_S:g} s after the kill at {where}")
            return None
        if self.hub_pid() == pid:
            self.faults.append(f"pid {pid} still serves after the kill at {where}")
        return float(pong["at"]) - died

    @staticmethod
    def _until_gone(file: Path) -> float:
        """Return when a failpoint's file went; 0 when it did not, and then it is taken away."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if not file.exists():
                return time.monotonic()
            select.select([], [], [], 0.001)
        file.unlink(missing_ok=True)
        return 0.0
