DROP TABLE rate_prices;
DROP TABLE ticket_rates;
DROP TABLE events;
DROP TABLE event_numbers;
