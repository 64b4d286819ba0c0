-- proposed: terms that wait for the channel's acceptance, as JSON.
ALTER TABLE partnerships ADD COLUMN on_account INTEGER NOT NULL DEFAULT 0 CHECK (on_account IN (0, 1));
ALTER TABLE partnerships ADD COLUMN proposed TEXT;
ALTER TABLE partnerships ADD COLUMN suspended_by TEXT
    CHECK (suspended_by IN ('organization', 'channel'));
ALTER TABLE partnerships ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

-- After a rotation the secret before it works until previous_until.
ALTER TABLE api_keys ADD COLUMN previous_hash TEXT;
ALTER TABLE api_keys ADD COLUMN previous_until TEXT;
ALTER TABLE api_keys ADD COLUMN last_used_at TEXT;
CREATE UNIQUE INDEX api_keys_previous ON api_keys (previous_hash);
CREATE INDEX api_keys_by_organization ON api_keys (organization_id, id);
CREATE INDEX api_keys_by_channel ON api_keys (channel_id, id);
