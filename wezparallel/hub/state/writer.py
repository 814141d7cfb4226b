"""The one thread that writes the database: whatever has piled up while it wrote becomes its next transaction.

Above it `state/store.py`, in the hub's thread. A batch that cannot be committed is kept and tried again; it is never
given up while the hub lives, and nobody is told that it was committed.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from wezparallel.errors import RequestError
from wezparallel.hub.state.database import explain, transaction

Parameters: TypeAlias = tuple[str | int | float | None, ...]
Statement: TypeAlias = tuple[str, Parameters]

_RETRY_FIRST_S, _RETRY_MOST_S = 0.1, 5.0
_CHECKPOINT_AFTER = 4_000
"""Statements between checkpoints: about 8 MB of log, 5-20 ms on a disk, spent when nobody waits."""
_CHECKPOINT_AT_LAST = 40_000
"""Under a load that never pauses the log may grow to about 80 MB before somebody has to wait."""


@dataclass(slots=True)
class Batch:
    """Changes that are committed together."""

    number: int
    statements: list[Statement]
    seq: int
    """Last entry of the journal in it or before it."""


@dataclass(slots=True)
class Reports:
    """What the thread has to say; each is called in the hub's thread, except `wake`, which brings it there."""

    wake: Callable[[Callable[[], None]], object]
    committed: Callable[[int], None]
    """Number of the newest batch that is safe, and with it all before."""
    error: Callable[[RequestError | None], None]


@dataclass(slots=True)
class Writer:
    """Owns the writing connection and the thread."""

    connection: sqlite3.Connection
    path: str
    reports: Reports
    committed: int = 0
    """Number of the newest batch that is safe; for the hub's thread to read only after `close`."""
    failure: RequestError | None = None
    _queue: queue.SimpleQueue[Batch | None] = field(default_factory=queue.SimpleQueue)
    _closing: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _since_checkpoint: int = 0

    def start(self) -> None:
        """Start the thread."""
        # A daemon thread: a hub that crashes in its own thread must not hang here.
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    def put(self, batch: Batch) -> None:
        """Hand over a batch; returns at once."""
        self._queue.put(batch)

    def close(self) -> None:
        """Commit what was handed over (a last try if it fails), end the thread and close the connection."""
        self._closing.set()
        self._queue.put(None)
        if self._thread:
            self._thread.join()
        self.connection.close()

    def _run(self) -> None:
        while True:
            batches, ended = self._take()
            if batches:
                if not self._commit(batches):
                    return
                self.committed = batches[-1].number
                self._say(partial(self.reports.committed, self.committed))
            if ended:
                return
            self._checkpoint()

    def _take(self) -> tuple[list[Batch], bool]:
        """Wait for one batch, take all that are there; also tell whether the end was among them."""
        batches = []
        item = self._queue.get()
        while item is not None:
            batches.append(item)
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batches, False
        return batches, True

    def _commit(self, batches: list[Batch]) -> bool:
        """Write until it works; False if it was given up because the hub is closing."""
        delay_s = _RETRY_FIRST_S
        while True:
            last_try = self._closing.is_set()
            try:
                with transaction(self.connection):
                    for batch in batches:
                        for sql, parameters in batch.statements:
                            self.connection.execute(sql, parameters)
            except sqlite3.Error as error:
                self._failed(explain(error, self.path))
                if last_try:
                    return False
                self._closing.wait(delay_s)
                delay_s = min(delay_s * 2, _RETRY_MOST_S)
            else:
                self._since_checkpoint += sum(len(batch.statements) for batch in batches)
                if self.failure:
                    self.failure = None
                    self._say(lambda: self.reports.error(None))
                return True

    def _failed(self, failure: RequestError) -> None:
        """Say it when it begins, and when the reason changes; not at each try."""
        news = self.failure is None or self.failure.code != failure.code
        self.failure = failure
        if news:
            self._say(lambda: self.reports.error(failure))

    def _checkpoint(self) -> None:
        due = self._since_checkpoint >= _CHECKPOINT_AFTER and self._queue.empty()
        if not due and self._since_checkpoint < _CHECKPOINT_AT_LAST:
            return
        self._since_checkpoint = 0
        with contextlib.suppress(sqlite3.Error):  # the log holds everything; a later one will do
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _say(self, what: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self.reports.wake(what)
