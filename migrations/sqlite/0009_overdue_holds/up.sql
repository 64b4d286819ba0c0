-- What is overdue is found by the holds themselves: their lines never change but for being sold,
-- and a purchase has one tree to write for its expiry instead of one entry for every counter.
--
-- Small rows that are always found by their key are kept in the key's own tree: one tree to write
-- instead of two. Rebuilt, since SQLite cannot change how a table is kept.
CREATE TABLE new_holds (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('held', 'settling', 'sold', 'released')),
    expires_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_holds SELECT organization_id, id, state, expires_at FROM holds;

CREATE TABLE new_hold_lines (
    organization_id TEXT NOT NULL,
    hold_id TEXT NOT NULL,
    counter_id TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unfolded INTEGER NOT NULL DEFAULT 0 CHECK (unfolded IN (0, 1)),
    PRIMARY KEY (organization_id, hold_id, counter_id),
    FOREIGN KEY (organization_id, hold_id) REFERENCES new_holds (organization_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_hold_lines SELECT organization_id, hold_id, counter_id, quantity, unfolded
    FROM hold_lines;
DROP TABLE hold_lines;
DROP TABLE holds;
-- Renaming carries the reference along.
ALTER TABLE new_holds RENAME TO holds;
ALTER TABLE new_hold_lines RENAME TO hold_lines;
CREATE INDEX holds_due ON holds (organization_id, expires_at) WHERE state = 'held';
-- With everything a sum needs, or it would be made from the key's tree and read every line there
-- is: SQLite takes a partial index for no smaller than its table.
CREATE INDEX hold_lines_unfolded ON hold_lines (organization_id, counter_id, quantity, unfolded)
    WHERE unfolded;

CREATE TABLE new_payment_items (
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
) STRICT, WITHOUT ROWID;
INSERT INTO new_payment_items SELECT organization_id, payment_id, position, rate_id, price_id,
    quantity, unit_minor, fees_minor FROM payment_items;
DROP TABLE payment_items;
ALTER TABLE new_payment_items RENAME TO payment_items;

CREATE TABLE new_feed (
    tenant_id TEXT NOT NULL,
    mode TEXT NOT NULL,
    seq INTEGER NOT NULL,
    organization_id TEXT NOT NULL,
    change_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, mode, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO new_feed SELECT tenant_id, mode, seq, organization_id, change_id FROM feed;
DROP TABLE feed;
ALTER TABLE new_feed RENAME TO feed;
