-- Who ran a load, from which machine, with which version of the program; of one that was killed, who went on with it.

ALTER TABLE event_store.batch ADD COLUMN run_by text, ADD COLUMN run_on text, ADD COLUMN program text;
COMMENT ON COLUMN event_store.batch.run_by IS 'Who ran it (REPLAYHOUSE_ACTOR); null where an earlier version of the program did, which did not note it';
COMMENT ON COLUMN event_store.batch.run_on IS 'The name of the machine that it was run on';
COMMENT ON COLUMN event_store.batch.program IS 'The version of the program that ran it';
