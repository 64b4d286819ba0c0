-- Which ways there are stays as wide as it is: rows that use them may be there.
DROP TABLE customers;
DROP TABLE deliveries;
DROP INDEX tickets_of_holder;
