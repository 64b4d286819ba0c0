-- latitude_e6 and longitude_e6 are millionths of a degree.
CREATE TABLE locations (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id),
    id TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test')),
    name TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C",
    address_line2 TEXT COLLATE "C",
    postal_code TEXT COLLATE "C",
    city TEXT COLLATE "C",
    state TEXT COLLATE "C",
    country TEXT COLLATE "C",
    latitude_e6 BIGINT,
    longitude_e6 BIGINT,
    timezone TEXT COLLATE "C",
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX locations_of_organization ON locations (organization_id, mode, id);

-- start_day is the day it begins where it is; search_text is what it is found by, in lower case.
ALTER TABLE events ADD COLUMN location_id TEXT COLLATE "C";
ALTER TABLE events ADD COLUMN start_day TEXT COLLATE "C";
ALTER TABLE events ADD COLUMN search_text TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE events SET search_text = lower(title || ' ' || COALESCE(venue, '')),
    start_day = to_char(start_date AT TIME ZONE COALESCE(timezone, 'UTC'), 'YYYY-MM-DD');
CREATE INDEX events_of_location ON events (organization_id, location_id);
