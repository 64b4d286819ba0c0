-- What belongs to a payment or an event, or bears an address, is found by that first: an id has one
-- owner, and a channel's rows are of many organizations.
CREATE INDEX payments_of_reference ON payments (reference, organization_id, channel_id) WHERE reference IS NOT NULL;
CREATE INDEX payment_attempts_of_payment ON payment_attempts (payment_id, id);
DROP INDEX tickets_of_holder;
CREATE INDEX tickets_of_holder ON tickets (email, organization_id, channel_id) WHERE email IS NOT NULL;
CREATE INDEX refunds_of_event ON refunds (event_id, id);
DROP INDEX refunds_of_payment;
CREATE INDEX refunds_of_payment ON refunds (payment_id, id);
CREATE INDEX deliveries_of_event ON deliveries (event_id, id);
CREATE INDEX deliveries_of_recipient ON deliveries (recipient, organization_id, channel_id);
DROP INDEX deliveries_of_payment;
CREATE INDEX deliveries_of_payment ON deliveries (payment_id, id);

-- See 0018.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('payments', 'payments_of_reference', '1000000 1 1 1'),
    ('payment_attempts', 'sqlite_autoindex_payment_attempts_1', '1000000 50000 1'),
    ('payment_attempts', 'payment_attempts_of_payment', '1000000 1 1'),
    ('payment_attempts', 'payment_attempts_open', '100 1'),
    ('payment_attempts', 'payment_attempts_unsure', '100 1'),
    ('tickets', 'tickets_of_holder', '1000000 5 5 5'),
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
    ('deliveries', 'deliveries_of_recipient', '1000000 5 5 5'),
    ('deliveries', 'deliveries_of_payment', '1000000 1 1');
