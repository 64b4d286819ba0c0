-- admits is how many people the ticket lets in, entered how many of them are inside.
CREATE TABLE tickets (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test')),
    payment_id TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    rate_id TEXT COLLATE "C" NOT NULL,
    channel_id TEXT COLLATE "C",
    position BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('pending_payment', 'active', 'voided')),
    code TEXT COLLATE "C" NOT NULL,
    price TEXT COLLATE "C" NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
    fee_minor BIGINT NOT NULL CHECK (fee_minor >= 0),
    full_name TEXT COLLATE "C",
    email TEXT COLLATE "C",
    phone TEXT COLLATE "C",
    admits BIGINT NOT NULL CHECK (admits > 0),
    entered BIGINT NOT NULL CHECK (entered >= 0 AND entered <= admits),
    entry_time TIMESTAMPTZ,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, code),
    FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id)
);
CREATE INDEX tickets_of_payment ON tickets (organization_id, payment_id, position);
CREATE INDEX tickets_of_event ON tickets (organization_id, event_id, id);
CREATE INDEX tickets_of_organization ON tickets (organization_id, mode, id);
CREATE INDEX tickets_of_channel ON tickets (channel_id, mode, id);
