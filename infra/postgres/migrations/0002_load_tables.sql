-- What the loads keep beside the log: how far they are, which records they have seen, and what later loads must look up
-- of earlier ones. Written in the same transactions as the events. In the tables with `batch_seq` rows are only added;
-- the current one is that of the highest batch_seq that was not retracted.
--
-- The order of the columns is that of the COPY lines in infra/loading.

CREATE TABLE event_store.batch (
    batch_seq int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id uuid NOT NULL UNIQUE,
    name text NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'rejected', 'completed', 'retracted')),
    opened_at timestamptz NOT NULL,
    completed_at timestamptz,
    files jsonb NOT NULL,
    attempt int NOT NULL,
    as_of date,
    units int[] NOT NULL,
    owner uuid,
    outcome jsonb
);
COMMENT ON TABLE event_store.batch IS 'The loads, as the write side must know them; quality.batch is for readers';
COMMENT ON COLUMN event_store.batch.batch_seq IS 'The order of the loads';
COMMENT ON COLUMN event_store.batch.batch_id IS 'UUIDv5 of the hashes of its files and the attempt';
COMMENT ON COLUMN event_store.batch.name IS 'What the user calls it';
COMMENT ON COLUMN event_store.batch.status IS 'open, rejected, completed or retracted';
COMMENT ON COLUMN event_store.batch.opened_at IS 'When it was opened';
COMMENT ON COLUMN event_store.batch.completed_at IS 'When it was completed or rejected';
COMMENT ON COLUMN event_store.batch.files IS 'By short name of the file, its SHA-256';
COMMENT ON COLUMN event_store.batch.attempt IS 'How many loads of the same files came before it';
COMMENT ON COLUMN event_store.batch.as_of IS 'The date at which it evaluates segments';
COMMENT ON COLUMN event_store.batch.units IS 'How its work is divided: the first bucket of each unit';
COMMENT ON COLUMN event_store.batch.owner IS 'Token of the process at work on it; who finds another one stops';
COMMENT ON COLUMN event_store.batch.outcome IS 'What its command answered';

CREATE UNIQUE INDEX batch_open ON event_store.batch ((true)) WHERE status = 'open';
COMMENT ON INDEX event_store.batch_open IS 'One load at a time';

CREATE TABLE event_store.batch_progress (
    batch_id uuid NOT NULL,
    unit int NOT NULL,
    part int NOT NULL,
    bucket int NOT NULL,
    kind int NOT NULL,
    key uuid NOT NULL,
    is_done bool NOT NULL,
    events jsonb NOT NULL,
    PRIMARY KEY (batch_id, unit, part)
);
COMMENT ON TABLE event_store.batch_progress IS 'The chunks of a load that are done: a killed load goes on after them';
COMMENT ON COLUMN event_store.batch_progress.batch_id IS 'The load';
COMMENT ON COLUMN event_store.batch_progress.unit IS 'The run of buckets, by its first, or the pass after them';
COMMENT ON COLUMN event_store.batch_progress.part IS 'The chunk in it, from 0';
COMMENT ON COLUMN event_store.batch_progress.bucket IS 'Place of its last family in the plan: the bucket';
COMMENT ON COLUMN event_store.batch_progress.kind IS 'Place of its last family in the plan: the kind of family';
COMMENT ON COLUMN event_store.batch_progress.key IS 'Place of its last family in the plan: the family''s key';
COMMENT ON COLUMN event_store.batch_progress.is_done IS 'Whether the unit is done with this chunk';
COMMENT ON COLUMN event_store.batch_progress.events IS 'By context, how many events it appended';

CREATE TABLE event_store.row_fingerprint (
    batch_seq int NOT NULL,
    file text NOT NULL,
    key uuid NOT NULL,
    fingerprint uuid NOT NULL
);
COMMENT ON TABLE event_store.row_fingerprint IS 'The records seen: one row per new or changed record';
COMMENT ON COLUMN event_store.row_fingerprint.batch_seq IS 'The load that brought it';
COMMENT ON COLUMN event_store.row_fingerprint.file IS 'Short name of the file';
COMMENT ON COLUMN event_store.row_fingerprint.key IS 'The record''s key, or a hash of it';
COMMENT ON COLUMN event_store.row_fingerprint.fingerprint IS 'Hash of what it says';

CREATE TABLE event_store.order_reference (
    batch_seq int NOT NULL,
    order_id uuid NOT NULL,
    customer_alias uuid NOT NULL,
    status text NOT NULL,
    placed_at timestamp NOT NULL,
    sellers uuid[] NOT NULL
);
COMMENT ON TABLE event_store.order_reference IS 'Whose order, and from which sellers';
COMMENT ON COLUMN event_store.order_reference.batch_seq IS 'The load that brought it';
COMMENT ON COLUMN event_store.order_reference.order_id IS 'The order';
COMMENT ON COLUMN event_store.order_reference.customer_alias IS 'The alias that placed it';
COMMENT ON COLUMN event_store.order_reference.status IS 'Its status, in the source''s words';
COMMENT ON COLUMN event_store.order_reference.placed_at IS 'When it was placed, local time';
COMMENT ON COLUMN event_store.order_reference.sellers IS 'The sellers of its lines, sorted';

CREATE TABLE event_store.alias_reference (
    batch_seq int NOT NULL,
    customer_alias uuid NOT NULL,
    customer_id uuid NOT NULL
);
COMMENT ON TABLE event_store.alias_reference IS 'Which person an alias is';
COMMENT ON COLUMN event_store.alias_reference.batch_seq IS 'The load that brought it';
COMMENT ON COLUMN event_store.alias_reference.customer_alias IS 'The alias';
COMMENT ON COLUMN event_store.alias_reference.customer_id IS 'The person';

CREATE TABLE event_store.seller_reference (
    batch_seq int NOT NULL,
    seller_id uuid NOT NULL,
    zip_prefix text NOT NULL
);
COMMENT ON TABLE event_store.seller_reference IS 'Where a seller ships from';
COMMENT ON COLUMN event_store.seller_reference.batch_seq IS 'The load that brought it';
COMMENT ON COLUMN event_store.seller_reference.seller_id IS 'The seller';
COMMENT ON COLUMN event_store.seller_reference.zip_prefix IS 'Five digits';

CREATE TABLE event_store.review_reference (
    batch_seq int NOT NULL,
    order_id uuid NOT NULL,
    review_id uuid NOT NULL
);
CREATE INDEX review_reference_by_order ON event_store.review_reference (order_id);
COMMENT ON TABLE event_store.review_reference IS 'The reviews of an order';
COMMENT ON COLUMN event_store.review_reference.batch_seq IS 'The load that brought it';
COMMENT ON COLUMN event_store.review_reference.order_id IS 'The order';
COMMENT ON COLUMN event_store.review_reference.review_id IS 'The source''s id, which several orders may share';

CREATE TABLE event_store.segment_due (
    batch_seq int NOT NULL,
    customer_id uuid NOT NULL,
    due date
);
COMMENT ON TABLE event_store.segment_due IS 'When a person''s segment must be looked at again though nothing happened';
COMMENT ON COLUMN event_store.segment_due.batch_seq IS 'The load that found out';
COMMENT ON COLUMN event_store.segment_due.customer_id IS 'The person';
COMMENT ON COLUMN event_store.segment_due.due IS 'The last purchase + 181 days; null where there is none';
