-- Where an extract was when it was loaded, so that its lines can be shown; and which store this is, so that a
-- checkpoint of another one is told from a log that was rewritten.

ALTER TABLE event_store.batch ADD COLUMN origin text;
COMMENT ON COLUMN event_store.batch.origin IS
    'Absolute path of the extract when it was loaded, a folder or a zip; null where there was none, or nobody noted it';

CREATE TABLE event_store.store (
    store_id uuid NOT NULL DEFAULT gen_random_uuid()
);
CREATE UNIQUE INDEX store_is_one_row ON event_store.store ((true));
INSERT INTO event_store.store DEFAULT VALUES;
COMMENT ON TABLE event_store.store IS 'One row: which store this is. A copy or a restored backup is the same store';
COMMENT ON COLUMN event_store.store.store_id IS 'Random, made once; checkpoints name it';
