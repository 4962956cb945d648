-- The same request again and again is one record: how often, and when it was the last time.
ALTER TABLE activity ADD COLUMN times BIGINT NOT NULL DEFAULT 1;
ALTER TABLE activity ADD COLUMN last_at BIGINT NOT NULL DEFAULT 0;
UPDATE activity SET last_at = at;

-- Signed requests that were let in: none is let in twice, by whichever gateway.
CREATE TABLE nonces (
    nonce TEXT PRIMARY KEY,
    until BIGINT NOT NULL
);
CREATE INDEX nonces_by_end ON nonces (until);

-- The oldest tokens that anybody asked for go when there are too many of them.
CREATE INDEX tokens_by_issuer ON tokens (issued_by, jti);
