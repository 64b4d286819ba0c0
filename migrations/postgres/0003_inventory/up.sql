-- No foreign key points to counters: a key to a hot row halves its speed.
CREATE TABLE counters (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    capacity BIGINT CHECK (capacity >= 0),
    taken BIGINT NOT NULL CHECK (taken >= 0),
    revision BIGINT NOT NULL,
    ever_taken BOOLEAN NOT NULL,
    PRIMARY KEY (organization_id, id),
    CHECK (taken <= capacity)
);

-- The state of this one row decides between paying and expiring.
CREATE TABLE holds (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('held', 'settling', 'sold', 'released')),
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, id)
);

-- overdue_at repeats the hold's expires_at while it is held, and is empty otherwise.
CREATE TABLE hold_lines (
    organization_id TEXT COLLATE "C" NOT NULL,
    hold_id TEXT COLLATE "C" NOT NULL,
    counter_id TEXT COLLATE "C" NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    unsettled BOOLEAN NOT NULL,
    overdue_at TIMESTAMPTZ,
    PRIMARY KEY (organization_id, hold_id, counter_id),
    FOREIGN KEY (organization_id, hold_id) REFERENCES holds (organization_id, id)
);
CREATE INDEX hold_lines_unsettled ON hold_lines (organization_id, counter_id, overdue_at)
    WHERE unsettled;
