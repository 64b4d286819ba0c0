-- Lists look through keys; only the page's events are read whole.
CREATE INDEX events_listed ON events (organization_id, mode, id, status, visibility);
