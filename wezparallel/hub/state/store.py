"""What the hub must not forget, in SQLite: definitions, desired states, runs, the journal, idempotency keys.

Everything here is called in the hub's one thread and nothing blocks it: changes pile up in a batch, the batch goes
to the writer's thread once a turn of the loop, and `when_committed` tells when it is safe. Whoever answers a client
waits for the `ticket()` that it took after its change (or its look): what was said is true. Reads of the journal and
of runs see what is committed; `find_key` sees keys at once. There is no place for a caller's environment.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from logging import getLogger
from typing import TYPE_CHECKING

import anyio

from wezparallel.errors import RequestError
from wezparallel.hub.state import past, rows
from wezparallel.hub.state.database import connect, is_damaged, new_epoch, open_checked, set_aside
from wezparallel.hub.state.model import Process, Run, State, Workspace
from wezparallel.hub.state.rows import KeyRow
from wezparallel.hub.state.writer import Batch, Parameters, Reports, Statement, Writer
from wezparallel.protocol.events import Event
from wezparallel.protocol.process import ProcessSettings

if TYPE_CHECKING:
    from wezparallel.types import JsonObject, Millis, ProcessId, WorkspaceName

KEY_LIFE_MS = 24 * 3600 * 1000
JOURNAL_KEEPS = 100_000
RUNS_KEPT = 100
"""Ended runs kept for each process."""

Soon = Callable[[Callable[[], None]], object]
log = getLogger(__name__)


def now_ms() -> Millis:
    """Return the time of day."""
    return time.time_ns() // 1_000_000


class Store:
    """The database as the hub sees it. Made by `Store.open`."""

    epoch: str
    """Name of the database file's history; another file, a restore or a rollback has another one."""
    seq: int
    """Last entry of the journal, committed or not."""
    committed: int
    """Number of the newest batch that is safe."""
    committed_seq: int
    """Last entry of the journal that is safe; `events_since` ends here."""
    error: RequestError | None
    """Why nothing can be committed at the moment; new mutations are to be refused with it."""
    when_failing: Callable[[RequestError | None], None] | None = None
    """Called as `on_error` is, by whoever has waiters of its own."""
    set_aside: str | None
    """Where a damaged database was moved to when this one was made."""

    def __init__(self, path: str, reader: sqlite3.Connection, clock: Callable[[], Millis]) -> None:
        self.path, self.error, self.set_aside = path, None, None
        self._reader, self._clock = reader, clock
        self._pending: list[Statement] = []
        self._batch = self.committed = 0
        self._scheduled = self._closed = False
        self._flying: deque[Batch] = deque()
        self._waiting: dict[int, deque[Callable[[], None]]] = {}
        self._fresh_keys: dict[str, tuple[int, KeyRow]] = {}
        self._settings: dict[ProcessId, tuple[ProcessSettings, str]] = {}
        self.epoch = reader.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()[0]
        self.seq = reader.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0]
        self.committed_seq = self.seq

    @classmethod
    def open(
        cls,
        path: str,
        wake: Callable[[Callable[[], None]], object],
        *,
        soon: Soon | None = None,
        on_error: Callable[[RequestError | None], None] | None = None,
        clock: Callable[[], Millis] = now_ms,
    ) -> Store:
        """Open or make the database and start its writer.

        Args:
            path: The file; its folder is made.
            wake: Brings a call from the writer's thread into the hub's (`loop.call_soon_threadsafe`).
            soon: Calls back at the end of this turn of the loop (`loop.call_soon`); else `wake` is used.
            on_error: Called in the hub's thread when commits begin to fail (`disk.full`, `store.read_only`), and with
                None when they work again. Nothing is lost meanwhile and nothing is reported as committed.
            clock: Milliseconds since the epoch.

        Raises:
            RequestError: `store.newer`, `store.read_only` or `disk.full`.
        """
        aside = None
        try:
            connection = open_checked(path)
        except sqlite3.DatabaseError as error:
            if not is_damaged(error):
                raise
            aside = set_aside(path, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(clock() / 1000)))
            log.warning("database_set_aside path=%s moved_to=%s error=%s", path, aside, error)
            connection = open_checked(path)
        store = cls(path, connect(path, read_only=True), clock)
        store.set_aside = aside
        store._start(connection, wake, soon or wake, on_error)
        return store

    def _start(
        self,
        connection: sqlite3.Connection,
        wake: Callable[[Callable[[], None]], object],
        soon: Soon,
        on_error: Callable[[RequestError | None], None] | None,
    ) -> None:
        self._soon, self._on_error = soon, on_error
        self._writer = Writer(connection, self.path, Reports(wake, self._when_batch_committed, self._when_failed))
        self._writer.start()

    # What changes

    def put_workspace(self, workspace: Workspace) -> None:
        """Write a workspace as it is now."""
        self._enqueue(rows.PUT_WORKSPACE, rows.workspace_row(workspace))

    def delete_workspace(self, name: WorkspaceName) -> None:
        """Forget a workspace; its processes are deleted one by one."""
        self._enqueue("DELETE FROM workspaces WHERE name = ?", (name,))

    def put_process(self, process: Process) -> None:
        """Write a process as it is now, with the ids of its runs; the runs themselves are written by `put_run`."""
        known = self._settings.get(process.process_id)
        if known is None or known[0] is not process.settings:
            known = (process.settings, process.settings.model_dump_json(ensure_ascii=True))
            self._settings[process.process_id] = known
        self._enqueue(rows.PUT_DEFINITION, rows.process_row(process, known[1]))

    def delete_process(self, process_id: ProcessId) -> None:
        """Forget a process and its runs; a tombstone stays until the keeper has forgotten it too."""
        self._settings.pop(process_id, None)
        self._enqueue("DELETE FROM definitions WHERE process_id = ?", (process_id,))
        self._enqueue("DELETE FROM runs WHERE process_id = ?", (process_id,))
        self._enqueue("DELETE FROM worktrees WHERE process_id = ?", (process_id,))
        self._enqueue("DELETE FROM figures WHERE subject = ?", (process_id,))
        self._enqueue("INSERT OR REPLACE INTO tombstones VALUES (?, ?)", (process_id, self._clock()))

    def clear_tombstone(self, process_id: ProcessId) -> None:
        """The keeper has forgotten it, or it was added again."""
        self._enqueue("DELETE FROM tombstones WHERE process_id = ?", (process_id,))

    def put_run(self, run: Run) -> None:
        """Write a run as it is now."""
        self._enqueue(rows.PUT_RUN, rows.run_row(run))

    def put_trusted(self, path: str, sha256: str, at: Millis, by: str | None, commands: list[str]) -> None:
        """Write down that a person accepted what a template runs."""
        row = (path, sha256, at, by, rows.dump(commands))
        self._enqueue("INSERT OR REPLACE INTO trusted (path, sha256, at, by, commands) VALUES (?, ?, ?, ?, ?)", row)

    def put_worktree(self, process_id: ProcessId, folder: str) -> None:
        """Write down in which folder of a worktree a process runs."""
        self._enqueue("INSERT OR REPLACE INTO worktrees VALUES (?, ?)", (process_id, folder))

    def put_figures(self, figures: list[past.Figures]) -> None:
        """Write down what was used in a minute."""
        for row in figures:
            self._enqueue(past.PUT_FIGURES, tuple(row))

    def append_event(self, event: Event) -> None:
        """Journal an event; its `seq` is `store.seq + 1`."""
        if event.seq != self.seq + 1:
            raise ValueError(f"event {event.seq} after {self.seq}: the journal has no gaps")
        self._enqueue(rows.PUT_EVENT, rows.event_row(event))
        self.seq = event.seq

    def put_key(self, key: str, command: str, request_hash: str, accepted: JsonObject) -> None:
        """Write an idempotency key; to be called in the same turn as the mutation that it stands for."""
        row = KeyRow(key, command, request_hash, accepted, None, self._clock())
        self._enqueue(rows.PUT_KEY, (key, command, request_hash, rows.dump(accepted), None, row.created_at))
        self._fresh_keys[key] = (self.ticket(), row)

    def put_reply(self, key: str, reply: JsonObject) -> None:
        """Write the reply to a mutation with a key; a retry gets the same one."""
        found = self.find_key(key)
        if found is None:
            return
        self._enqueue("UPDATE keys SET reply = ? WHERE key = ?", (rows.dump(reply), key))
        answered = KeyRow(key, found.command, found.request_hash, found.accepted, reply, found.created_at)
        self._fresh_keys[key] = (self.ticket(), answered)

    def renew_epoch(self) -> None:
        """Begin a new history: what subscribers know may not be what happened (after a restore or a power cut)."""
        self.epoch = new_epoch()
        self._enqueue("INSERT OR REPLACE INTO meta VALUES ('epoch', ?)", (self.epoch,))

    def prune(self, now: Millis, *, journal_keeps: int = JOURNAL_KEEPS, runs_kept: int = RUNS_KEPT) -> None:
        """Delete keys older than 24 h, the journal's oldest entries, and all but the newest ended runs."""
        self._enqueue("DELETE FROM keys WHERE created_at < ?", (now - KEY_LIFE_MS,))
        self._enqueue("DELETE FROM journal WHERE seq <= ?", (self.seq - journal_keeps,))
        self._enqueue(
            "DELETE FROM runs WHERE status IN ('exited', 'lost') AND number <= "
            "(SELECT runs FROM definitions WHERE definitions.process_id = runs.process_id) - ?",
            (max(runs_kept, 2),),
        )

    def settle_figures(self, now: Millis) -> None:
        """Make quarters of an hour of the minutes, and delete what is old: up to 0.2 s of the writer's time."""
        for statement in past.settle(now):
            self._enqueue(*statement)

    # When it is safe

    def ticket(self) -> int:
        """Return the number of the batch that holds every change so far."""
        return self._batch + 1 if self._pending else self._batch

    @property
    def changes(self) -> tuple[int, int]:
        """What is another after each change: batches, and changes since the last one."""
        return self._batch, len(self._pending)

    def flush(self) -> None:
        """Hand the batch to the writer. Happens by itself at the end of a turn."""
        self._scheduled = False
        if self._pending and not self._closed:
            self._batch += 1
            batch = Batch(self._batch, self._pending, self.seq)
            self._pending = []
            self._flying.append(batch)
            self._writer.put(batch)

    def when_committed(self, ticket: int, fn: Callable[[], None]) -> None:
        """Call `fn` in the hub's thread once the batch is safe; at once if it is, but not ahead of earlier calls."""
        if ticket > self.committed:
            self._waiting.setdefault(ticket, deque()).append(fn)
        elif self.committed in self._waiting:  # its callers are being called just now: get in line
            self._waiting[self.committed].append(fn)
        else:
            fn()

    async def wait_committed(self, ticket: int) -> None:
        """Return once the batch is safe."""
        if ticket > self.committed:
            event = anyio.Event()
            self.when_committed(ticket, event.set)
            await event.wait()

    def check_open(self) -> None:
        """Refuse to go on with a database that is closed. Raises RequestError `hub.restarting`."""
        if self._closed:
            raise RequestError("hub.restarting", "the daemon is closing its database; send the request again")

    def close(self) -> None:
        """Commit what is pending and end the writer.

        Raises:
            RequestError: It could not be committed even now; the changes since `committed` are lost.
        """
        if self._closed:
            return
        self.flush()
        self._closed = True
        self._writer.close()
        self._reader.close()
        self._when_batch_committed(self._writer.committed)
        if self._writer.failure:
            raise self._writer.failure

    # What is known

    def load(self) -> State:
        """Read all workspaces and processes; for the hub's start."""
        return rows.load_state(self._reader)

    def trusted(self) -> list[tuple[str, str, list[str]]]:
        """Return what was accepted, oldest first: path, hash, and the commands as they were shown."""
        found = self._reader.execute("SELECT path, sha256, commands FROM trusted ORDER BY at").fetchall()
        return [(path, sha256, json.loads(commands)) for path, sha256, commands in found]

    def worktrees(self) -> dict[ProcessId, str]:
        """Return the folders of the processes that run in a worktree."""
        return dict(self._reader.execute("SELECT process_id, folder FROM worktrees").fetchall())

    def tombstones(self) -> list[ProcessId]:
        """Return the processes that the keeper may not have forgotten yet."""
        return [row[0] for row in self._reader.execute("SELECT process_id FROM tombstones ORDER BY at").fetchall()]

    def oldest_seq(self) -> int:
        """Return the first entry of the journal that is still there; `seq + 1` if there is none."""
        oldest = self._reader.execute("SELECT min(seq) FROM journal").fetchone()[0]
        return self.committed_seq + 1 if oldest is None else int(oldest)

    def events_since(self, seq: int, limit: int = 1000) -> list[Event]:
        """Return the journal after `seq`, oldest first, as far as it is committed."""
        query = f"{rows.GET_EVENT} WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
        return [
            rows.event_of(row) for row in self._reader.execute(query, (seq, self.committed_seq, limit)).fetchall()
        ]

    def find_key(self, key: str) -> KeyRow | None:
        """Return what is known of an idempotency key, committed or not; None after 24 h."""
        fresh = self._fresh_keys.get(key)
        if fresh:
            return fresh[1]
        query = f"{rows.GET_KEY} WHERE key = ? AND created_at >= ?"
        row = self._reader.execute(query, (key, self._clock() - KEY_LIFE_MS)).fetchone()
        return rows.key_of(row) if row else None

    def unanswered_keys(self) -> list[KeyRow]:
        """Return the committed mutations whose reply is not known, oldest first; for the hub's start."""
        query = f"{rows.GET_KEY} WHERE reply IS NULL AND created_at >= ? ORDER BY created_at, rowid"
        return [rows.key_of(row) for row in self._reader.execute(query, (self._clock() - KEY_LIFE_MS,)).fetchall()]

    def runs_of(self, process_id: ProcessId, limit: int = 20) -> list[Run]:
        """Return a process's committed runs, newest first."""
        query = f"{rows.GET_RUN} WHERE process_id = ? ORDER BY number DESC LIMIT ?"
        return [rows.run_of(row) for row in self._reader.execute(query, (process_id, limit)).fetchall()]

    def history(self, wanted: past.Wanted) -> list[Run]:
        """Return committed runs, the latest first."""
        query, parameters = past.runs_query(wanted)
        return [rows.run_of(row) for row in self._reader.execute(query, parameters).fetchall()]

    def figures(self, subject: str, step_s: int, span: tuple[Millis, Millis], limit: int) -> list[past.Figures]:
        """Return what a subject used, oldest first."""
        found = self._reader.execute(past.GET_FIGURES, (subject, step_s, *span, limit)).fetchall()
        return [past.Figures(*row) for row in found]

    # The machinery

    def _enqueue(self, sql: str, parameters: Parameters) -> None:
        self.check_open()
        for value in parameters:
            if isinstance(value, str):
                value.encode()  # a lone surrogate must fail here, not in a batch that others wait for
        self._pending.append((sql, parameters))
        if not self._scheduled:
            self._scheduled = True
            self._soon(self.flush)

    def _when_batch_committed(self, number: int) -> None:
        """Go on batch by batch, so that whoever waits is called in the order in which things happened."""
        while self._flying and self._flying[0].number <= number:
            batch = self._flying.popleft()
            self.committed, self.committed_seq = batch.number, batch.seq
            for key in [key for key, (ticket, _) in self._fresh_keys.items() if ticket <= batch.number]:
                del self._fresh_keys[key]
            waiting = self._waiting.get(batch.number)
            while waiting:
                try:
                    waiting.popleft()()
                except Exception:  # one waiter's bug must not keep the others waiting
                    log.exception("after_commit_failed ticket=%d", batch.number)
            self._waiting.pop(batch.number, None)

    def _when_failed(self, error: RequestError | None) -> None:
        self.error = error
        for tell in (self._on_error, self.when_failing):
            if tell:
                tell(error)
