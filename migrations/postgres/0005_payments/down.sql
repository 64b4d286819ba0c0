DROP TABLE sandbox_charges;
DROP TABLE payment_attempts;
DROP TABLE payment_references;
DROP TABLE payment_items;
DROP TABLE payments;
