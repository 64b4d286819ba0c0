-- How a table is kept is not part of its schema: that stays.
DELETE FROM sqlite_stat1;
