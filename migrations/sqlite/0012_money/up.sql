-- A payment may be authorized (tickets out, money later), may be a plain charge without an event,
-- and money that came late is decided once. draft and disbursed are for what is to come.
-- Rebuilt, since SQLite cannot change a constraint.
CREATE TABLE new_payments (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    channel_id TEXT,
    event_id TEXT,
    status TEXT NOT NULL CHECK (status IN
        ('draft', 'pending', 'authorized', 'paid', 'disbursed', 'expired', 'cancelled')),
    collects TEXT NOT NULL CHECK (collects IN ('platform', 'channel', 'organization')),
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    fees_minor INTEGER NOT NULL CHECK (fees_minor >= 0),
    paid_minor INTEGER NOT NULL CHECK (paid_minor >= 0),
    refunded_minor INTEGER NOT NULL CHECK (refunded_minor >= 0),
    num_tickets INTEGER NOT NULL CHECK (num_tickets >= 0),
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
    customer_id TEXT,
    authorized_at TEXT,
    late_outcome TEXT CHECK (late_outcome IN ('held_again', 'refunded', 'refund_buyer')),
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id),
    CHECK (refunded_minor <= paid_minor)
) STRICT;
INSERT INTO new_payments SELECT organization_id, id, mode, channel_id, event_id, status, collects,
    currency, amount_minor, fees_minor, paid_minor, refunded_minor, num_tickets, send_resources,
    metadata, reference, kind, card, language, description, buyer_name, buyer_email, buyer_phone,
    processing_attempt_id, late_at, version, created_at, paid_at, expires_at, updated_at, NULL,
    NULL, CASE WHEN late_at IS NOT NULL THEN 'refund_buyer' END FROM payments;
DROP TABLE payments;
ALTER TABLE new_payments RENAME TO payments;
CREATE INDEX payments_of_organization ON payments (organization_id, mode, id);
CREATE INDEX payments_of_channel ON payments (channel_id, mode, id);
CREATE INDEX payments_of_event ON payments (organization_id, event_id, id);
CREATE INDEX payments_due ON payments (expires_at)
    WHERE status = 'pending' AND processing_attempt_id IS NULL;
CREATE INDEX payments_of_customer ON payments (customer_id) WHERE customer_id IS NOT NULL;

-- What a provider refused without being sure is asked about once more.
ALTER TABLE payment_attempts ADD COLUMN confirmed_at TEXT;
UPDATE payment_attempts SET confirmed_at = finished_at WHERE code = 'processing_error';
CREATE INDEX payment_attempts_unsure ON payment_attempts (finished_at)
    WHERE code = 'processing_error' AND confirmed_at IS NULL;

-- attempt_id is the charge that is given back; without one the money moves elsewhere.
CREATE TABLE refunds (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    channel_id TEXT,
    event_id TEXT,
    payment_id TEXT NOT NULL,
    attempt_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    reason TEXT,
    cause TEXT NOT NULL CHECK (cause IN ('requested', 'event_cancelled', 'late_money',
        'paid_twice')),
    requested_by TEXT,
    failure_code TEXT,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    processed_at TEXT,
    asked_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id)
) STRICT;
CREATE INDEX refunds_of_organization ON refunds (organization_id, mode, id);
CREATE INDEX refunds_of_channel ON refunds (channel_id, mode, id);
CREATE INDEX refunds_of_payment ON refunds (organization_id, payment_id, id);
CREATE INDEX refunds_open ON refunds (asked_at) WHERE state = 'pending';

-- What of a refund was for which ticket. Money that did not move after all is marked as failed.
CREATE TABLE ticket_refunds (
    organization_id TEXT NOT NULL,
    ticket_id TEXT NOT NULL,
    refund_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    failed INTEGER NOT NULL CHECK (failed IN (0, 1)),
    requested_by TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, ticket_id, refund_id),
    FOREIGN KEY (organization_id, ticket_id) REFERENCES tickets (organization_id, id)
) STRICT;
CREATE INDEX ticket_refunds_of_refund ON ticket_refunds (organization_id, refund_id);
ALTER TABLE tickets ADD COLUMN refunded_minor INTEGER NOT NULL DEFAULT 0
    CHECK (refunded_minor >= 0 AND refunded_minor <= price_minor + fee_minor);

-- The sandbox provider's own books: what it gave back, by the refund it was asked for.
CREATE TABLE sandbox_refunds (
    refund_id TEXT NOT NULL PRIMARY KEY,
    answer TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- A payment's history is read by what changed.
CREATE INDEX changes_of_object ON changes (organization_id, object_id, sequence);
