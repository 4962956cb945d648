-- An API key is known by its name: in the record, by its limits, by what it has sent already. Of keys
-- that were called alike the oldest keeps the name, the others get the end of their id behind it.
UPDATE api_keys SET name = name || '-' || SUBSTR(id, 21)
    WHERE revoked_at IS NULL AND EXISTS (
        SELECT 1 FROM api_keys AS older
        WHERE older.name = api_keys.name AND older.revoked_at IS NULL AND older.id < api_keys.id
    );
CREATE UNIQUE INDEX api_keys_by_name ON api_keys (name) WHERE revoked_at IS NULL;

-- What is searched, in small letters: the databases do not agree on what those are, so the gateway
-- makes them. Of what was there before, the letters from A to Z may be all that is small.
ALTER TABLE tokens ADD COLUMN searched TEXT NOT NULL DEFAULT '';
UPDATE tokens SET searched = LOWER(jti || '
' || subject || '
' || channels);
ALTER TABLE activity ADD COLUMN searched TEXT NOT NULL DEFAULT '';
UPDATE activity SET searched = LOWER(principal || '
' || action || '
' || target || '
' || outcome);

-- Principals are listed part by part, the latest first.
CREATE INDEX principals_by_time ON principals (last_at, principal);
