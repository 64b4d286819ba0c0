DROP INDEX events_listed;
