-- Selling settles a hold and touches no counter. What was sold since is marked as unfolded on its
-- lines, and a sweep adds it to the counter's own sum, so that reading a counter costs what
-- happened lately and not what ever happened.
ALTER TABLE counters ADD COLUMN sold INTEGER NOT NULL DEFAULT 0 CHECK (sold >= 0);
ALTER TABLE hold_lines ADD COLUMN unfolded INTEGER NOT NULL DEFAULT 0 CHECK (unfolded IN (0, 1));
UPDATE hold_lines SET unfolded = TRUE WHERE EXISTS (SELECT 1 FROM holds h
    WHERE h.organization_id = hold_lines.organization_id AND h.id = hold_lines.hold_id
    AND h.state = 'sold');
CREATE INDEX hold_lines_unfolded ON hold_lines (organization_id, counter_id) WHERE unfolded;
