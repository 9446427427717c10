-- Of a load of another shape, by which mapping its records were made, and from the lines of which files.

ALTER TABLE event_store.batch ADD COLUMN source jsonb;
COMMENT ON COLUMN event_store.batch.source IS
    'Name and SHA-256 of the mapping, and by kind of record the real file; null where the extract held the nine files';
