-- What the log knows of earlier loads, an empty quarantine, the files that the extract has, the fields of optional
-- columns that it lacks, and those of required ones that its source may not know, and the words of its source that are
-- known (of kind method or state); `part` holds the fingerprints of optional columns that the extract has, each as of a
-- file of its own (file.column); `missing_count` what it lacks, of a source whose extracts hold everything (missing.sql),
-- `in_part` the files of which it does not hold everything all the same.
-- A record is known by its file and its number there; one line may hold several. What has too few or too many cells to be
-- a record has no number.

CREATE TABLE known_fingerprint (file VARCHAR, key UUID, fingerprint UUID);
CREATE TABLE superseded_fingerprint (file VARCHAR, key UUID, fingerprint UUID);
CREATE TABLE known_order (order_id UUID, customer_alias UUID, status VARCHAR, placed_at TIMESTAMP, sellers UUID[]);
CREATE TABLE known_alias (customer_alias UUID, customer_id UUID);
CREATE TABLE known_seller (seller_id UUID, zip_prefix VARCHAR);
CREATE TABLE known_source_record (batch_seq INTEGER, file VARCHAR, key UUID, line INTEGER, order_id UUID, is_there BOOLEAN);
CREATE TABLE known_complete_load (batch_seq INTEGER, file VARCHAR);
CREATE TABLE erased_person (customer_id UUID);
CREATE TABLE malformed_row (file VARCHAR, rows BIGINT);
CREATE TABLE in_part (file VARCHAR);
CREATE TABLE missing_count (file VARCHAR, known BIGINT, missing BIGINT, unreadable BIGINT);

CREATE TABLE quarantine (file VARCHAR, line INTEGER, lines INTEGER, record INTEGER, rule VARCHAR, reason VARCHAR);
CREATE TABLE staged_file (file VARCHAR, records BIGINT);
CREATE TABLE unsaid (file VARCHAR, field VARCHAR);
CREATE TABLE may_be_unknown (file VARCHAR, field VARCHAR);
CREATE TABLE known_word (kind VARCHAR, word VARCHAR);
CREATE TEMP TABLE part (of_file VARCHAR, file VARCHAR, record INTEGER, key UUID, fingerprint UUID);
CREATE TEMP MACRO is_unknown(name, of_field) AS EXISTS (
    SELECT 1 FROM may_be_unknown WHERE file = name AND field = of_field);
CREATE TEMP MACRO is_staged(name) AS EXISTS (SELECT 1 FROM staged_file WHERE file = name);
