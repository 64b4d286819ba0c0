ALTER TABLE partnerships DROP COLUMN rate_ids;
