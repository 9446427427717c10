-- What each source had of which its extracts hold everything: when a record was there first, went missing, came back.
-- Loads are taken back from the newest on, so that what the loads still say is what stood there before.

CREATE TABLE event_store.source_record (
    batch_seq int NOT NULL,
    file text NOT NULL,
    key uuid NOT NULL,
    line int,
    order_id uuid,
    seq bigint GENERATED ALWAYS AS IDENTITY (CACHE 1000) PRIMARY KEY
);
COMMENT ON TABLE event_store.source_record IS
    'Records of sources whose extracts hold everything: one row where a record is there first or again, one where it is missing';
COMMENT ON COLUMN event_store.source_record.batch_seq IS 'The load that found it there, or missing';
COMMENT ON COLUMN event_store.source_record.file IS 'Short name of the file';
COMMENT ON COLUMN event_store.source_record.key IS 'The record''s key, or a hash of it';
COMMENT ON COLUMN event_store.source_record.line IS 'Where it stands; null where it is missing';
COMMENT ON COLUMN event_store.source_record.order_id IS 'The order that it is part of: of items, payments and reviews';
COMMENT ON COLUMN event_store.source_record.seq IS 'The row, and nothing else: gaps mean nothing';
