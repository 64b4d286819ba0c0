-- What a payment may be stays as wide as it is: rows that use it may be there.
DROP INDEX changes_of_object;
DROP TABLE sandbox_refunds;
ALTER TABLE tickets DROP COLUMN refunded_minor;
DROP TABLE ticket_refunds;
DROP TABLE refunds;
DROP INDEX payment_attempts_unsure;
ALTER TABLE payment_attempts DROP COLUMN confirmed_at;
DROP INDEX payments_of_customer;
ALTER TABLE payments DROP COLUMN late_outcome;
ALTER TABLE payments DROP COLUMN authorized_at;
ALTER TABLE payments DROP COLUMN customer_id;
