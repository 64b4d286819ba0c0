-- No foreign key points to counters: a key to a hot row halves its speed.
CREATE TABLE counters (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    capacity INTEGER CHECK (capacity >= 0),
    taken INTEGER NOT NULL CHECK (taken >= 0),
    revision INTEGER NOT NULL,
    ever_taken INTEGER NOT NULL CHECK (ever_taken IN (0, 1)),
    PRIMARY KEY (organization_id, id),
    CHECK (taken <= capacity)
) STRICT;

-- The state of this one row decides between paying and expiring.
CREATE TABLE holds (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'settling', 'sold', 'released')),
    expires_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id)
) STRICT;

-- overdue_at repeats the hold's expires_at while it is held, and is empty otherwise.
CREATE TABLE hold_lines (
    organization_id TEXT NOT NULL,
    hold_id TEXT NOT NULL,
    counter_id TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unsettled INTEGER NOT NULL CHECK (unsettled IN (0, 1)),
    overdue_at TEXT,
    PRIMARY KEY (organization_id, hold_id, counter_id),
    FOREIGN KEY (organization_id, hold_id) REFERENCES holds (organization_id, id)
) STRICT;
CREATE INDEX hold_lines_unsettled ON hold_lines (organization_id, counter_id, overdue_at)
    WHERE unsettled;
