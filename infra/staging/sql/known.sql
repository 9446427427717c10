-- What the log knows of earlier loads, an empty quarantine, and the files that the extract has.

CREATE TABLE known_fingerprint (file VARCHAR, key UUID, fingerprint UUID);
CREATE TABLE superseded_fingerprint (file VARCHAR, key UUID, fingerprint UUID);
CREATE TABLE known_order (order_id UUID, customer_alias UUID, status VARCHAR, placed_at TIMESTAMP, sellers UUID[]);
CREATE TABLE known_alias (customer_alias UUID, customer_id UUID);
CREATE TABLE known_seller (seller_id UUID, zip_prefix VARCHAR);

CREATE TABLE quarantine (file VARCHAR, line INTEGER, lines INTEGER, rule VARCHAR, reason VARCHAR);
CREATE TABLE staged_file (file VARCHAR, records BIGINT);
CREATE TEMP MACRO is_staged(name) AS EXISTS (SELECT 1 FROM staged_file WHERE file = name);
