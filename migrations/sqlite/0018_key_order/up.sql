-- Where keys begin with their owner, every organization has a place of its own in every tree at
-- which its next row belongs, and SQLite writes whole pages: a commit with sales of ten
-- organizations wrote ten places of each tree, and moved what stood beside them. Ids are in the
-- order of time: with the id first all new rows belong at the end. A key is the same whatever its
-- order, and who looks for a row of an owner names both.
--
-- Lists go by the owner, and keep the indexes that begin with it. PostgreSQL has nothing to do: it
-- writes rows where there is room, and what changed of a page rather than the page.

CREATE TABLE new_changes (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    channel_id TEXT,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    event_id TEXT,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    data_organization TEXT NOT NULL,
    data_channel TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (id, organization_id)
) STRICT;
INSERT INTO new_changes SELECT * FROM changes;
DROP TABLE changes;
ALTER TABLE new_changes RENAME TO changes;
CREATE INDEX changes_of_object ON changes (object_id, sequence);

CREATE TABLE new_holds (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'settling', 'sold', 'released')),
    expires_at TEXT NOT NULL,
    PRIMARY KEY (id, organization_id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_holds SELECT * FROM holds;
DROP TABLE holds;
ALTER TABLE new_holds RENAME TO holds;
CREATE INDEX holds_due ON holds (expires_at) WHERE state = 'held';

CREATE TABLE new_hold_lines (
    organization_id TEXT NOT NULL,
    hold_id TEXT NOT NULL,
    counter_id TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unfolded INTEGER NOT NULL DEFAULT 0 CHECK (unfolded IN (0, 1)),
    PRIMARY KEY (hold_id, organization_id, counter_id),
    FOREIGN KEY (organization_id, hold_id) REFERENCES holds (organization_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_hold_lines SELECT * FROM hold_lines;
DROP TABLE hold_lines;
ALTER TABLE new_hold_lines RENAME TO hold_lines;
CREATE INDEX hold_lines_unfolded ON hold_lines (organization_id, counter_id, quantity, unfolded)
    WHERE unfolded;

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
    PRIMARY KEY (id, organization_id),
    FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id),
    CHECK (refunded_minor <= paid_minor)
) STRICT;
INSERT INTO new_payments SELECT * FROM payments;
DROP TABLE payments;
ALTER TABLE new_payments RENAME TO payments;
CREATE INDEX payments_of_organization ON payments (organization_id, mode, id);
CREATE INDEX payments_of_channel ON payments (channel_id, mode, id);
CREATE INDEX payments_of_event ON payments (event_id, id);
CREATE INDEX payments_due ON payments (expires_at)
    WHERE status = 'pending' AND processing_attempt_id IS NULL;
CREATE INDEX payments_of_customer ON payments (customer_id) WHERE customer_id IS NOT NULL;

CREATE TABLE new_payment_items (
    organization_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    rate_id TEXT NOT NULL,
    price_id TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unit_minor INTEGER NOT NULL CHECK (unit_minor >= 0),
    fees_minor INTEGER NOT NULL CHECK (fees_minor >= 0),
    PRIMARY KEY (payment_id, organization_id, position),
    FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_payment_items SELECT * FROM payment_items;
DROP TABLE payment_items;
ALTER TABLE new_payment_items RENAME TO payment_items;

CREATE TABLE new_tickets (
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
    refunded_minor INTEGER NOT NULL DEFAULT 0
        CHECK (refunded_minor >= 0 AND refunded_minor <= price_minor + fee_minor),
    PRIMARY KEY (id, organization_id),
    UNIQUE (organization_id, code),
    FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id)
) STRICT;
INSERT INTO new_tickets SELECT * FROM tickets;
DROP TABLE tickets;
ALTER TABLE new_tickets RENAME TO tickets;
CREATE INDEX tickets_of_payment ON tickets (payment_id, position);
CREATE INDEX tickets_of_event ON tickets (event_id, id);
CREATE INDEX tickets_of_organization ON tickets (organization_id, mode, id);
CREATE INDEX tickets_of_channel ON tickets (channel_id, mode, id);
CREATE INDEX tickets_of_holder ON tickets (organization_id, mode, email) WHERE email IS NOT NULL;

-- What a grown database looks like: rows of an index, then rows that share its first column, its
-- first two, and so on. Without it SQLite takes any two columns for better than one, and lists an
-- event's tickets by looking through all of its organization.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('changes', 'sqlite_autoindex_changes_1', '4000000 1 1'),
    ('changes', 'changes_of_object', '4000000 3 1'),
    ('holds', 'holds', '1000000 1 1'),
    ('holds', 'holds_due', '5000 1'),
    ('hold_lines', 'hold_lines', '3000000 3 3 1'),
    ('hold_lines', 'hold_lines_unfolded', '500 100 10 5 5'),
    ('payments', 'sqlite_autoindex_payments_1', '1000000 1 1'),
    ('payments', 'payments_of_organization', '1000000 50000 40000 1'),
    ('payments', 'payments_of_channel', '1000000 50000 40000 1'),
    ('payments', 'payments_of_event', '1000000 500 1'),
    ('payments', 'payments_due', '5000 1'),
    ('payments', 'payments_of_customer', '100000 5'),
    ('payment_items', 'payment_items', '1000000 1 1 1'),
    ('tickets', 'sqlite_autoindex_tickets_1', '2000000 1 1'),
    ('tickets', 'sqlite_autoindex_tickets_2', '2000000 100000 1'),
    ('tickets', 'tickets_of_payment', '2000000 2 1'),
    ('tickets', 'tickets_of_event', '2000000 1000 1'),
    ('tickets', 'tickets_of_organization', '2000000 100000 80000 1'),
    ('tickets', 'tickets_of_channel', '2000000 100000 80000 1'),
    ('tickets', 'tickets_of_holder', '1000000 50000 40000 5');
