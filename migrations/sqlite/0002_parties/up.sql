CREATE TABLE organizations (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    currency TEXT,
    timezone TEXT,
    created_at TEXT NOT NULL
) STRICT;

CREATE TABLE channels (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    slug TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL
) STRICT;

-- commission_quantity: ten-thousandths of a percent, or minor units per ticket when fixed.
CREATE TABLE partnerships (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    channel_id TEXT NOT NULL REFERENCES channels (id),
    id TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('invited', 'active', 'suspended', 'ended')),
    collects TEXT NOT NULL CHECK (collects IN ('platform', 'channel', 'organization')),
    commission_type TEXT NOT NULL CHECK (commission_type IN ('percentage', 'fixed')),
    commission_quantity INTEGER NOT NULL CHECK (commission_quantity >= 0),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, channel_id),
    UNIQUE (organization_id, id)
) STRICT;
CREATE INDEX partnerships_by_channel ON partnerships (channel_id);

-- A platform table: a key is looked up before its tenant is known.
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    organization_id TEXT REFERENCES organizations (id),
    channel_id TEXT REFERENCES channels (id),
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,
    CHECK ((organization_id IS NULL) <> (channel_id IS NULL))
) STRICT;
