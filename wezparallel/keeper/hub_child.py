"""Starts the hub, watches it, restarts it: at once five times, then ever more slowly, and never gives up.

The hub is a child of the keeper in a session of its own. What it leaves behind there is ended before the next one is
started. Whether it is of use is seen at its link: a hub that answers no ping while work waits is ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from contextlib import suppress

from wezparallel import paths
from wezparallel.keeper.child import spawn_plain
from wezparallel.keeper.messages import PING
from wezparallel.keeper.tree import send_one, start_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.keeper import Keeper
    from wezparallel.keeper.loop import Timer
    from wezparallel.types import JsonObject

NONE = "none"  # WEZPARALLEL_HUB_ARGV=[]: somebody else brings the hub
STARTING = "starting"
RUNNING = "running"
BACKOFF = "backoff"
STOPPED = "stopped"

_FREE_DEATHS = 5
_FIRST_DELAY_S = 0.1
_LAST_DELAY_S = 5.0
_SERVICE_S = 2.0  # a hub that served so long has not failed at its start
_PING_S = 5.0
_PINGS = 6  # unanswered ones, while work waits, after which a hub is ended
_END_S = 5.0  # between SIGTERM and SIGKILL of a hub that is to end


class HubChild:
    """The hub's life, seen from its parent."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self.argv: list[str] = hub_argv()
        self.state = STOPPED if self.argv else NONE
        self.pid = 0
        self.start_time = 0
        self.deaths = 0
        """in a row, without service"""
        self.all_deaths = 0
        self.expect_replacement = False
        """The keeper has become another program, or is about to: the next hub is that program's."""
        self._serving_since: float | None = None
        self._unanswered = 0
        self._ping_count = 0
        self._timer: Timer | None = None
        self._ping_timer: Timer | None = None

    def start(self) -> None:
        """Start the hub now, unless there is one."""
        if self.state == NONE or self.pid:
            return
        self._cancel()
        self._serving_since = None
        self._unanswered = 0
        self._keeper.listeners.leave_to_hub()
        try:
            self.pid = spawn_plain(self.argv, _output(), self._keeper.around)
        except OSError as error:
            self._keeper.say(f"the hub cannot be started: {self.argv[0]}: {error.strerror}")
            self._again()
            return
        self.start_time = start_of(self.pid)
        self.state = STARTING
        self._keeper.quiet(True)
        self._ping_timer = self._keeper.loop.after(_PING_S, self._ping)

    def said_hello(self) -> None:
        """Note that the hub's link stands."""
        if self.state != NONE:
            self.state = RUNNING
        self._unanswered = 0

    def serves(self) -> None:
        """Note that the hub has adopted everything and answers its clients."""
        self._serving_since = self._keeper.loop.now()
        self._keeper.quiet(False)

    def ponged(self) -> None:
        """Note an answer to a ping."""
        self._unanswered = 0

    def died(self) -> None:
        """End what the hub left in its group, and start another; the dead one is not reaped yet."""
        send_one(self.pid, signal.SIGKILL, group=True)
        self.pid = 0
        self._cancel()
        try:
            self._keeper.drop_link()
        finally:  # whatever its last words were, there must be another
            self._after_death()

    def _after_death(self) -> None:
        if self.state == STOPPED:
            self._keeper.hub_stopped()
            return
        if self.expect_replacement:
            self.expect_replacement = False
            self.deaths = 0
            self._start_soon()
            return
        self.all_deaths += 1
        served = self._serving_since
        if served is not None and self._keeper.loop.now() - served >= _SERVICE_S:
            self.deaths = 0
        self._again()

    def stop(self) -> None:
        """End the hub and start no other until somebody asks for it."""
        if self.state == NONE:
            self._keeper.hub_stopped()
            return
        self.state = STOPPED
        self._cancel()
        if not self.pid:
            self._keeper.hub_stopped()
            return
        send_one(self.pid, signal.SIGTERM)
        self._timer = self._keeper.loop.after(_END_S, self._end)

    def resume(self, carried: JsonObject) -> None:
        """Go on with the hub of the program before this one, or replace it by one of this program."""
        loop = self._keeper.loop
        self.state = carried["state"]
        self.pid, self.start_time = carried.get("pid", 0), carried.get("start", 0)
        self.deaths, self.all_deaths = carried.get("deaths", 0), carried.get("all_deaths", 0)
        self._serving_since = carried.get("serving_since")
        self._unanswered, self._ping_count = carried.get("unanswered", 0), carried.get("pings", 0)
        if self.pid:
            self._ping_timer = loop.after(_PING_S, self._ping)
            if self.state == STOPPED:
                self._timer = loop.after(_END_S, self._end)
            elif carried.get("replace"):
                self.expect_replacement = True
                send_one(self.pid, signal.SIGTERM)
                self._timer = loop.after(_END_S, self._end)
        elif self.state == BACKOFF:
            self._wait_to_start(max(0.0, carried.get("start_at", 0.0) - loop.now()))
        elif self.state == STARTING:
            self._start_soon()

    def carry(self) -> JsonObject:
        """Return what an upgrade must know."""
        return {
            "state": self.state,
            "pid": self.pid,
            "start": self.start_time,
            "deaths": self.deaths,
            "all_deaths": self.all_deaths,
            "serving_since": self._serving_since,
            "unanswered": self._unanswered,
            "pings": self._ping_count,
            "start_at": self._timer.when if self._timer and self.state == BACKOFF else 0,
            "replace": self.expect_replacement,
        }

    def _again(self) -> None:
        self.deaths += 1
        if self.deaths <= _FREE_DEATHS:
            self._start_soon()
        else:
            self._wait_to_start(min(_FIRST_DELAY_S * 2 ** min(self.deaths - _FREE_DEATHS - 1, 16), _LAST_DELAY_S))

    def _start_soon(self) -> None:
        self.state = STARTING
        self._keeper.loop.soon(self._start_if_wanted)

    def _wait_to_start(self, delay: float) -> None:
        self.state = BACKOFF
        self._keeper.listeners.answer_for_hub()
        self._timer = self._keeper.loop.after(delay, self._start_if_wanted)

    def _start_if_wanted(self) -> None:
        if self.state in {STARTING, BACKOFF}:
            self.start()

    def _end(self) -> None:
        if self.pid:
            send_one(self.pid, signal.SIGKILL)

    def _ping(self) -> None:
        # Pings are counted, not seconds: a keeper that was suspended itself must not blame the hub.
        self._ping_timer = self._keeper.loop.after(_PING_S, self._ping)
        if self._unanswered >= _PINGS and self._work_waits():
            self._keeper.say(f"the hub (pid {self.pid}) answers no ping and work waits: it is ended")
            self._end()
            return
        self._unanswered += 1
        if self._keeper.link is not None:
            self._ping_count += 1
            self._keeper.link.tell(PING, {"n": self._ping_count})

    def _work_waits(self) -> bool:
        link = self._keeper.link
        if any(run.exit is not None and not run.told for run in self._keeper.runs.values()):
            return True
        if link is not None and link.unsent:
            return True
        backlog = select.poll()
        backlog.register(self._keeper.listeners.public_fd, select.POLLIN)
        return bool(backlog.poll(0))

    def _cancel(self) -> None:
        for timer in (self._timer, self._ping_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._ping_timer = None


def hub_argv() -> list[str]:
    """Return the hub's command line; WEZPARALLEL_HUB_ARGV replaces it, and `[]` means that none is started."""
    replaced = os.environ.get("WEZPARALLEL_HUB_ARGV")
    if replaced is None:
        return own_hub()
    words = json.loads(replaced)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise SystemExit("WEZPARALLEL_HUB_ARGV must be a JSON list of words; correct or unset it")
    return words


def own_hub() -> list[str]:
    """Return the command line of the hub that belongs to this program."""
    return [sys.executable, "-m", "wezparallel.hub"]


def _output() -> str:
    with suppress(OSError):
        os.makedirs(paths.state_dir(), 0o700, exist_ok=True)
    return paths.own_log("hub")
