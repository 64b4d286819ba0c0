ALTER TABLE deliveries DROP COLUMN called_off;
