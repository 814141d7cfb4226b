"""How the machine is: processors, memory, the disk of the logs, the network. What cannot be known is None.

Read from /proc where there is one: four small files, 0.2 ms. Above: `sampling.py`.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.types import Seconds

_LEAST_S = 0.05  # processor time is counted in ticks of 10 ms
_LOOPBACK = "lo"


class Moved(NamedTuple):
    """What the network interfaces have moved since the machine started."""

    bytes_received: int
    packets_received: int
    bytes_sent: int
    packets_sent: int


class Counters(NamedTuple):
    """What only grows."""

    busy_s: Seconds
    """All processors together."""
    total_s: Seconds
    network: Moved | None


class System(NamedTuple):
    """The machine at one look."""

    cpu_percent: float | None = None
    """Of all processors, since the look before; None at the first."""
    memory_used: int | None = None
    memory_total: int | None = None
    disk_used: int | None = None
    disk_total: int | None = None
    network: Moved | None = None
    rx_rate: float | None = None
    tx_rate: float | None = None

    @property
    def memory_percent(self) -> float | None:
        """Return the share of the memory that is in use."""
        return _percent(self.memory_used, self.memory_total)

    @property
    def disk_percent(self) -> float | None:
        """Return the share of the disk that is in use."""
        return _percent(self.disk_used, self.disk_total)


class Looker:
    """Remembers the last look, because a rate needs two. Not to be used by two threads at once."""

    def __init__(
        self,
        disk: str,
        counters: Callable[[], Counters | None] | None = None,
        clock: Callable[[], Seconds] = time.monotonic,
    ) -> None:
        """`disk` is a folder on the disk that is looked at."""
        self._disk = disk
        self._is_linux = sys.platform == "linux"
        self._counters = counters or (proc_counters if self._is_linux else psutil_counters)
        self._clock = clock
        self._before: tuple[Seconds, Counters] | None = None
        self._rates: tuple[float | None, float | None, float | None] = (None, None, None)

    def look(self) -> System:
        """Return how the machine is now."""
        now, counters = self._clock(), self._counters()
        if counters is None:
            return System(None, *_memory(), *_disk_space(self._disk))
        if self._before is None:
            self._before = (now, counters)
        elif now - self._before[0] >= _LEAST_S:
            self._rates = _rates(self._before[1], counters, now - self._before[0])
            self._before = (now, counters)
        cpu, rx, tx = self._rates
        return System(cpu, *_memory(), *_disk_space(self._disk), counters.network, rx, tx)


def _rates(before: Counters, now: Counters, elapsed: Seconds) -> tuple[float | None, float | None, float | None]:
    busy, total = now.busy_s - before.busy_s, now.total_s - before.total_s
    cpu = 100 * max(0.0, busy) / total if total > 0 else None
    if before.network is None or now.network is None:
        return cpu, None, None
    rx = now.network.bytes_received - before.network.bytes_received
    tx = now.network.bytes_sent - before.network.bytes_sent
    # An interface that went away took its counts with it: then the rate is unknown, not negative.
    return cpu, rx / elapsed if rx >= 0 else None, tx / elapsed if tx >= 0 else None


def proc_counters() -> Counters | None:
    """Read /proc/stat and /proc/net/dev (proc(5))."""
    try:
        with open("/proc/stat", "rb") as file:
            ticks = [int(field) for field in file.readline().split()[1:9]]  # guest time is part of user time
    except (OSError, ValueError):
        return None
    tick = os.sysconf("SC_CLK_TCK")
    idle = sum(ticks[3:5])
    return Counters((sum(ticks) - idle) / tick, sum(ticks) / tick, _proc_network())


def _proc_network() -> Moved | None:
    try:
        with open("/proc/net/dev", encoding="ascii", errors="replace") as file:
            rows = [line.partition(":") for line in file.readlines()[2:]]
        fields = [[int(field) for field in rest.split()] for name, _, rest in rows if name.strip() != _LOOPBACK]
        return Moved(*(sum(row[at] for row in fields) for at in (0, 1, 8, 9)))
    except (OSError, ValueError, IndexError):
        return None


def psutil_counters() -> Counters | None:
    """Read the same where there is no /proc."""
    import psutil  # noqa: PLC0415  2 MB that Linux has no use for

    cpu = psutil.cpu_times()
    each = [io for name, io in psutil.net_io_counters(pernic=True).items() if not name.startswith(_LOOPBACK)]
    moved = Moved(
        sum(io.bytes_recv for io in each), sum(io.packets_recv for io in each),
        sum(io.bytes_sent for io in each), sum(io.packets_sent for io in each),
    )  # fmt: skip
    total = cpu.user + cpu.system + cpu.idle + getattr(cpu, "nice", 0.0)
    return Counters(total - cpu.idle, total, moved)


def _memory() -> tuple[int | None, int | None]:
    """Return what is in use of the memory, and what there is."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            facts = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in file)}
        return facts["MemTotal"] - facts["MemAvailable"], facts["MemTotal"]
    except FileNotFoundError:
        import psutil  # noqa: PLC0415

        memory = psutil.virtual_memory()
        return memory.total - memory.available, memory.total
    except (OSError, ValueError, KeyError, IndexError):
        return None, None


def _disk_space(folder: str) -> tuple[int | None, int | None]:
    """Return what is in use of a disk, and what there is; what only root may use counts as neither, as in df."""
    try:
        facts = os.statvfs(folder)
    except OSError:
        return None, None
    used = (facts.f_blocks - facts.f_bfree) * facts.f_frsize
    return used, used + facts.f_bavail * facts.f_frsize


def _percent(used: int | None, total: int | None) -> float | None:
    return None if used is None or not total else 100 * used / total
