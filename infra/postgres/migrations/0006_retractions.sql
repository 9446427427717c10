-- What taking a load back needs: who did it and why, and the load's events without looking at all others.

CREATE TABLE event_store.retraction (
    batch_id uuid PRIMARY KEY,
    load_id uuid NOT NULL UNIQUE,
    reason text NOT NULL,
    retracted_by text NOT NULL
);
COMMENT ON TABLE event_store.retraction IS 'The loads that were taken back, or are about to be: a load is taken back once';
COMMENT ON COLUMN event_store.retraction.batch_id IS 'The retraction itself, a row of event_store.batch of kind retraction';
COMMENT ON COLUMN event_store.retraction.load_id IS 'The load that it takes back';
COMMENT ON COLUMN event_store.retraction.reason IS 'Why';
COMMENT ON COLUMN event_store.retraction.retracted_by IS 'Who decided so';

CREATE INDEX commit_by_batch ON event_store.commit (batch_id, first_position) WHERE batch_id IS NOT NULL;
COMMENT ON INDEX event_store.commit_by_batch IS 'Where in the log a load is: ranges of positions';
