-- What is known of backups: the newest one of this database, and the drills in which a backup was restored elsewhere.

CREATE TABLE event_store.backup (
    one_row bool PRIMARY KEY DEFAULT true CHECK (one_row),
    made_at timestamptz NOT NULL,
    position bigint NOT NULL,
    bytes bigint NOT NULL,
    is_encrypted boolean NOT NULL
);
COMMENT ON TABLE event_store.backup IS 'The newest backup of this database: one row, none before the first one';
COMMENT ON COLUMN event_store.backup.one_row IS 'Always true';
COMMENT ON COLUMN event_store.backup.made_at IS 'When its files stood in their places';
COMMENT ON COLUMN event_store.backup.position IS 'Up to which position it holds the log';
COMMENT ON COLUMN event_store.backup.bytes IS 'Size of its files, that of the keys too';
COMMENT ON COLUMN event_store.backup.is_encrypted IS 'Whether it can be read by the holders of a key alone';

CREATE TABLE event_store.restore_drill (
    drill_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    drilled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    file text NOT NULL,
    position bigint,
    seconds_to_answers double precision,
    events_lost bigint,
    seconds_lost double precision,
    failure text
);
COMMENT ON TABLE event_store.restore_drill IS 'Drills: a backup was restored into a throw-away home, checked and timed';
COMMENT ON COLUMN event_store.restore_drill.drill_id IS 'Number of the drill';
COMMENT ON COLUMN event_store.restore_drill.drilled_at IS 'When it ended';
COMMENT ON COLUMN event_store.restore_drill.file IS 'The file with the log of the backup';
COMMENT ON COLUMN event_store.restore_drill.position IS 'Up to which position the backup holds the log; null where that could not be read';
COMMENT ON COLUMN event_store.restore_drill.seconds_to_answers IS 'From the beginning of the restore to the first answer; null where there was none';
COMMENT ON COLUMN event_store.restore_drill.events_lost IS 'How many events the log had that the backup has not';
COMMENT ON COLUMN event_store.restore_drill.seconds_lost IS 'How much younger the newest event of the log was than that of the backup';
COMMENT ON COLUMN event_store.restore_drill.failure IS 'Why it failed; null where it did not';
