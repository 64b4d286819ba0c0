ALTER TABLE channels DROP COLUMN deleted_at;
ALTER TABLE organizations DROP COLUMN deleted_at;
