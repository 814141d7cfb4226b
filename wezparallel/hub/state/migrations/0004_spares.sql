-- Schema 4. Processes that are started ahead.

ALTER TABLE definitions ADD COLUMN spare TEXT;              -- JSON: kind and what has to fit; NULL: it is somebody's
