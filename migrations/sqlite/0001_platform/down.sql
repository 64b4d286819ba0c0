DROP TABLE jobs;
DROP TABLE feed_heads;
DROP TABLE feed;
DROP TABLE changes_pending;
DROP TABLE changes;
DROP TABLE idempotency_keys;
DROP TABLE server_settings;
