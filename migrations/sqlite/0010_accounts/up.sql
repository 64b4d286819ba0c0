-- A tenant works in test mode until an owner has confirmed their e-mail.
ALTER TABLE organizations ADD COLUMN confirmed_at TEXT;
ALTER TABLE channels ADD COLUMN confirmed_at TEXT;
UPDATE organizations SET confirmed_at = created_at;
UPDATE channels SET confirmed_at = created_at;

-- An e-mail belongs to whoever has confirmed it; until then anybody may have claimed it.
-- The seed of one-time passwords is derived from totp_id, never stored.
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    confirmed_at TEXT,
    totp_id TEXT,
    totp_since TEXT,
    totp_step INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_confirmed_email ON users (email) WHERE confirmed_at IS NOT NULL;
CREATE INDEX users_by_email ON users (email, id);

-- A platform table: a session is looked up before its tenant is known.
CREATE TABLE members (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT REFERENCES organizations (id),
    channel_id TEXT REFERENCES channels (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL
        CHECK (role IN ('owner', 'admin', 'box_office', 'scanner', 'viewer')),
    created_at TEXT NOT NULL,
    CHECK ((organization_id IS NULL) <> (channel_id IS NULL)),
    UNIQUE (organization_id, user_id),
    UNIQUE (channel_id, user_id)
) STRICT;
CREATE INDEX members_by_user ON members (user_id);

-- A log-in and everything refreshed from it. The refresh token is derived from id and generation.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    member_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    refreshed_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    ended_at TEXT
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_member ON sessions (member_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- A confirmation or reset that was asked for, also for e-mails nobody has. Its token is derived.
CREATE TABLE account_letters (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('confirm', 'reset')),
    user_id TEXT REFERENCES users (id),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT
) STRICT;
CREATE INDEX account_letters_by_user ON account_letters (user_id);
CREATE INDEX account_letters_by_end ON account_letters (expires_at);

CREATE TABLE invitations (
    id TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT REFERENCES organizations (id),
    channel_id TEXT REFERENCES channels (id),
    email TEXT NOT NULL,
    role TEXT NOT NULL
        CHECK (role IN ('owner', 'admin', 'box_office', 'scanner', 'viewer')),
    invited_by TEXT,
    status TEXT NOT NULL CHECK (status IN ('open', 'accepted', 'withdrawn')),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    CHECK ((organization_id IS NULL) <> (channel_id IS NULL))
) STRICT;
CREATE INDEX invitations_by_organization ON invitations (organization_id, id);
CREATE INDEX invitations_by_channel ON invitations (channel_id, id);
