"""Tells those who look at figures that there are new ones, and has them taken more often while somebody looks.

What each process uses stands in its record; the event only says that it is worth a look, and the sums. The journal
keeps every event, so figures that nobody asked for are not told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.types import Seconds

OFTEN_S = 2.0


def tell(hub: Hub) -> None:
    """Say that there are new figures, if somebody subscribes to them."""
    if not hub.bus.wants_figures:
        return
    cpu = [usage.cpu_percent for usage in hub.usage.values() if usage.cpu_percent is not None]
    memory = [usage.memory_bytes for usage in hub.usage.values() if usage.memory_bytes is not None]
    hub.bus.publish(
        "metric.sampled",
        {"processes": len(hub.usage), "cpu_percent": round(sum(cpu), 1) if cpu else None,
         "memory_bytes": sum(memory) if memory else None},
    )  # fmt: skip


async def pause(hub: Hub, seldom_s: Seconds) -> None:
    """Wait for the next sample: `seldom_s`, or OFTEN_S as soon as somebody looks."""
    waited = 0.0
    while waited < seldom_s:
        await anyio.sleep(OFTEN_S)
        waited += OFTEN_S
        if hub.bus.wants_figures or hub.alerts.is_undecided:
            return
