-- Schema 1. `processes`, `claude_sessions` and `activity_logs` are reserved for views. Times are milliseconds since
-- the epoch unless a column is text. No table has a place for an environment.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE workspaces (
    name TEXT PRIMARY KEY,
    root TEXT NOT NULL,
    template TEXT,
    created_at INTEGER NOT NULL,
    open INTEGER NOT NULL,
    focus TEXT,
    plan TEXT NOT NULL,             -- JSON: protocol Plan
    env_id TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE definitions (          -- a process: what it is told to be, what is desired, and how it was last seen
    process_id TEXT PRIMARY KEY,
    workspace TEXT,
    settings TEXT NOT NULL,         -- JSON: protocol ProcessSettings
    desired TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    created_at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    run_id TEXT,
    planned_run_id TEXT,
    runs INTEGER NOT NULL,
    restarts TEXT NOT NULL,         -- JSON: seconds since the epoch
    streak INTEGER NOT NULL,
    restart_count INTEGER NOT NULL,
    backoff_until INTEGER,
    waits_for TEXT,
    env_id TEXT NOT NULL,
    auto_start_on_restore INTEGER NOT NULL,
    removed INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    process_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    stored_at INTEGER NOT NULL,
    pid INTEGER,
    start INTEGER,
    started_at INTEGER,
    ended_at INTEGER,
    exit_code INTEGER,
    signal INTEGER,
    asked INTEGER NOT NULL,
    boot_id TEXT,
    ready INTEGER NOT NULL
);
CREATE INDEX runs_by_process ON runs (process_id, number);

CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL,               -- RFC 3339
    name TEXT NOT NULL,
    data TEXT NOT NULL,             -- JSON
    by TEXT,                        -- JSON
    cause TEXT
);

CREATE TABLE keys (                 -- idempotency keys of mutations
    key TEXT PRIMARY KEY,
    command TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    accepted TEXT NOT NULL,         -- JSON: what `accept` gave to `finish`
    reply TEXT,                     -- JSON, once it is known
    created_at INTEGER NOT NULL
);
CREATE INDEX keys_by_age ON keys (created_at);

CREATE TABLE tombstones (           -- removed here, perhaps not yet forgotten by the keeper
    process_id TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;
