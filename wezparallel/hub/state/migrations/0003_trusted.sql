-- Schema 3. What people accepted of templates that came with a repository, and the folders of those processes that run
-- in a git worktree.

CREATE TABLE trusted (
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,           -- of all that it runs, not of its text
    at INTEGER NOT NULL,
    by TEXT,                        -- the person
    commands TEXT NOT NULL,         -- JSON: the lines that were shown
    PRIMARY KEY (path, sha256)
) WITHOUT ROWID;

CREATE TABLE worktrees (
    process_id TEXT PRIMARY KEY,
    folder TEXT NOT NULL            -- where it really runs
) WITHOUT ROWID;
