-- proposed: terms that wait for the channel's acceptance, as JSON.
ALTER TABLE partnerships ADD COLUMN on_account BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE partnerships ADD COLUMN proposed TEXT COLLATE "C";
ALTER TABLE partnerships ADD COLUMN suspended_by TEXT COLLATE "C"
    CHECK (suspended_by IN ('organization', 'channel'));
ALTER TABLE partnerships ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- After a rotation the secret before it works until previous_until.
ALTER TABLE api_keys ADD COLUMN previous_hash TEXT COLLATE "C";
ALTER TABLE api_keys ADD COLUMN previous_until TIMESTAMPTZ;
ALTER TABLE api_keys ADD COLUMN last_used_at TIMESTAMPTZ;
CREATE UNIQUE INDEX api_keys_previous ON api_keys (previous_hash);
CREATE INDEX api_keys_by_organization ON api_keys (organization_id, id);
CREATE INDEX api_keys_by_channel ON api_keys (channel_id, id);
