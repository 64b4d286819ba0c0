-- For SQLite only: it writes whole pages, and wants new rows side by side.
SELECT 1;
