-- Server-wide settings, idempotency, the change feed and jobs.
CREATE TABLE server_settings (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

-- status and body are empty while an answer is still owed (an outside provider is being asked).
CREATE TABLE idempotency_keys (
    tenant_id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test')),
    idempotency_key TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    status INTEGER,
    body TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, mode, idempotency_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE changes (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    channel_id TEXT COLLATE "C",
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test')),
    event_id TEXT COLLATE "C",
    kind TEXT COLLATE "C" NOT NULL,
    object_id TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    data_organization TEXT COLLATE "C" NOT NULL,
    data_channel TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, id)
);

-- Committed changes that no feed has numbered yet, in the order in which they were written.
CREATE TABLE changes_pending (
    position BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id TEXT COLLATE "C" NOT NULL,
    change_id TEXT COLLATE "C" NOT NULL,
    channel_id TEXT COLLATE "C",
    mode TEXT COLLATE "C" NOT NULL
);

CREATE TABLE feed (
    tenant_id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    change_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, mode, seq)
);

CREATE TABLE feed_heads (
    tenant_id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, mode)
);

CREATE TABLE jobs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'failed')),
    run_at TIMESTAMPTZ NOT NULL,
    attempts BIGINT NOT NULL,
    last_error TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX jobs_due ON jobs (state, run_at);
