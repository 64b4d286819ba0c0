-- Lists look through keys; only the page's events are read whole.
CREATE INDEX events_listed ON events (organization_id, mode, id, status, visibility);

-- Where several indexes have as many columns in common with a question, these decide (see 0018).
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('events', 'sqlite_autoindex_events_1', '100000 5000 1'),
    ('events', 'sqlite_autoindex_events_2', '100000 5000 4000 1'),
    ('events', 'events_by_id', '100000 1'),
    ('events', 'events_by_number', '100000 1'),
    ('events', 'events_of_location', '100000 5000 20'),
    ('events', 'events_listed', '100000 5000 4000 1 1 1');

-- A channel's tickets of a holder are not looked for in every organization.
UPDATE sqlite_stat1 SET stat = '1000000 50000 40000 5 noskipscan' WHERE idx = 'tickets_of_holder';
