CREATE TABLE organizations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    slug TEXT COLLATE "C" NOT NULL UNIQUE,
    currency TEXT COLLATE "C",
    timezone TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE channels (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    slug TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL
);

-- commission_quantity: ten-thousandths of a percent, or minor units per ticket when fixed.
CREATE TABLE partnerships (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    channel_id TEXT COLLATE "C" NOT NULL REFERENCES channels (id),
    id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL
        CHECK (status IN ('invited', 'active', 'suspended', 'ended')),
    collects TEXT COLLATE "C" NOT NULL CHECK (collects IN ('platform', 'channel', 'organization')),
    commission_type TEXT COLLATE "C" NOT NULL CHECK (commission_type IN ('percentage', 'fixed')),
    commission_quantity BIGINT NOT NULL CHECK (commission_quantity >= 0),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, channel_id),
    UNIQUE (organization_id, id)
);
CREATE INDEX partnerships_by_channel ON partnerships (channel_id);

-- A platform table: a key is looked up before its tenant is known.
CREATE TABLE api_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    secret_hash TEXT COLLATE "C" NOT NULL UNIQUE,
    organization_id TEXT COLLATE "C" REFERENCES organizations (id),
    channel_id TEXT COLLATE "C" REFERENCES channels (id),
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test')),
    name TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    CHECK ((organization_id IS NULL) <> (channel_id IS NULL))
);
