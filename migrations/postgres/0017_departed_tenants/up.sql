-- A tenant that has left stays as the other side of what it sold.
ALTER TABLE organizations ADD COLUMN deleted_at TIMESTAMPTZ;
ALTER TABLE channels ADD COLUMN deleted_at TIMESTAMPTZ;
