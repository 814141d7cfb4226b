"""One address: its bounded queue, its attempts, its backoff. A dead one holds up nobody but itself.

Above: `service.py`. Below: the attempt itself, which is handed in.
"""

from __future__ import annotations

import random
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import anyio

from wezparallel.integrations.notify.channels import AttemptError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from wezparallel.integrations.notify.rules import Message
    from wezparallel.types import Seconds

MOST_WAITING = 100
OLDEST_S = 6 * 3600.0
"""What could not be told for so long is no news any more."""
LONGEST_PAUSE_S = 300.0
GRACE_S = 5.0
"""An attempt bounds itself; what does not is left behind after so long."""


class Outcome(NamedTuple):
    """What became of a message."""

    message: Message
    tries: int
    reason: str | None
    """Why it did not arrive; None: it did."""


class Limits(NamedTuple):
    """How often and how long it is tried."""

    tries: int = 12
    backoff_s: Seconds = 1.0
    timeout_s: Seconds = 10.0


class Outbox:
    """The queue of one address."""

    def __init__(
        self, name: str, attempt: Callable[[Message], Awaitable[None]], limits: Limits,
        ended: Callable[[Outcome], None], say: Callable[[str], None],
    ) -> None:  # fmt: skip
        """`ended` is told what became of each message; `say` gets sentences for the log."""
        self.name = name
        self._attempt = attempt
        self._limits = limits
        self._ended = ended
        self._say = say
        self._waiting: deque[tuple[Message, float]] = deque()
        self._came = anyio.Event()
        self.scope = anyio.CancelScope()

    def put(self, message: Message, since: float | None = None) -> None:
        """Have a message sent; where too many wait, the oldest goes."""
        if len(self._waiting) >= MOST_WAITING:
            # The first may be on its way just now.
            oldest, _ = self._waiting[1]
            del self._waiting[1]
            self._ended(Outcome(oldest, 0, f"more than {MOST_WAITING} waited"))
        self._waiting.append((message, time.time() if since is None else since))
        self._came.set()

    def waiting(self) -> list[tuple[Message, float]]:
        """Return what was not sent yet, and since when it waits."""
        return list(self._waiting)

    async def run(self) -> None:
        """Send, until its scope is cancelled."""
        with self.scope:
            while True:
                while self._waiting:
                    message, since = self._waiting[0]
                    outcome = await self._send(message, since)
                    self._waiting.popleft()
                    self._ended(outcome)
                self._came = anyio.Event()
                await self._came.wait()

    async def once(self, message: Message) -> str | None:
        """Make one attempt beside the queue; return why it failed, if it did."""
        refused = await self._try(message)
        return refused.reason if refused is not None else None

    async def _send(self, message: Message, since: float) -> Outcome:
        tries = 0
        while True:
            tries += 1
            refused = await self._try(message)
            if refused is None:
                return Outcome(message, tries, None)
            is_old = time.time() - since > OLDEST_S
            if not refused.again or tries >= self._limits.tries or is_old:
                self._say(f"{self.name}: given up after attempt {tries}: {refused.reason}")
                return Outcome(message, tries, refused.reason)
            pause_s = self._pause(tries, refused.wait_s)
            self._say(f"{self.name}: attempt {tries} failed: {refused.reason}; the next in {pause_s:.1f} s")
            await anyio.sleep(pause_s)

    async def _try(self, message: Message) -> AttemptError | None:
        try:
            with anyio.fail_after(self._limits.timeout_s + GRACE_S):
                await self._attempt(message)
        except AttemptError as refused:
            return refused
        except TimeoutError:
            return AttemptError("no answer in time")
        except Exception as error:  # noqa: BLE001  one way's fault ends no other; its sentence may hold an address
            return AttemptError(f"a fault of ours: {type(error).__name__}")
        return None

    def _pause(self, tries: int, asked_s: Seconds | None) -> Seconds:
        usual = min(self._limits.backoff_s * (1 << min(tries - 1, 30)), LONGEST_PAUSE_S)
        return max(asked_s or 0.0, usual * random.uniform(0.8, 1.2))  # noqa: S311  no secret
