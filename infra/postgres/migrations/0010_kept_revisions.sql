-- Revisions stay for a while after they were live, to be swapped in again.

ALTER TABLE read_model.revision
    ADD COLUMN reason text,
    ADD COLUMN digest text,
    ADD COLUMN retired_at timestamptz,
    ADD COLUMN retired_position bigint;
COMMENT ON COLUMN read_model.revision.reason IS 'Why it was built, in the words of whoever asked for it';
COMMENT ON COLUMN read_model.revision.digest IS
    'Sum of the digests of its tables, modulo 2^256, as of `position`; null where nobody has taken it';
COMMENT ON COLUMN read_model.revision.retired_at IS 'When another took its place; null while it is live, or was never';
COMMENT ON COLUMN read_model.revision.retired_position IS
    'Position of the log that its tables show since it is live no longer';

-- A revision that is swapped in again shows its streams as of other positions than the one that was live.
ALTER TABLE read_model.parked ADD COLUMN revision int;
UPDATE read_model.parked SET revision = p.revision FROM read_model.projection AS p WHERE p.context = parked.context;
ALTER TABLE read_model.parked
    ALTER COLUMN revision SET NOT NULL,
    DROP CONSTRAINT parked_pkey,
    ADD PRIMARY KEY (context, revision, originator_id);
COMMENT ON COLUMN read_model.parked.revision IS 'The revision whose rows stay as they were';
COMMENT ON COLUMN read_model.parked.folded_to IS 'The tables of the revision show the stream as of this position';
