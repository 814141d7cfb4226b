-- Schema 5. What processes and the machine used, by the minute and by the quarter of an hour, and the most of each run.

CREATE TABLE figures (
    subject TEXT NOT NULL,          -- a process's id; empty: the machine
    step_s INTEGER NOT NULL,        -- 60 for a day, 900 for 30 days
    at INTEGER NOT NULL,            -- when the step began
    samples INTEGER NOT NULL,
    cpu_percent REAL,
    cpu_percent_max REAL,
    memory_bytes INTEGER,
    memory_bytes_max INTEGER,
    PRIMARY KEY (subject, step_s, at)
) WITHOUT ROWID;

ALTER TABLE runs ADD COLUMN peak_cpu_percent REAL;          -- of a core, the whole tree at one look
ALTER TABLE runs ADD COLUMN peak_memory_bytes INTEGER;
CREATE INDEX runs_by_time ON runs (stored_at);
