-- called_off: whether it says that the event is cancelled.
ALTER TABLE deliveries ADD COLUMN called_off BOOLEAN NOT NULL DEFAULT FALSE;
