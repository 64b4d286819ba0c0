-- People go out again, and scans are taken back.
ALTER TABLE admissions DROP CONSTRAINT admissions_direction_check;
ALTER TABLE admissions ADD CONSTRAINT admissions_direction_check
    CHECK (direction IN ('in', 'out', 'undo'));
CREATE INDEX tickets_of_holder ON tickets (organization_id, mode, email) WHERE email IS NOT NULL;

-- tickets: the ids of those that are sent, as JSON; receipt: whether the receipt is with them.
CREATE TABLE deliveries (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test')),
    channel_id TEXT COLLATE "C",
    event_id TEXT COLLATE "C",
    payment_id TEXT COLLATE "C" NOT NULL,
    refund_id TEXT COLLATE "C",
    recipient TEXT COLLATE "C" NOT NULL,
    tickets TEXT COLLATE "C" NOT NULL,
    receipt BOOLEAN NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
    reason TEXT COLLATE "C",
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    resent_from TEXT COLLATE "C",
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    sent_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, payment_id) REFERENCES payments (organization_id, id)
);
CREATE INDEX deliveries_of_organization ON deliveries (organization_id, mode, id);
CREATE INDEX deliveries_of_channel ON deliveries (channel_id, mode, id);
CREATE INDEX deliveries_of_payment ON deliveries (organization_id, payment_id, id);

-- owner_id is the tenant that knows the buyer. No two of its customers share an e-mail, which is
-- kept as it is compared: in lower case.
CREATE TABLE customers (
    owner_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test')),
    email TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    phone TEXT COLLATE "C",
    address TEXT COLLATE "C",
    metadata TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, mode, email)
);
