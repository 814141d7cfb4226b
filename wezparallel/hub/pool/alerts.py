"""Tells when a figure goes above its threshold and when it is below again. Above it the sampler's loop in `app.py`.

A figure counts when two samples in a row say the same; the second one is taken soon. What is unknown decides nothing.
Alerts are not stored: a new hub raises again what still holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.hub.pool.telling import alive
from wezparallel.hub.state.model import rfc3339
from wezparallel.protocol.alert import AlertRecord, What

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from wezparallel.hub.pool.sampler import Usage
    from wezparallel.hub.settings import Alerts as Thresholds
    from wezparallel.hub.state.model import Process

SAMPLES = 2

Key = tuple[str, What]


class Alerts:
    """The alerts that hold."""

    def __init__(self, publish: Callable[[str, dict[str, object]], object], now_ms: Callable[[], int]) -> None:
        self._publish = publish
        self._now_ms = now_ms
        self._raised: dict[Key, AlertRecord] = {}
        self._doubts: dict[Key, int] = {}
        """How many samples in a row said the opposite of what holds."""

    def all(self) -> list[AlertRecord]:
        """Return the alerts that hold, sorted."""
        return [self._raised[key] for key in sorted(self._raised)]

    @property
    def is_undecided(self) -> bool:
        """Tell whether the next sample decides something."""
        return bool(self._doubts)

    def look(
        self,
        processes: Iterable[Process],
        usage: Mapping[str, Usage],
        general: Thresholds,
        disk_percent: float | None = None,
    ) -> None:
        """Take a sample. A process's own thresholds go before the general ones."""
        seen: set[Key] = set()
        for process in processes:
            if not alive(process.run) or process.removed:
                continue
            limits, used = process.settings.limits, usage.get(process.process_id)
            most_mb = general.memory_mb
            memory = limits.memory_alert_bytes or (None if most_mb is None else most_mb * (1 << 20))
            cpu = limits.cpu_alert_percent or general.cpu_percent
            figures: tuple[tuple[What, float | None, float | None], ...] = (
                ("cpu", used.cpu_percent if used else None, cpu),
                ("memory", used.memory_bytes if used else None, memory),
            )
            for what, value, threshold in figures:
                if threshold is not None:
                    seen.add((process.process_id, what))
                    self._judge((process.process_id, what), process.workspace, value, threshold)
        if general.disk_percent is not None:
            seen.add(("", "disk"))
            self._judge(("", "disk"), None, disk_percent, general.disk_percent)
        for key in self._raised.keys() - seen:  # it ended, or has no threshold any more
            self._clear(key, None)
        self._doubts = {key: count for key, count in self._doubts.items() if key in seen}

    def _judge(self, key: Key, workspace: str | None, value: float | None, threshold: float) -> None:
        if value is None:
            return
        if (value > threshold) == (key in self._raised):
            self._doubts.pop(key, None)
            return
        self._doubts[key] = self._doubts.get(key, 0) + 1
        if self._doubts[key] < SAMPLES:
            return
        del self._doubts[key]
        if value > threshold:
            self._raised[key] = AlertRecord(
                process_id=key[0] or None, workspace=workspace, what=key[1], value=round(value, 1),
                threshold=threshold, raised_at=rfc3339(self._now_ms()),
            )  # fmt: skip
            self._publish("alert.raised", self._raised[key].model_dump())
        else:
            self._clear(key, value)

    def _clear(self, key: Key, value: float | None) -> None:
        record = self._raised.pop(key)
        shown = None if value is None else round(value, 1)
        self._publish("alert.cleared", record.model_copy(update={"value": shown}).model_dump())
