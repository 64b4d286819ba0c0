-- What belongs to a payment or an event, or bears an address, is found by that first: an id has one
-- owner, and a channel's rows are of many organizations.
CREATE INDEX payments_of_reference ON payments (reference, organization_id, channel_id) WHERE reference IS NOT NULL;
DROP INDEX payments_of_event;
CREATE INDEX payments_of_event ON payments (event_id, id);
CREATE INDEX payment_attempts_of_payment ON payment_attempts (payment_id, id);
DROP INDEX tickets_of_payment;
CREATE INDEX tickets_of_payment ON tickets (payment_id, position);
DROP INDEX tickets_of_event;
CREATE INDEX tickets_of_event ON tickets (event_id, id);
DROP INDEX tickets_of_holder;
CREATE INDEX tickets_of_holder ON tickets (email, organization_id, channel_id) WHERE email IS NOT NULL;
CREATE INDEX refunds_of_event ON refunds (event_id, id);
DROP INDEX refunds_of_payment;
CREATE INDEX refunds_of_payment ON refunds (payment_id, id);
CREATE INDEX deliveries_of_event ON deliveries (event_id, id);
CREATE INDEX deliveries_of_recipient ON deliveries (recipient, organization_id, channel_id);
DROP INDEX deliveries_of_payment;
CREATE INDEX deliveries_of_payment ON deliveries (payment_id, id);

-- For looking one up only. In order, PostgreSQL walked everybody's events along it to list one
-- organization's, once it took that organization for a large one.
DROP INDEX events_by_id;
CREATE INDEX events_by_id ON events USING hash (id);
DROP INDEX ticket_rates_by_id;
CREATE INDEX ticket_rates_by_id ON ticket_rates USING hash (id);
