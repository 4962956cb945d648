-- Keys that sign tokens. `sealed` is the secret under the key file, in base64.
CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    sealed TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT,
    verify_until BIGINT
);

-- What was issued; the tokens themselves are nowhere. `channels` and `allow` are JSON lists.
CREATE TABLE tokens (
    jti TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    channels TEXT NOT NULL,
    allow TEXT NOT NULL,
    kid TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    issued_by TEXT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX tokens_by_subject ON tokens (subject);
CREATE INDEX tokens_by_key ON tokens (kid);
CREATE INDEX tokens_by_end ON tokens (expires_at);

-- What is refused although its signature is good: one token, or all of a subject or a key that were
-- issued until `revoked_at`. Forgotten after `until`, when all of them have expired.
CREATE TABLE revocations (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    revoked_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    revoked_by TEXT NOT NULL,
    PRIMARY KEY (kind, value)
);

-- Of two gateways that make the first key, or rotate it, one succeeds.
CREATE UNIQUE INDEX signing_keys_current ON signing_keys (state) WHERE state = 'current';
