-- channel_id is empty for an organization's own sale. All amounts are minor units.
CREATE TABLE payments (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test')),
    channel_id TEXT COLLATE "C",
    event_id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL
        CHECK (status IN ('pending', 'paid', 'expired', 'cancelled')),
    collects TEXT COLLATE "C" NOT NULL CHECK (collects IN ('platform', 'channel', 'organization')),
    currency TEXT COLLATE "C" NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    fees_minor BIGINT NOT NULL CHECK (fees_minor >= 0),
    paid_minor BIGINT NOT NULL CHECK (paid_minor >= 0),
    refunded_minor BIGINT NOT NULL CHECK (refunded_minor >= 0),
    num_tickets BIGINT NOT NULL CHECK (num_tickets > 0),
    send_resources BOOLEAN NOT NULL,
    metadata TEXT COLLATE "C" NOT NULL,
    reference TEXT COLLATE "C",
    kind TEXT COLLATE "C",
    card TEXT COLLATE "C",
    language TEXT COLLATE "C",
    description TEXT COLLATE "C",
    buyer_name TEXT COLLATE "C",
    buyer_email TEXT COLLATE "C",
    buyer_phone TEXT COLLATE "C",
    processing_attempt_id TEXT COLLATE "C",
    late_at TIMESTAMPTZ,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    paid_at TIMESTAMPTZ,
    expires_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id),
    CHECK (refunded_minor <= paid_minor)
);
CREATE INDEX payments_of_organization ON payments (organization_id, mode, id);
CREATE INDEX payments_of_channel ON payments (channel_id, mode, id);
CREATE INDEX payments_of_event ON payments (organization_id, event_id, id);
CREATE INDEX payments_due ON payments (expires_at)
    WHERE status = 'pending' AND processing_attempt_id IS NULL;

CREATE TABLE payment_items (
    organization_id TEXT COLLATE "C" NOT NULL,
    payment_id TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    rate_id TEXT COLLATE "C" NOT NULL,
    price_id TEXT COLLATE "C" NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    unit_minor BIGINT NOT NULL CHECK (unit_minor >= 0),
    fees_minor BIGINT NOT NULL CHECK (fees_minor >= 0),
    PRIMARY KEY (organization_id, payment_id, position),
    FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id)
);

-- owner_id is the creator: the channel, or the organization for its own sales.
CREATE TABLE payment_references (
    owner_id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test')),
    reference TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    payment_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (owner_id, mode, reference)
);

CREATE TABLE payment_attempts (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    payment_id TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('processing', 'succeeded', 'failed')),
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    card TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C",
    decline_code TEXT COLLATE "C",
    idempotency_key TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id)
);
CREATE INDEX payment_attempts_open ON payment_attempts (created_at) WHERE state = 'processing';

-- The sandbox provider's own books: what it answered, by the attempt it was asked for.
CREATE TABLE sandbox_charges (
    attempt_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    answer TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
