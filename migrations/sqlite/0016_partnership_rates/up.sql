-- rate_ids: the rates that the channel sells, as JSON; null: all.
ALTER TABLE partnerships ADD COLUMN rate_ids TEXT;
