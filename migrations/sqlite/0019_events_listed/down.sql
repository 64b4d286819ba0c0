UPDATE sqlite_stat1 SET stat = '1000000 50000 40000 5' WHERE idx = 'tickets_of_holder';
DELETE FROM sqlite_stat1 WHERE tbl = 'events';
DROP INDEX events_listed;
