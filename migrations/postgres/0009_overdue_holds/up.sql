-- What is overdue is found by the holds themselves: their lines never change but for being sold,
-- and a purchase has one index to write for its expiry instead of one entry for every counter.
DROP INDEX hold_lines_unsettled;
ALTER TABLE hold_lines DROP COLUMN unsettled, DROP COLUMN overdue_at;
CREATE INDEX holds_due ON holds (organization_id, expires_at) WHERE state = 'held';
