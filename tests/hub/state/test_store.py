"""The store: nothing is said before it is safe, and what was said is there again."""

from __future__ import annotations

import os
import sqlite3

import anyio
import pytest

from wezparallel.errors import RequestError
from wezparallel.hub.state.model import Run, State, Workspace
from wezparallel.hub.state.store import KEY_LIFE_MS, Store


def test_what_was_put_is_loaded_again(store, reopened, turns, make_process):
    workspace = Workspace("shop", "/srv/shop", "basic", 17, True, "shop/server", {"tabs": []}, "env-1")
    process = make_process(
        desired="down", state="backoff", reason="exited 1, again in 4 s (3 of 10)", order=2, restarts=[1.5, 2.5],
        streak=2, restart_count=3, backoff_until=99, waits_for="viewer", env_id="env-1", auto_start_on_restore=True,
        removed=True,
    )  # fmt: skip
    process.planned = Run("next", process.process_id, 2, stored_at=7)
    bare = make_process("bare")
    bare.run = None
    store.put_workspace(workspace)
    store.put_process(process)
    store.put_run(process.run)
    store.put_run(process.planned)
    store.put_process(bare)
    store.close()
    assert reopened().load() == State({"shop": workspace}, {"bare": bare, "shop/server": process})


def test_a_change_overwrites_what_was_there(store, turns, make_process):
    process = make_process()
    store.put_process(process)
    store.put_run(process.run)
    turns.settle(store)
    process.state, process.settings = "exited", process.settings.model_copy(update={"title": "new"})
    process.run.status, process.run.exit_code, process.run.asked, process.run.ready = "exited", 3, True, True
    store.put_process(process)
    store.put_run(process.run)
    turns.settle(store)
    assert store.load().processes == {process.process_id: process}


def test_a_batch_holds_the_values_of_the_moment(store, turns, make_process):
    process = make_process(state="starting")
    store.put_process(process)
    process.state = "running"
    turns.settle(store)
    assert store.load().processes[process.process_id].state == "starting"


def test_deleting_a_process_leaves_a_tombstone_until_it_is_cleared(store, turns, make_process):
    process = make_process()
    store.put_process(process)
    store.put_run(process.run)
    store.delete_process(process.process_id)
    turns.settle(store)
    assert store.load() == State()
    assert store.runs_of(process.process_id) == []
    assert store.tombstones() == [process.process_id]
    store.clear_tombstone(process.process_id)
    turns.settle(store)
    assert store.tombstones() == []


def test_deleting_a_workspace_forgets_it(store, turns):
    store.put_workspace(Workspace("shop", "/srv"))
    store.delete_workspace("shop")
    turns.settle(store)
    assert store.load().workspaces == {}


def test_nothing_is_reported_before_it_is_in_the_file(store, path, turns, event_after):
    seen = []

    def look() -> None:
        with sqlite3.connect(path) as other:
            seen.append(other.execute("SELECT max(seq) FROM journal").fetchone()[0])
        other.close()

    assert store.ticket() == 0
    store.append_event(event_after(store))
    ticket = store.ticket()
    store.when_committed(ticket, look)
    assert (ticket, store.committed, seen) == (1, 0, [])
    turns.until(lambda: store.committed == ticket)
    assert seen == [1]
    store.when_committed(ticket, look)
    assert seen == [1, 1]


def test_changes_of_one_turn_are_one_batch_and_waiters_are_called_in_order(store, turns, event_after):
    called = []
    for number in range(5):
        store.append_event(event_after(store))
        store.when_committed(store.ticket(), lambda number=number: called.append(number))
    assert store.ticket() == 1
    store.flush()
    store.append_event(event_after(store))
    assert store.ticket() == 2
    store.when_committed(2, lambda: called.append("second"))
    turns.settle(store)
    assert called == [0, 1, 2, 3, 4, "second"]


def test_a_waiter_that_comes_while_others_are_called_gets_in_line(store, turns, event_after):
    called = []

    def look() -> None:
        called.append(("look", store.committed, store.committed_seq))
        store.when_committed(1, lambda: called.append("late"))

    store.append_event(event_after(store))
    store.when_committed(1, look)
    store.when_committed(1, lambda: called.append("first"))
    store.flush()
    store.append_event(event_after(store))
    store.when_committed(2, lambda: called.append(("second", store.committed, store.committed_seq)))
    turns.settle(store)
    assert called == [("look", 1, 1), "first", "late", ("second", 2, 2)]


def test_a_waiter_that_fails_does_not_keep_the_others(store, turns, event_after, caplog):
    called = []
    store.append_event(event_after(store))
    store.when_committed(store.ticket(), lambda: 1 / 0)
    store.when_committed(store.ticket(), lambda: called.append(1))
    turns.settle(store)
    assert called == [1]
    assert "after_commit_failed" in caplog.text


def test_a_task_can_wait_for_its_commit(path, event_after):
    async def main() -> None:
        from asyncio import get_running_loop  # noqa: PLC0415, TID251  the loop that anyio runs on here

        loop = get_running_loop()
        store = Store.open(path, loop.call_soon_threadsafe, soon=loop.call_soon)
        with anyio.fail_after(10):
            store.append_event(event_after(store))
            await store.wait_committed(store.ticket())
            assert store.committed == 1
            await store.wait_committed(1)
        store.close()

    anyio.run(main)


def test_the_journal_has_no_gaps(store, event_after):
    event = event_after(store)
    store.append_event(event)
    with pytest.raises(ValueError, match="no gaps"):
        store.append_event(event)


def test_events_are_read_as_far_as_they_are_committed(store, turns, event_after):
    events = [event_after(store, number=0)]
    store.append_event(events[0])
    turns.settle(store)
    for number in (1, 2, 3):
        events.append(event_after(store, number=number))
        store.append_event(events[-1])
    assert store.events_since(0) == events[:1]
    turns.settle(store)
    assert store.events_since(0) == events
    assert store.events_since(1, limit=2) == events[1:3]
    assert store.events_since(4) == []


def test_events_that_the_loop_does_not_know_to_be_safe_are_not_read(store, turns, event_after):
    store.append_event(event_after(store))
    store.flush()
    turns.calls.get(timeout=10)  # the scheduled flush
    report = turns.calls.get(timeout=10)  # the writer has committed, the hub's thread has not heard of it
    assert store.events_since(0) == []
    report()
    assert len(store.events_since(0)) == 1


def test_seq_and_epoch_outlive_the_hub(store, reopened, event_after):
    for _ in range(3):
        store.append_event(event_after(store))
    store.close()
    again = reopened()
    assert (again.seq, again.committed_seq, again.epoch) == (3, 3, store.epoch)


def test_another_file_has_another_epoch_and_it_can_be_renewed(store, tmp_path, turns, reopened):
    other = Store.open(str(tmp_path / "other.db"), turns.wake)
    other.close()
    assert other.epoch != store.epoch
    before = store.epoch
    store.renew_epoch()
    store.close()
    assert before != store.epoch == reopened().epoch


def test_a_key_is_known_at_once_and_its_reply_when_it_is_there(store, turns):
    assert store.find_key("k") is None
    store.put_key("k", "ProcessAdd", "abc", {"process_id": "a"})
    fresh = store.find_key("k")
    assert (fresh.command, fresh.request_hash, fresh.accepted, fresh.reply) == (
        "ProcessAdd", "abc", {"process_id": "a"}, None,
    )  # fmt: skip
    turns.settle(store)
    assert store.find_key("k") == fresh
    assert store.unanswered_keys() == [fresh]
    store.put_reply("k", {"ProcessAdded": {}})
    assert store.find_key("k").reply == {"ProcessAdded": {}}
    turns.settle(store)
    assert store.find_key("k").reply == {"ProcessAdded": {}}
    assert store.unanswered_keys() == []


def test_a_reply_without_a_key_is_dropped(store):
    store.put_reply("unknown", {"Pong": {}})
    assert store.ticket() == 0


def test_unanswered_keys_come_back_in_their_order(store, reopened):
    for key in ("z", "a", "m"):
        store.put_key(key, "ProcessStart", "h", {})
    store.put_reply("a", {})
    store.close()
    assert [row.key for row in reopened().unanswered_keys()] == ["z", "m"]


def test_a_key_is_forgotten_after_a_day(store, reopened):
    store.put_key("k", "ProcessAdd", "h", {})
    written = store.find_key("k").created_at
    store.close()
    assert reopened(clock=lambda: written + KEY_LIFE_MS).find_key("k")
    late = reopened(clock=lambda: written + KEY_LIFE_MS + 1)
    assert late.find_key("k") is None
    assert late.unanswered_keys() == []
    late.put_key("k", "ProcessStop", "other", {})
    assert late.find_key("k").command == "ProcessStop"


def test_pruning_keeps_what_is_young(store, turns, make_process, event_after):
    process = make_process()
    process.runs = 10
    store.put_process(process)
    for number in range(1, 11):
        status = "spawned" if number in (3, 10) else "exited"
        store.put_run(Run(f"r{number}", process.process_id, number, status))
    for _ in range(20):
        store.append_event(event_after(store))
    store.put_key("k", "ProcessAdd", "h", {})
    turns.settle(store)
    written = store.find_key("k").created_at
    store.prune(written, journal_keeps=5, runs_kept=4)
    turns.settle(store)
    assert [event.seq for event in store.events_since(0)] == [16, 17, 18, 19, 20]
    assert store.oldest_seq() == 16
    assert [run.number for run in store.runs_of(process.process_id)] == [10, 9, 8, 7, 3]
    assert store.find_key("k")
    store.prune(written + KEY_LIFE_MS + 1, journal_keeps=0)
    turns.settle(store)
    assert store.find_key("k") is None
    assert (store.oldest_seq(), store.seq) == (21, 20)


def test_runs_are_read_newest_first(store, turns):
    for number in range(1, 6):
        store.put_run(Run(f"r{number}", "a", number, "exited", exit_code=number))
    turns.settle(store)
    assert [run.number for run in store.runs_of("a", limit=2)] == [5, 4]
    assert store.runs_of("b") == []


def test_text_that_no_file_can_hold_is_refused_alone(store, turns):
    store.put_workspace(Workspace("good", "/"))
    with pytest.raises(UnicodeEncodeError):
        store.put_workspace(Workspace("\udcff", "/"))
    turns.settle(store)
    assert list(store.load().workspaces) == ["good"]


def test_a_full_disk_is_reported_and_nothing_is_lost_or_called_safe(path, turns, event_after):
    told = []
    store = Store.open(path, turns.wake, on_error=told.append)
    pages = store._reader.execute("PRAGMA page_count").fetchone()[0]
    store._writer.connection.execute(f"PRAGMA max_page_count={pages}")
    for _ in range(200):
        store.append_event(event_after(store, filler="x" * 100))
    ticket = store.ticket()
    turns.until(lambda: bool(told))
    assert (told[0].code, store.error, store.committed) == ("disk.full", told[0], 0)
    assert store.events_since(0) == []
    store._writer.connection.execute("PRAGMA max_page_count=1000000")
    turns.until(lambda: store.committed >= ticket)
    turns.until(lambda: store.error is None)
    assert len(told) == 2
    assert len(store.events_since(0)) == 200
    store.close()


def test_a_file_that_became_read_only_is_reported_and_said_again_at_the_end(path, turns, event_after):
    told = []
    store = Store.open(path, turns.wake, on_error=told.append)
    store._writer.connection.execute("PRAGMA query_only=ON")
    store.append_event(event_after(store))
    turns.until(lambda: bool(told))
    assert told[0].code == "store.read_only"
    with pytest.raises(RequestError, match="cannot be written") as caught:
        store.close()
    assert caught.value.code == "store.read_only"
    assert store.committed == 0
    while not turns.calls.empty():
        turns.calls.get()()
    assert len(told) == 1  # not once for each try


def test_closing_commits_what_is_pending_and_tells_those_who_wait(store, reopened, event_after):
    called = []
    store.append_event(event_after(store))
    store.when_committed(store.ticket(), lambda: called.append(1))
    store.close()
    store.close()
    assert called == [1]
    with pytest.raises(RequestError, match="closing"):
        store.append_event(event_after(store))
    assert reopened().seq == 1


def test_nobody_else_may_read_the_file(store, path):
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(path + "-wal").st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700


def test_the_reserved_names_are_free(store):
    tables = {row[0] for row in store._reader.execute("SELECT name FROM sqlite_master").fetchall()}
    assert not tables & {"processes", "claude_sessions", "activity_logs"}


def test_who_asks_after_the_end_is_told_to_ask_the_next_hub(store):
    store.check_open()
    store.close()
    with pytest.raises(RequestError) as refused:
        store.check_open()
    assert refused.value.code == "hub.restarting"
