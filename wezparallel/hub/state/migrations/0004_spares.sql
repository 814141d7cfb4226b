-- Schema 4. Processes that are started ahead.

ALTER TABLE definitions ADD COLUMN spare TEXT;              -- JSON: kind, what has to fit, whether it is taken
