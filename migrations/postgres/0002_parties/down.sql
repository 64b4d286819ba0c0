DROP TABLE api_keys;
DROP TABLE partnerships;
DROP TABLE channels;
DROP TABLE organizations;
