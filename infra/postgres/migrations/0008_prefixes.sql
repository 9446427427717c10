-- Read models as of earlier times, or copies, each under a prefix of its own beside the live ones.

CREATE TABLE read_model.prefix (
    prefix text PRIMARY KEY,
    position bigint NOT NULL,
    as_of timestamptz,
    occurred_before timestamp,
    contexts text[] NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_at timestamptz,
    tables jsonb,
    digest text
);
COMMENT ON TABLE read_model.prefix IS
    'Read models beside the live ones, in schemas <prefix>_<context>, <prefix>_shared and <prefix>_mart';
COMMENT ON COLUMN read_model.prefix.prefix IS 'What the names of its schemas begin with; unfinished_<n> while it is being made';
COMMENT ON COLUMN read_model.prefix.position IS 'Its tables show events up to this position of the log, and none after it';
COMMENT ON COLUMN read_model.prefix.as_of IS 'The recorded time that was asked for, if one was';
COMMENT ON COLUMN read_model.prefix.occurred_before IS
    'The business time before which an event must have occurred to be shown, local to Brazil; null: all are';
COMMENT ON COLUMN read_model.prefix.contexts IS 'The contexts that it has';
COMMENT ON COLUMN read_model.prefix.started_at IS 'When its making began';
COMMENT ON COLUMN read_model.prefix.made_at IS 'When it was complete; null while it is being made, or if that was killed';
COMMENT ON COLUMN read_model.prefix.tables IS 'By context and table, rows and digest';
COMMENT ON COLUMN read_model.prefix.digest IS 'The sum of the digests of its tables, modulo 2^256';
