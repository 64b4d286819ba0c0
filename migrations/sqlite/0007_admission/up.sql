-- Every passage through a door, for good.
CREATE TABLE admissions (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    ticket_id TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in')),
    created_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, ticket_id) REFERENCES tickets (organization_id, id)
) STRICT;
CREATE INDEX admissions_of_ticket ON admissions (organization_id, ticket_id);
