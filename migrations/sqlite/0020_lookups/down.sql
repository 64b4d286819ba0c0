DELETE FROM sqlite_stat1 WHERE tbl IN ('payment_attempts', 'refunds', 'deliveries');
DROP INDEX deliveries_of_payment;
CREATE INDEX deliveries_of_payment ON deliveries (organization_id, payment_id, id);
DROP INDEX deliveries_of_recipient;
DROP INDEX deliveries_of_event;
DROP INDEX refunds_of_payment;
CREATE INDEX refunds_of_payment ON refunds (organization_id, payment_id, id);
DROP INDEX refunds_of_event;
DROP INDEX tickets_of_holder;
CREATE INDEX tickets_of_holder ON tickets (organization_id, mode, email) WHERE email IS NOT NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('tickets', 'tickets_of_holder', '1000000 50000 40000 5 noskipscan');
DROP INDEX payment_attempts_of_payment;
DROP INDEX payments_of_reference;
