-- admits is how many people the ticket lets in, entered how many of them are inside.
CREATE TABLE tickets (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    payment_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    rate_id TEXT NOT NULL,
    channel_id TEXT,
    position INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending_payment', 'active', 'voided')),
    code TEXT NOT NULL,
    price TEXT NOT NULL,
    currency TEXT NOT NULL,
    price_minor INTEGER NOT NULL CHECK (price_minor >= 0),
    fee_minor INTEGER NOT NULL CHECK (fee_minor >= 0),
    full_name TEXT,
    email TEXT,
    phone TEXT,
    admits INTEGER NOT NULL CHECK (admits > 0),
    entered INTEGER NOT NULL CHECK (entered >= 0 AND entered <= admits),
    entry_time TEXT,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, code),
    FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id)
) STRICT;
CREATE INDEX tickets_of_payment ON tickets (organization_id, payment_id, position);
CREATE INDEX tickets_of_event ON tickets (organization_id, event_id, id);
CREATE INDEX tickets_of_organization ON tickets (organization_id, mode, id);
CREATE INDEX tickets_of_channel ON tickets (channel_id, mode, id);
