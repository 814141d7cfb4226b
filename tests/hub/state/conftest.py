"""A real store in `tmp_path`, and a hub's thread that runs when a test says so."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator

import pytest

from wezparallel.hub.state.model import Process, Run
from wezparallel.hub.state.store import Store
from wezparallel.protocol.events import Event
from wezparallel.protocol.process import ProcessSettings


class Turns:
    """Stands in for the hub's loop: calls wait here until the test lets them happen."""

    def __init__(self) -> None:
        self.calls: queue.Queue[Callable[[], None]] = queue.Queue()

    def wake(self, fn: Callable[[], None]) -> None:
        self.calls.put(fn)

    def until(self, done: Callable[[], bool]) -> None:
        """Run calls until something is true; fails after 10 s without one."""
        while not done():
            self.calls.get(timeout=10)()

    def settle(self, store: Store) -> None:
        """Run calls until everything enqueued so far is committed."""
        ticket = store.ticket()
        self.until(lambda: store.committed >= ticket)


@pytest.fixture
def turns() -> Turns:
    return Turns()


@pytest.fixture
def path(tmp_path) -> str:
    return str(tmp_path / "state" / "state.db")


@pytest.fixture
def store(path: str, turns: Turns) -> Iterator[Store]:
    store = Store.open(path, turns.wake)
    yield store
    store.close()


@pytest.fixture
def reopened(path: str, turns: Turns) -> Iterator[Callable[[], Store]]:
    """Open the database anew, as the next hub does; closed at the end of the test."""
    opened: list[Store] = []

    def reopen(**options) -> Store:
        opened.append(Store.open(path, turns.wake, **options))
        return opened[-1]

    yield reopen
    for store in opened:
        store.close()


@pytest.fixture
def make_process() -> Callable[..., Process]:
    def make(process_id: str = "shop/server", **fields) -> Process:
        workspace, _, name = process_id.rpartition("/")
        settings = ProcessSettings(name=name, argv=["npm", "run", "dev"], cwd="/srv", env={"PORT": "5173", "X": None})
        process = Process(process_id, workspace or None, settings, created_at=1_700_000_000_250, **fields)
        process.run = Run(f"{process_id}-1", process_id, 1, "spawned", stored_at=5, pid=42, start=4711, started_at=6)
        process.runs = 1
        return process

    return make


@pytest.fixture
def event_after() -> Callable[..., Event]:
    def event(store: Store, name: str = "process.running", **data) -> Event:
        return Event(store.seq + 1, "2026-11-24T12:00:00.250Z", name, data, {"user": "alice", "via": "cli"}, "k-1")

    return event
