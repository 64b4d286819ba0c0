DROP INDEX holds_due;
ALTER TABLE hold_lines ADD COLUMN unsettled BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE hold_lines ADD COLUMN overdue_at TIMESTAMPTZ;
UPDATE hold_lines SET unsettled = (SELECT h.state IN ('held', 'settling') FROM holds h
    WHERE h.organization_id = hold_lines.organization_id AND h.id = hold_lines.hold_id),
    overdue_at = (SELECT CASE WHEN h.state = 'held' THEN h.expires_at END FROM holds h
    WHERE h.organization_id = hold_lines.organization_id AND h.id = hold_lines.hold_id);
CREATE INDEX hold_lines_unsettled ON hold_lines (organization_id, counter_id, overdue_at)
    WHERE unsettled;
