-- What the mappings say by which loads of other sources were made, so that it can be read after their files have changed.

CREATE TABLE event_store.source_mapping (
    sha256 text PRIMARY KEY,
    files jsonb NOT NULL
);
COMMENT ON TABLE event_store.source_mapping IS 'Mappings by which records of loads were made, each once';
COMMENT ON COLUMN event_store.source_mapping.sha256 IS 'Of the mapping, as event_store.batch.source names it';
COMMENT ON COLUMN event_store.source_mapping.files IS 'The text of source.toml and of each SELECT, by the name of its file';
