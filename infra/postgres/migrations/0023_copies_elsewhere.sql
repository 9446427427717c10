-- Copies of read models outside of this database: exports, replays of a sealed log, tables in ClickHouse. An erasure
-- cannot reach them; so it is noted where they are, and which of them show personal fields in clear.

CREATE TABLE event_store.copy_elsewhere (
    kind text NOT NULL CHECK (kind IN ('export', 'replay', 'clickhouse')),
    host text NOT NULL,
    place text NOT NULL,
    contexts text[] NOT NULL,
    is_in_clear boolean NOT NULL,
    read_at_position bigint NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (kind, host, place)
);
COMMENT ON TABLE event_store.copy_elsewhere IS 'Copies of read models outside of this database, and whether they show personal fields';
COMMENT ON COLUMN event_store.copy_elsewhere.kind IS 'What made it: export, replay or clickhouse';
COMMENT ON COLUMN event_store.copy_elsewhere.host IS 'The machine whose folder it is; empty where the place says that itself';
COMMENT ON COLUMN event_store.copy_elsewhere.place IS 'The folder, or the address without a password';
COMMENT ON COLUMN event_store.copy_elsewhere.contexts IS 'Of which read models';
COMMENT ON COLUMN event_store.copy_elsewhere.is_in_clear IS 'Whether personal fields stand in it in clear';
COMMENT ON COLUMN event_store.copy_elsewhere.read_at_position IS 'Where the log ended when it was read: an erasure that the log tells later is not in it';
COMMENT ON COLUMN event_store.copy_elsewhere.made_at IS 'When it was noted';
