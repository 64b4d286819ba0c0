-- called_off: whether it says that the event is cancelled.
ALTER TABLE deliveries ADD COLUMN called_off INTEGER NOT NULL DEFAULT 0 CHECK (called_off IN (0, 1));
