"""The room that all logs share: above its cap the oldest output goes, whoever printed it, with or without a hub.

What one log may take is its writer's business (wire/logfile.py). Above: keeper.py, which tells that something was
printed, and the hub, which tells the cap. Until it has done so for the first time nothing goes.
"""

from __future__ import annotations

import heapq

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.loop import Loop
    from wezparallel.keeper.processes import Process

LOOK_S = 1.0  # after output, until all logs are added up: a second's output may be above the cap
SHEDS_A_TURN = 4  # segments; to unlink one of 16 MB takes milliseconds


class LogRoom:
    """All logs of one keeper."""

    __slots__ = ("_by_age", "_loop", "_processes", "cap", "idle")

    def __init__(self, loop: Loop, processes: dict[str, Process]) -> None:
        self._loop = loop
        self._processes = processes
        self._by_age: list[tuple[float, str]] = []
        """A heap of those with output on disk and when their oldest was printed, while some of it has to go."""
        self.cap: int | None = None
        """Bytes on disk, indexes included; None while nobody has said."""
        self.idle = True
        """No look is due; output should ask for one."""

    def set_cap(self, cap: int) -> None:
        """Take another cap, soon."""
        self.cap = cap
        self.look_soon()

    def look_soon(self) -> None:
        """Look, a moment later."""
        if self.idle:
            self.idle = False
            self._loop.after(LOOK_S, self._look)

    def _look(self) -> None:
        if self._above > 0:
            self._by_age = [(process.log.oldest_at, name) for name, process in self._processes.items()
                            if process.log.has_bytes]  # fmt: skip
            heapq.heapify(self._by_age)
        self._go_on()

    def _go_on(self) -> None:
        """Drop the oldest, a few in a turn, until there is room or nothing is left that goes."""
        for _ in range(SHEDS_A_TURN):
            if not self._by_age or self._above <= 0:
                self._by_age.clear()
                self.idle = True
                return
            self._shed(heapq.heappop(self._by_age)[1])
        self._loop.soon(self._go_on)

    def _shed(self, name: str) -> None:
        process = self._processes.get(name)
        if process is None:
            return
        if process.log.shed() and process.log.has_bytes:
            heapq.heappush(self._by_age, (process.log.oldest_at, name))
        if process.run is None:
            process.log.rest()

    @property
    def _above(self) -> int:
        """Bytes above the cap."""
        return -1 if self.cap is None else sum(process.log.size for process in self._processes.values()) - self.cap
