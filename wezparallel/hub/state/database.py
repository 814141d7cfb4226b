"""The SQLite file itself: open it, bring its schema up to date, set a corrupt one aside, name its errors.

Below `state/store.py`, which alone uses it.
"""

from __future__ import annotations

import os
import runpy
import secrets
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote

from wezparallel import regular
from wezparallel.errors import RequestError

_MIGRATIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "migrations")
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BESIDE = ("-wal", "-shm", "-journal")
_UNWRITABLE = frozenset({
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
})  # fmt: skip


def connect(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the database; transactions are ours to begin and end."""
    connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
    try:
        # NORMAL: a commit is a write into the log without fsync. It survives the death of any process.
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
        # All that is asked often is in the hub's memory; of the 2 MB that are usual nobody would have anything.
        connection.execute("PRAGMA cache_size=-128")
        # Checkpoints are the only fsyncs; the writer makes them when nobody waits for it.
        connection.execute("PRAGMA wal_autocheckpoint=0")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what happens inside, or none of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some errors roll back by themselves
            connection.execute("ROLLBACK")
        raise


def open_checked(path: str) -> sqlite3.Connection:
    """Open, migrate and look through the database.

    Raises:
        RequestError: `store.newer`, `store.read_only` or `disk.full`.
        sqlite3.DatabaseError: it is damaged (see `is_damaged`).
    """
    connection = None
    try:
        os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
        _clear_the_way(path)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = connect(path)
        _migrate(connection)
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except OSError as error:
        raise RequestError(
            "store.read_only", f"the state database {path} cannot be opened: {error.strerror}", path=path
        ) from error
    except sqlite3.Error as error:
        if connection:
            connection.close()
        if is_damaged(error):
            raise
        raise explain(error, path) from error
    except RequestError:
        if connection:
            connection.close()
        raise
    if verdict != "ok":
        connection.close()
        damaged = sqlite3.DatabaseError(verdict)
        damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damaged
    return connection


def _clear_the_way(path: str) -> None:
    """Move aside what lies where SQLite has its files and is none: of a named pipe it would wait for ever.

    Raises sqlite3.DatabaseError for one in the place of the database itself, as for a damaged one.
    """
    for suffix in _BESIDE:
        if not _is_file_or_nothing(path + suffix):
            regular.put_aside(path + suffix, "no-file")
    if not _is_file_or_nothing(path):
        damaged = sqlite3.DatabaseError("it is not a regular file")
        damaged.sqlite_errorcode = sqlite3.SQLITE_NOTADB
        raise damaged


def _is_file_or_nothing(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:  # opening it says what is wrong
        return True


def is_damaged(error: sqlite3.Error) -> bool:
    """Tell whether the file's content is broken, as opposed to a disk that is full or a file that is locked."""
    return _primary(error) in _DAMAGED


def set_aside(path: str, stamp: str) -> str:
    """Rename a damaged database and what belongs to it; return its new path."""
    target = f"{path}.corrupt-{stamp}"
    for suffix in ("", *_BESIDE):
        if os.path.exists(path + suffix):
            os.rename(path + suffix, target + suffix)
    return target


def new_epoch() -> str:
    """Return a name that no other database file has."""
    return "e-" + secrets.token_hex(6)


def explain(error: sqlite3.Error, path: str) -> RequestError:
    """Turn an error of SQLite into ours: what happened, and what to do next."""
    primary = _primary(error)
    if primary == sqlite3.SQLITE_FULL:
        return RequestError(
            "disk.full", f"the disk that holds {path} is full; free some space, nothing is lost until then", path=path
        )
    if primary in _UNWRITABLE:
        sentence = f"the state database {path} cannot be written ({error}); make it writable, it is tried again"
        return RequestError("store.read_only", sentence, path=path)
    if primary in _DAMAGED:
        sentence = f"the state database {path} is damaged ({error}); restart the daemon, which sets it aside"
        return RequestError("store.read_only", sentence, path=path)
    return RequestError("internal.bug", f"the state database {path} refused a change: {error}", path=path)


def _primary(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def migrations() -> list[tuple[int, str]]:
    """Return the schema's steps as (number, file name), in order."""
    names = sorted(n for n in os.listdir(_MIGRATIONS) if n[:4].isdigit() and n.endswith((".sql", ".py")))
    return [(int(name[:4]), name) for name in names]


def check_schema(path: str) -> None:
    """Look whether a database, if there is one, is too new for this program. Raises RequestError `store.newer`."""
    if os.path.isfile(path):
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as connection:
            _known_version(connection)


def _known_version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    known = migrations()[-1][0]
    if version > known:
        raise RequestError(
            "store.newer",
            f"the state database has schema {version}, this version knows {known}; install the newer version again, "
            "or move the database away to start afresh",
            schema=version,
            known=known,
        )
    return version


def _migrate(connection: sqlite3.Connection) -> None:
    version = _known_version(connection)
    for number, name in migrations():
        if number > version:
            with transaction(connection):
                _apply(connection, name)
                connection.execute(f"PRAGMA user_version={number}")
    connection.execute("INSERT OR IGNORE INTO meta VALUES ('epoch', ?)", (new_epoch(),))


def _apply(connection: sqlite3.Connection, name: str) -> None:
    if name.endswith(".py"):
        runpy.run_path(os.path.join(_MIGRATIONS, name))["migrate"](connection)
        return
    with open(os.path.join(_MIGRATIONS, name), encoding="utf-8") as file:
        statement = ""
        for line in file:  # executescript would commit, and a step is one transaction
            statement += line
            if sqlite3.complete_statement(statement):
                connection.execute(statement)
                statement = ""
