-- What belongs to a payment or an event, or bears an address, is found by that alone: an id has one
-- owner, and a channel's rows are of many organizations.
CREATE INDEX payments_of_reference ON payments (reference) WHERE reference IS NOT NULL;
CREATE INDEX payment_attempts_of_payment ON payment_attempts (payment_id);
DROP INDEX tickets_of_holder;
CREATE INDEX tickets_of_holder ON tickets (email) WHERE email IS NOT NULL;
CREATE INDEX refunds_of_event ON refunds (event_id, id);
DROP INDEX refunds_of_payment;
CREATE INDEX refunds_of_payment ON refunds (payment_id, id);
CREATE INDEX deliveries_of_event ON deliveries (event_id, id);
DROP INDEX deliveries_of_payment;
CREATE INDEX deliveries_of_payment ON deliveries (payment_id, id);

-- See 0018.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('payments', 'payments_of_reference', '1000000 1'),
    ('tickets', 'tickets_of_holder', '1000000 5'),
    ('refunds', 'sqlite_autoindex_refunds_1', '100000 5000 1'),
    ('refunds', 'refunds_of_organization', '100000 5000 4000 1'),
    ('refunds', 'refunds_of_channel', '100000 5000 4000 1'),
    ('refunds', 'refunds_of_event', '100000 50 1'),
    ('refunds', 'refunds_of_payment', '100000 1 1'),
    ('refunds', 'refunds_open', '100 1'),
    ('deliveries', 'sqlite_autoindex_deliveries_1', '1000000 50000 1'),
    ('deliveries', 'deliveries_of_organization', '1000000 50000 40000 1'),
    ('deliveries', 'deliveries_of_channel', '1000000 50000 40000 1'),
    ('deliveries', 'deliveries_of_event', '1000000 500 1'),
    ('deliveries', 'deliveries_of_payment', '1000000 1 1');
