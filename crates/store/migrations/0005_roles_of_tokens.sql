-- The roles that a token carries, a JSON list.
ALTER TABLE tokens ADD COLUMN roles TEXT NOT NULL DEFAULT '[]';
