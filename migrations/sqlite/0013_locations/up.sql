-- latitude_e6 and longitude_e6 are millionths of a degree.
CREATE TABLE locations (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    id TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('live', 'test')),
    name TEXT NOT NULL,
    address TEXT,
    address_line2 TEXT,
    postal_code TEXT,
    city TEXT,
    state TEXT,
    country TEXT,
    latitude_e6 INTEGER,
    longitude_e6 INTEGER,
    timezone TEXT,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id)
) STRICT;
CREATE INDEX locations_of_organization ON locations (organization_id, mode, id);

-- SQLite knows no time zones: days of events that are there already are days in UTC until they
-- are changed.
-- start_day is the day it begins where it is; search_text is what it is found by, in lower case.
ALTER TABLE events ADD COLUMN location_id TEXT;
ALTER TABLE events ADD COLUMN start_day TEXT;
ALTER TABLE events ADD COLUMN search_text TEXT NOT NULL DEFAULT '';
UPDATE events SET search_text = lower(title || ' ' || COALESCE(venue, '')),
    start_day = substr(start_date, 1, 10);
CREATE INDEX events_of_location ON events (organization_id, location_id);
