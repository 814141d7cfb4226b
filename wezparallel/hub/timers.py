"""Delays of the hub, by the monotonic clock; one task for all of them."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING

import anyio
import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()


class Timers:
    """Calls functions later, in the hub's thread."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = anyio.Event()

    def after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call once, `delay_s` seconds from now. No cancel: what is called looks whether it still matters."""
        heapq.heappush(self._heap, (anyio.current_time() + delay_s, next(self._numbers), call))
        self._changed.set()

    async def run(self) -> None:
        """Serve for ever."""
        while True:
            self._changed = anyio.Event()
            due = self._heap[0][0] - anyio.current_time() if self._heap else float("inf")
            if due > 0:
                with anyio.move_on_after(due):
                    await self._changed.wait()
                continue
            call = heapq.heappop(self._heap)[2]
            try:
                call()
            except Exception:  # one call's bug must not end all delays, and the hub with them
                log.exception("timer.failed")
