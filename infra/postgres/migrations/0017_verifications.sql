-- What the last verification of this database found, for those who watch over it. It is no proof: who can change the log
-- can change this too.

CREATE TABLE event_store.verification (
    one_row bool PRIMARY KEY DEFAULT true CHECK (one_row),
    verified_at timestamptz NOT NULL,
    position bigint NOT NULL,
    reason text
);
COMMENT ON TABLE event_store.verification IS 'What audit verify found last: one row, none before the first time. No proof, only a note';
COMMENT ON COLUMN event_store.verification.one_row IS 'Always true';
COMMENT ON COLUMN event_store.verification.verified_at IS 'When it ended';
COMMENT ON COLUMN event_store.verification.position IS 'Up to which position the log holds; where it does not, the first that does not hold';
COMMENT ON COLUMN event_store.verification.reason IS 'Why it does not hold; null where it does';
