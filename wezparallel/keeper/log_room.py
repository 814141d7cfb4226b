"""The room that all logs share: above its cap the oldest output goes, whoever printed it, with or without a hub.

What one log may take is its writer's business (wire/logfile.py). Above: keeper.py, which tells that something was
printed, and the hub, which tells the cap. Until it has done so for the first time nothing goes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.loop import Loop
    from wezparallel.keeper.processes import Process

LOOK_S = 1.0  # after output, until all logs are added up: a second's output may be above the cap
SHEDS_A_TURN = 4  # segments; to unlink one of 16 MB takes milliseconds


class LogRoom:
    """All logs of one keeper."""

    __slots__ = ("_loop", "_processes", "cap", "idle")

    def __init__(self, loop: Loop, processes: dict[str, Process]) -> None:
        self._loop = loop
        self._processes = processes
        self.cap: int | None = None
        """Bytes on disk, indexes included; None while nobody has said."""
        self.idle = True
        """No look is due; output should ask for one."""

    def set_cap(self, cap: int) -> None:
        """Take another cap, soon."""
        self.cap = cap
        self.look_soon(0)

    def look_soon(self, seconds: float = LOOK_S) -> None:
        """Look, a moment later."""
        self.idle = False
        self._loop.after(seconds, self._look)

    def _look(self) -> None:
        self.idle = True
        if self.cap is None:
            return
        processes = list(self._processes.values())
        above = sum(process.log.size for process in processes) - self.cap
        for _ in range(SHEDS_A_TURN):
            if above <= 0:
                return
            oldest = min(processes, key=lambda process: process.log.oldest_at)
            before = oldest.log.size
            if oldest.log.shed():
                above -= before - oldest.log.size
            else:
                processes.remove(oldest)  # the file system refuses, or it is empty
            if oldest.run is None:
                oldest.log.rest()
            if not processes:
                return
        if above > 0:
            self.look_soon(0)
