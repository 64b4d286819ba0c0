DROP INDEX hold_lines_unfolded;
ALTER TABLE hold_lines DROP COLUMN unfolded;
ALTER TABLE counters DROP COLUMN sold;
