-- No view stands on the column with the keys: where one does, what statistics kept of it cannot be removed on every server.

CREATE FUNCTION event_store.is_erased(given uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
    RETURN EXISTS (SELECT FROM event_store.subject_key AS k WHERE k.subject_id = given AND k.key IS NULL);
END
$$;
COMMENT ON FUNCTION event_store.is_erased(uuid) IS 'Whether the key of a person, or a stream, was destroyed';

CREATE OR REPLACE VIEW event_store.subject WITH (security_barrier = true) AS
    SELECT subject_id, event_store.is_erased(subject_id) AS is_erased FROM event_store.subject_key;
