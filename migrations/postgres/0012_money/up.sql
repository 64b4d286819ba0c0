-- A payment may be authorized (tickets out, money later), may be a plain charge without an event,
-- and money that came late is decided once. draft and disbursed are for what is to come.
ALTER TABLE payments DROP CONSTRAINT payments_status_check;
ALTER TABLE payments ADD CONSTRAINT payments_status_check CHECK (status IN
    ('draft', 'pending', 'authorized', 'paid', 'disbursed', 'expired', 'cancelled'));
ALTER TABLE payments DROP CONSTRAINT payments_num_tickets_check;
ALTER TABLE payments ADD CONSTRAINT payments_num_tickets_check CHECK (num_tickets >= 0);
ALTER TABLE payments ALTER COLUMN event_id DROP NOT NULL;
ALTER TABLE payments ADD COLUMN customer_id TEXT COLLATE "C";
ALTER TABLE payments ADD COLUMN authorized_at TIMESTAMPTZ;
ALTER TABLE payments ADD COLUMN late_outcome TEXT COLLATE "C"
    CHECK (late_outcome IN ('held_again', 'refunded', 'refund_buyer'));
UPDATE payments SET late_outcome = 'refund_buyer' WHERE late_at IS NOT NULL;
CREATE INDEX payments_of_customer ON payments (customer_id) WHERE customer_id IS NOT NULL;

-- What a provider refused without being sure is asked about once more.
ALTER TABLE payment_attempts ADD COLUMN confirmed_at TIMESTAMPTZ;
UPDATE payment_attempts SET confirmed_at = finished_at WHERE code = 'processing_error';
CREATE INDEX payment_attempts_unsure ON payment_attempts (finished_at)
    WHERE code = 'processing_error' AND confirmed_at IS NULL;

-- attempt_id is the charge that is given back; without one the money moves elsewhere.
CREATE TABLE refunds (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test')),
    channel_id TEXT COLLATE "C",
    event_id TEXT COLLATE "C",
    payment_id TEXT COLLATE "C" NOT NULL,
    attempt_id TEXT COLLATE "C",
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    currency TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    cause TEXT COLLATE "C" NOT NULL CHECK (cause IN ('requested', 'event_cancelled', 'late_money',
        'paid_twice')),
    requested_by TEXT COLLATE "C",
    failure_code TEXT COLLATE "C",
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    processed_at TIMESTAMPTZ,
    asked_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id)
);
CREATE INDEX refunds_of_organization ON refunds (organization_id, mode, id);
CREATE INDEX refunds_of_channel ON refunds (channel_id, mode, id);
CREATE INDEX refunds_of_payment ON refunds (organization_id, payment_id, id);
CREATE INDEX refunds_open ON refunds (asked_at) WHERE state = 'pending';

-- What of a refund was for which ticket. Money that did not move after all is marked as failed.
CREATE TABLE ticket_refunds (
    organization_id TEXT COLLATE "C" NOT NULL,
    ticket_id TEXT COLLATE "C" NOT NULL,
    refund_id TEXT COLLATE "C" NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    failed BOOLEAN NOT NULL,
    requested_by TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, ticket_id, refund_id),
    FOREIGN KEY (organization_id, ticket_id) REFERENCES tickets (organization_id, id)
);
CREATE INDEX ticket_refunds_of_refund ON ticket_refunds (organization_id, refund_id);
ALTER TABLE tickets ADD COLUMN refunded_minor BIGINT NOT NULL DEFAULT 0
    CHECK (refunded_minor >= 0 AND refunded_minor <= price_minor + fee_minor);

-- The sandbox provider's own books: what it gave back, by the refund it was asked for.
CREATE TABLE sandbox_refunds (
    refund_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    answer TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- A payment's history is read by what changed.
CREATE INDEX changes_of_object ON changes (organization_id, object_id, sequence);
