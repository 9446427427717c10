-- Not only loads append in batches: taking a load back does, and so does a person's decision on a quarantined row.

ALTER TABLE event_store.batch
    ADD COLUMN kind text NOT NULL DEFAULT 'load' CHECK (kind IN ('load', 'retraction', 'decision')),
    DROP CONSTRAINT batch_status_check,
    ADD CONSTRAINT batch_status_check
        CHECK (status IN ('open', 'rejected', 'completed', 'retracting', 'retracted'));
COMMENT ON TABLE event_store.batch IS
    'What appended together: loads, retractions, decisions of people. As the write side must know them; quality.batch is for readers';
COMMENT ON COLUMN event_store.batch.kind IS
    'load: an extract; retraction: a load taken back; decision: of a person, on a quarantined row';
COMMENT ON COLUMN event_store.batch.status IS
    'open, rejected, completed, retracting (being taken back) or retracted; at most one batch of any kind is open';
