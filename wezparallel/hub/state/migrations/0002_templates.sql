-- Schema 2. What `up` compares a template with, who was switched to last, and who asked to be looked at.

ALTER TABLE workspaces ADD COLUMN folder TEXT NOT NULL DEFAULT '';          -- project folder; empty: the root
ALTER TABLE workspaces ADD COLUMN template_path TEXT;                       -- file that it was opened from
ALTER TABLE workspaces ADD COLUMN variables TEXT NOT NULL DEFAULT '{}';     -- JSON: those given with --var
ALTER TABLE workspaces ADD COLUMN switched_at INTEGER;

ALTER TABLE definitions ADD COLUMN in_template INTEGER;     -- 1, 0: it has left its template; NULL: added by hand
ALTER TABLE definitions ADD COLUMN ran_with TEXT;           -- JSON: run id and settings that differ from those now
ALTER TABLE definitions ADD COLUMN notified TEXT;           -- JSON: text and time

-- `run` and the socket add with auto_start_on_restore off unless asked; templates always had it on.
UPDATE definitions SET in_template = 1
    WHERE auto_start_on_restore = 1 AND workspace IN (SELECT name FROM workspaces WHERE template IS NOT NULL);
