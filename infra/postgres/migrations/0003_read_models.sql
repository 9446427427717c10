-- How far each context's read model has come, and which revisions of it there are.
--
-- The live revision of a context stands in the schema of its name; any other in `<context>_r<revision>`.

CREATE SCHEMA read_model;
COMMENT ON SCHEMA read_model IS 'How far the read models have come, and their revisions';

CREATE TABLE read_model.projection (
    context text PRIMARY KEY,
    revision int NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 20); -- updated with each window of events: room for its versions on the same page
COMMENT ON TABLE read_model.projection IS
    'One row per context. Whoever writes its live tables holds this row locked, so that nobody else does';
COMMENT ON COLUMN read_model.projection.context IS 'The bounded context, and the schema of its live tables';
COMMENT ON COLUMN read_model.projection.revision IS 'The live revision';
COMMENT ON COLUMN read_model.projection.position IS 'The live tables show all events up to this position of the log';

CREATE TABLE read_model.revision (
    context text NOT NULL,
    revision int NOT NULL,
    position bigint,
    events bigint,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    live_at timestamptz,
    dropped_at timestamptz,
    PRIMARY KEY (context, revision)
);
COMMENT ON TABLE read_model.revision IS 'Every revision that was begun. One that never went live and was not dropped is being built';
COMMENT ON COLUMN read_model.revision.context IS 'The bounded context';
COMMENT ON COLUMN read_model.revision.revision IS 'Counted from 1 within the context';
COMMENT ON COLUMN read_model.revision.position IS 'Position of the log that it showed when it went live';
COMMENT ON COLUMN read_model.revision.events IS 'Events of the context that were folded for it';
COMMENT ON COLUMN read_model.revision.started_at IS 'When its building began';
COMMENT ON COLUMN read_model.revision.live_at IS 'When it was swapped in; null if it never was';
COMMENT ON COLUMN read_model.revision.dropped_at IS 'When its tables were removed; null while they stand';

CREATE TABLE read_model.parked (
    context text NOT NULL,
    originator_id uuid NOT NULL,
    folded_to bigint NOT NULL,
    position bigint NOT NULL,
    error text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (context, originator_id)
);
COMMENT ON TABLE read_model.parked IS 'Streams that could not be folded; their rows stay as they were';
COMMENT ON COLUMN read_model.parked.context IS 'The bounded context';
COMMENT ON COLUMN read_model.parked.originator_id IS 'The stream';
COMMENT ON COLUMN read_model.parked.folded_to IS 'The live tables show the stream as of this position';
COMMENT ON COLUMN read_model.parked.position IS 'Position of the newest event that could not be folded';
COMMENT ON COLUMN read_model.parked.error IS 'Why not';
COMMENT ON COLUMN read_model.parked.parked_at IS 'When it was last tried';
