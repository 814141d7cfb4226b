"""One selectors loop: descriptors, timers by the monotonic clock, signals, and work put off to the next turn.

It knows nothing of processes. Every callback does a bounded amount of work, so that no flood of output can keep the
hub, a viewer or a timer waiting: what is urgent (the hub) runs first in each turn.
"""

from __future__ import annotations

import heapq
import os
import select
import selectors
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

READ_SIZE = 64 * 1024  # bytes asked for in one read
TURN_BYTES = 256 * 1024  # bytes that one descriptor may bring in one turn


class Timer:
    """One call in the future; `cancel` is enough to forget it."""

    __slots__ = ("args", "callback", "when")

    def __init__(self, when: float, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.when = when
        self.callback: Callable[..., object] | None = callback
        self.args = args

    def cancel(self) -> None:
        """Make the timer do nothing, also when it has fired already."""
        self.callback = None
        self.args = ()


_IN, _OUT = 1, 4  # EPOLLIN and EPOLLOUT


class _Watch:
    __slots__ = ("events", "on_read", "on_write", "urgent")

    def __init__(
        self, on_read: Callable[[], object] | None, on_write: Callable[[], object] | None, urgent: bool
    ) -> None:
        self.events = (_IN if on_read else 0) | (_OUT if on_write else 0)
        self.on_read = on_read
        self.on_write = on_write
        self.urgent = urgent


class Loop:
    """Runs callbacks until `stop`. Callbacks take no arguments; an exception in one is reported, never fatal."""

    def __init__(self, report: Callable[[str], object] | None = None) -> None:
        # epoll itself where there is one: `selectors` on top of it costs 10 µs a turn, and a key takes two turns.
        self._poller = select.epoll() if hasattr(select, "epoll") else _Selector()
        self._watches: dict[int, _Watch] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = 0
        self._soon: list[Callable[[], object]] = []
        self._signals: dict[int, Callable[[], object]] = {}
        self._running = False
        self._report = report or (lambda text: sys.stderr.write(text + "\n"))
        self._wakeup, self._wakeup_write = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(self._wakeup_write, False)
        signal.set_wakeup_fd(self._wakeup_write, warn_on_full_buffer=False)
        self.watch(self._wakeup, self._on_signal, urgent=True)

    now = staticmethod(time.monotonic)
    """Returns the monotonic clock, in seconds."""

    def watch(
        self,
        fd: int,
        on_read: Callable[[], object] | None = None,
        on_write: Callable[[], object] | None = None,
        urgent: bool = False,
    ) -> None:
        """Call back while the descriptor is readable or writable. Replaces an earlier watch; without both, ends it.

        A descriptor that hung up or broke calls `on_read`, else `on_write`.
        """
        if not on_read and not on_write:
            self.unwatch(fd)
            return
        before = self._watches.get(fd)
        watch = _Watch(on_read, on_write, urgent)
        if before is None:
            self._poller.register(fd, watch.events)
        elif before.events != watch.events:
            self._poller.modify(fd, watch.events)
        self._watches[fd] = watch

    def unwatch(self, fd: int) -> None:
        """Forget a descriptor; call it before closing. No watch is fine."""
        if self._watches.pop(fd, None) is None:
            return
        try:
            self._poller.unregister(fd)
        except (OSError, ValueError):
            return  # it was closed already, and so forgotten

    def after(self, seconds: float, callback: Callable[..., object], *args: Any) -> Timer:
        """Call back once, later."""
        timer = Timer(self.now() + seconds, callback, args)
        self._count += 1
        heapq.heappush(self._timers, (timer.when, self._count, timer))
        return timer

    def soon(self, callback: Callable[[], object]) -> None:
        """Call back in the next turn, after the descriptors were looked at."""
        self._soon.append(callback)

    def on_signal(self, number: int, callback: Callable[[], object] | None) -> None:
        """Call back in the loop when a signal came; None ignores the signal."""
        if callback is None:
            signal.signal(number, signal.SIG_IGN)
            return
        self._signals[number] = callback
        signal.signal(number, lambda *_: None)

    def run(self) -> None:
        """Turn until `stop` is called."""
        self._running = True
        while self._running:
            self.turn()

    def stop(self) -> None:
        """Leave `run` after this turn."""
        self._running = False

    def turn(self) -> None:
        """Wait for what comes next and do it: urgent descriptors, the others, work put off, timers."""
        watches = self._watches
        ready = [(watches.get(fd), fd, events) for fd, events in self._poller.poll(self._wait(), len(watches) or -1)]
        if len(ready) > 1:
            ready.sort(key=lambda event: event[0] is None or not event[0].urgent)
        for watch, fd, events in ready:
            # An earlier callback of this turn may have ended or replaced this watch.
            if watch is None or watches.get(fd) is not watch:
                continue
            # What is neither readable nor writable hung up or broke, and is both.
            if events & ~_OUT and watch.on_read:
                self._call(watch.on_read)
                if watches.get(fd) is not watch:
                    continue
            if events & ~_IN and watch.on_write:
                self._call(watch.on_write)
        if self._soon:
            soon, self._soon = self._soon, []
            for callback in soon:
                self._call(callback)
        if self._timers and self._timers[0][0] <= self.now():
            self._fire()

    def close(self) -> None:
        """Give up the loop's own descriptors."""
        signal.set_wakeup_fd(-1)
        self._poller.close()
        os.close(self._wakeup)
        os.close(self._wakeup_write)

    def _wait(self) -> float:
        """Return the seconds until something is to be done; -1 when nothing is. (epoll rounds them up.)"""
        if self._soon:
            return 0
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - self.now()) if self._timers else -1

    def _fire(self) -> None:
        now = self.now()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.callback is not None:
                callback, args = timer.callback, timer.args
                timer.cancel()
                self._call(callback, *args)

    def _on_signal(self) -> None:
        try:
            numbers = os.read(self._wakeup, 4096)
        except BlockingIOError:
            return
        for number in set(numbers):
            if number in self._signals:
                self._call(self._signals[number])

    def _call(self, callback: Callable[..., object], *args: Any) -> None:
        # One broken callback must not take every child's output with it; what it was is said in the log.
        try:
            callback(*args)
        except Exception as error:  # noqa: BLE001
            self._report(_describe(error))


class _Selector:
    """What epoll is to the loop, where there is none."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.close = self._selector.close

    def register(self, fd: int, events: int) -> None:
        """Begin to watch."""
        self._selector.register(fd, self._flags(events))

    def modify(self, fd: int, events: int) -> None:
        """Watch for something else."""
        self._selector.modify(fd, self._flags(events))

    def unregister(self, fd: int) -> None:
        """Watch no more."""
        try:
            self._selector.unregister(fd)
        except KeyError:
            raise ValueError(fd) from None

    def poll(self, timeout_s: float, _most: int) -> list[tuple[int, int]]:
        """Wait; return descriptors and what they are ready for."""
        ready = self._selector.select(None if timeout_s < 0 else timeout_s)
        read, write = selectors.EVENT_READ, selectors.EVENT_WRITE
        return [(key.fd, (_IN if got & read else 0) | (_OUT if got & write else 0)) for key, got in ready]

    @staticmethod
    def _flags(events: int) -> int:
        return (selectors.EVENT_READ if events & _IN else 0) | (selectors.EVENT_WRITE if events & _OUT else 0)


def _describe(error: BaseException) -> str:
    """Return where an exception came from, without the weight of `traceback`."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return f"bug: {type(error).__name__}: {error} ({', '.join(places[1:])})"
