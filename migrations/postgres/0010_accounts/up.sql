-- A tenant works in test mode until an owner has confirmed their e-mail.
ALTER TABLE organizations ADD COLUMN confirmed_at TIMESTAMPTZ;
ALTER TABLE channels ADD COLUMN confirmed_at TIMESTAMPTZ;
UPDATE organizations SET confirmed_at = created_at;
UPDATE channels SET confirmed_at = created_at;

-- An e-mail belongs to whoever has confirmed it; until then anybody may have claimed it.
-- The seed of one-time passwords is derived from totp_id, never stored.
CREATE TABLE users (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    confirmed_at TIMESTAMPTZ,
    totp_id TEXT COLLATE "C",
    totp_since TIMESTAMPTZ,
    totp_step BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX users_confirmed_email ON users (email) WHERE confirmed_at IS NOT NULL;
CREATE INDEX users_by_email ON users (email, id);

-- A platform table: a session is looked up before its tenant is known.
CREATE TABLE members (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organization_id TEXT COLLATE "C" REFERENCES organizations (id),
    channel_id TEXT COLLATE "C" REFERENCES channels (id),
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    role TEXT COLLATE "C" NOT NULL
        CHECK (role IN ('owner', 'admin', 'box_office', 'scanner', 'viewer')),
    created_at TIMESTAMPTZ NOT NULL,
    CHECK ((organization_id IS NULL) <> (channel_id IS NULL)),
    UNIQUE (organization_id, user_id),
    UNIQUE (channel_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

-- A log-in and everything refreshed from it. The refresh token is derived from id and generation.
CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    member_id TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    refreshed_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_member ON sessions (member_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- A confirmation or reset that was asked for, also for e-mails nobody has. Its token is derived.
CREATE TABLE account_letters (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('confirm', 'reset')),
    user_id TEXT COLLATE "C" REFERENCES users (id),
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ
);
CREATE INDEX account_letters_by_user ON account_letters (user_id);
CREATE INDEX account_letters_by_end ON account_letters (expires_at);

CREATE TABLE invitations (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    organization_id TEXT COLLATE "C" REFERENCES organizations (id),
    channel_id TEXT COLLATE "C" REFERENCES channels (id),
    email TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL
        CHECK (role IN ('owner', 'admin', 'box_office', 'scanner', 'viewer')),
    invited_by TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('open', 'accepted', 'withdrawn')),
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    CHECK ((organization_id IS NULL) <> (channel_id IS NULL))
);
CREATE INDEX invitations_by_organization ON invitations (organization_id, id);
CREATE INDEX invitations_by_channel ON invitations (channel_id, id);
