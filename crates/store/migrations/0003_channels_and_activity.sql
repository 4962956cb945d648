-- Channel definitions that administrators made. `body` is JSON; without one the pattern is defined
-- nowhere, whatever the configuration file says.
CREATE TABLE definitions (
    pattern TEXT PRIMARY KEY,
    body TEXT,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL
);

-- Who did what. `id` grows with time.
CREATE TABLE activity (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    principal TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL,
    status BIGINT NOT NULL,
    took_us BIGINT NOT NULL,
    address TEXT NOT NULL
);
CREATE INDEX activity_by_principal ON activity (principal, id);

-- How often each principal was answered, and refused.
CREATE TABLE principals (
    principal TEXT PRIMARY KEY,
    answered BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);
