-- People go out again, and scans are taken back.
-- Rebuilt, since SQLite cannot change a constraint.
CREATE TABLE new_admissions (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    ticket_id TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out', 'undo')),
    created_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, ticket_id) REFERENCES tickets (organization_id, id)
) STRICT;
INSERT INTO new_admissions SELECT organization_id, id, ticket_id, direction, created_at
    FROM admissions;
DROP TABLE admissions;
ALTER TABLE new_admissions RENAME TO admissions;
CREATE INDEX admissions_of_ticket ON admissions (organization_id, ticket_id);
CREATE INDEX tickets_of_holder ON tickets (organization_id, mode, email) WHERE email IS NOT NULL;

-- tickets: the ids of those that are sent, as JSON; receipt: whether the receipt is with them.
CREATE TABLE deliveries (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    channel_id TEXT,
    event_id TEXT,
    payment_id TEXT NOT NULL,
    refund_id TEXT,
    recipient TEXT NOT NULL,
    tickets TEXT NOT NULL,
    receipt INTEGER NOT NULL CHECK (receipt IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    reason TEXT,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    resent_from TEXT,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    sent_at TEXT,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id)
) STRICT;
CREATE INDEX deliveries_of_organization ON deliveries (organization_id, mode, id);
CREATE INDEX deliveries_of_channel ON deliveries (channel_id, mode, id);
CREATE INDEX deliveries_of_payment ON deliveries (organization_id, payment_id, id);

-- owner_id is the tenant that knows the buyer. No two of its customers share an e-mail, which is
-- kept as it is compared: in lower case.
CREATE TABLE customers (
    owner_id TEXT NOT NULL,
    id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    email TEXT NOT NULL,
    name TEXT,
    phone TEXT,
    address TEXT,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, mode, email)
) STRICT;
