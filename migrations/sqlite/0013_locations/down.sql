DROP INDEX events_of_location;
ALTER TABLE events DROP COLUMN search_text;
ALTER TABLE events DROP COLUMN start_day;
ALTER TABLE events DROP COLUMN location_id;
DROP TABLE locations;
