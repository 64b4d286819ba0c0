-- Server-wide settings, idempotency, the change feed and jobs.
CREATE TABLE server_settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- status and body are empty while an answer is still owed (an outside provider is being asked).
CREATE TABLE idempotency_keys (
    tenant_id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER,
    body TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, mode, idempotency_key)
) STRICT;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE changes (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    channel_id TEXT,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    event_id TEXT,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    data_organization TEXT NOT NULL,
    data_channel TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id)
) STRICT;

-- Committed changes that no feed has numbered yet, in the order in which they were written.
CREATE TABLE changes_pending (
    position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    organization_id TEXT NOT NULL,
    change_id TEXT NOT NULL,
    channel_id TEXT,
    mode TEXT NOT NULL
) STRICT;

CREATE TABLE feed (
    tenant_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    seq INTEGER NOT NULL,
    organization_id TEXT NOT NULL,
    change_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, mode, seq)
) STRICT;

CREATE TABLE feed_heads (
    tenant_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, mode)
) STRICT;

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'failed')),
    run_at TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_due ON jobs (state, run_at);
