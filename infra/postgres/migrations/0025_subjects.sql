-- Who reads the log without its keys is told of whom something was sealed, and whether that can still be opened: so a
-- personal field that was erased is told from one that is sealed, and no key need be read for that.

CREATE VIEW event_store.subject WITH (security_barrier = true) AS
    SELECT subject_id, key IS NULL AS is_erased FROM event_store.subject_key;
COMMENT ON VIEW event_store.subject IS 'Whose personal fields are sealed in the log, without their keys';
COMMENT ON COLUMN event_store.subject.subject_id IS 'The person, or the stream, whose key seals them';
COMMENT ON COLUMN event_store.subject.is_erased IS 'Whether the key was destroyed: nobody can read them any more';
