"""The writer's thread against the worst: its process is killed amid commits."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from wezparallel.hub.state import writer as module
from wezparallel.hub.state.store import Store

HUB = """
import asyncio, os, sys
from wezparallel.hub.state.model import Run
from wezparallel.hub.state.store import Store
from wezparallel.protocol.events import Event

async def mutate(store, lane):
    for turn in range(1_000_000):
        event = Event(store.seq + 1, "now", "process.running", {"lane": lane, "filler": "x" * 300})
        store.append_event(event)
        store.put_run(Run(f"run-{event.seq}", "p", event.seq))
        store.put_key(f"key-{event.seq}", "ProcessStart", "hash", {})
        await store.wait_committed(store.ticket())
        os.write(1, b"%d\\n" % event.seq)  # said: it has to be there for ever

async def main():
    loop = asyncio.get_running_loop()
    store = Store.open(sys.argv[1], loop.call_soon_threadsafe, soon=loop.call_soon)
    await asyncio.gather(*(mutate(store, lane) for lane in range(10)))

asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 500, 3000])
def test_what_was_said_before_a_kill_is_there_after_it(tmp_path, path, reopened, lines):
    said = []
    epoch = None
    for _ in range(2):
        with subprocess.Popen([sys.executable, "-c", HUB, path], stdout=subprocess.PIPE) as hub:
            said += [int(hub.stdout.readline()) for _ in range(lines)]
            os.kill(hub.pid, signal.SIGKILL)
            said += [int(line) for line in hub.stdout.read().splitlines()]
        store = reopened()
        epoch = epoch or store.epoch
        assert (store.set_aside, store.epoch) == (None, epoch)
        journal = [event.seq for event in store.events_since(0, limit=10**6)]
        assert journal == list(range(1, len(journal) + 1))
        assert set(said) <= set(journal)
        # Each event came with its run and its key in one transaction: all three or none.
        assert sorted(run.number for run in store.runs_of("p", 10**6)) == journal
        assert [row.key for row in store.unanswered_keys()] == [f"key-{seq}" for seq in journal]
        store.close()


def test_the_log_is_folded_into_the_file_when_nobody_waits(monkeypatch, store, path, turns, event_after):
    monkeypatch.setattr(module, "_CHECKPOINT_AFTER", 10)
    before = os.path.getsize(path)
    for _ in range(5):
        for _ in range(20):
            store.append_event(event_after(store, filler="x" * 4000))
        turns.settle(store)
    store._writer.close()
    assert os.path.getsize(path) > before


def test_a_batch_is_written_whole_or_not_at_all_and_tried_again(path, turns, event_after):
    told = []
    store = Store.open(path, turns.wake, on_error=told.append)
    store.append_event(event_after(store))
    store._enqueue("INSERT INTO late VALUES (1)", ())  # a table that is not there yet
    ticket = store.ticket()
    turns.until(lambda: bool(told))
    other = sqlite3.connect(path, isolation_level=None)
    assert other.execute("SELECT count(*) FROM journal").fetchone()[0] == 0
    other.execute("CREATE TABLE late (x)")
    turns.until(lambda: store.committed == ticket)
    assert other.execute("SELECT count(*) FROM journal").fetchone()[0] == 1
    assert other.execute("SELECT count(*) FROM late").fetchone()[0] == 1
    other.close()
    store.close()


def test_another_program_that_holds_the_file_is_waited_for(store, path, turns, event_after):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store.append_event(event_after(store))
    ticket = store.ticket()
    turns.calls.get(timeout=10)()  # hands the batch over
    assert store.committed == 0
    other.execute("ROLLBACK")
    other.close()
    turns.until(lambda: store.committed == ticket)
