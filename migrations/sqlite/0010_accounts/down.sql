DROP TABLE invitations;
DROP TABLE account_letters;
DROP TABLE sessions;
DROP TABLE members;
DROP TABLE users;
ALTER TABLE channels DROP COLUMN confirmed_at;
ALTER TABLE organizations DROP COLUMN confirmed_at;
