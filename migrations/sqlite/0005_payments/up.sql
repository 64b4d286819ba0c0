-- channel_id is empty for an organization's own sale. All amounts are minor units.
CREATE TABLE payments (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    channel_id TEXT,
    event_id TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('pending', 'paid', 'expired', 'cancelled')),
    collects TEXT NOT NULL CHECK (collects IN ('platform', 'channel', 'organization')),
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    fees_minor INTEGER NOT NULL CHECK (fees_minor >= 0),
    paid_minor INTEGER NOT NULL CHECK (paid_minor >= 0),
    refunded_minor INTEGER NOT NULL CHECK (refunded_minor >= 0),
    num_tickets INTEGER NOT NULL CHECK (num_tickets > 0),
    send_resources INTEGER NOT NULL CHECK (send_resources IN (0, 1)),
    metadata TEXT NOT NULL,
    reference TEXT,
    kind TEXT,
    card TEXT,
    language TEXT,
    description TEXT,
    buyer_name TEXT,
    buyer_email TEXT,
    buyer_phone TEXT,
    processing_attempt_id TEXT,
    late_at TEXT,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    paid_at TEXT,
    expires_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id),
    CHECK (refunded_minor <= paid_minor)
) STRICT;
CREATE INDEX payments_of_organization ON payments (organization_id, mode, id);
CREATE INDEX payments_of_channel ON payments (channel_id, mode, id);
CREATE INDEX payments_of_event ON payments (organization_id, event_id, id);
CREATE INDEX payments_due ON payments (expires_at)
    WHERE status = 'pending' AND processing_attempt_id IS NULL;

CREATE TABLE payment_items (
    organization_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    rate_id TEXT NOT NULL,
    price_id TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unit_minor INTEGER NOT NULL CHECK (unit_minor >= 0),
    fees_minor INTEGER NOT NULL CHECK (fees_minor >= 0),
    PRIMARY KEY (organization_id, payment_id, position),
    FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id)
) STRICT;

-- owner_id is the creator: the channel, or the organization for its own sales.
CREATE TABLE payment_references (
    owner_id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    reference TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    PRIMARY KEY (owner_id, mode, reference)
) STRICT;

CREATE TABLE payment_attempts (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('processing', 'succeeded', 'failed')),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    card TEXT NOT NULL,
    code TEXT,
    decline_code TEXT,
    idempotency_key TEXT,
    created_at TEXT NOT NULL,
    finished_at TEXT,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id)
) STRICT;
CREATE INDEX payment_attempts_open ON payment_attempts (created_at) WHERE state = 'processing';

-- The sandbox provider's own books: what it answered, by the attempt it was asked for.
CREATE TABLE sandbox_charges (
    attempt_id TEXT NOT NULL PRIMARY KEY,
    answer TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
