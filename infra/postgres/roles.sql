-- Who may do what. Run after migrations; safe to repeat. Left out where the connected user may not make roles.
--
-- replayhouse_owner   owns the schema
-- replayhouse_writer  appends: INSERT and SELECT, UPDATE only where an append must (the head, the state of a batch)
-- replayhouse_reader  reads everything but the keys of personal fields, read models to come included, and writes nothing,
--                     temporary tables neither
-- replayhouse_auditor reads the log, and what proves it and tells of it
--
-- The others have their rights in read models: replayhouse_analyst and replayhouse_marketing on the views of the schemas
-- masked and regional, replayhouse_steward on the tables of quality.

DO $$
DECLARE
    role text;
    relation regclass;
BEGIN
    FOREACH role IN ARRAY ARRAY[
        'replayhouse_owner', 'replayhouse_writer', 'replayhouse_reader', 'replayhouse_analyst', 'replayhouse_marketing',
        'replayhouse_auditor', 'replayhouse_steward'
    ] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- made by another database's migration a moment ago
            END;
        END IF;
    END LOOP;

    IF NOT pg_has_role(current_user, 'replayhouse_owner', 'USAGE') THEN
        EXECUTE format('GRANT replayhouse_owner TO %I', current_user);
    END IF;
    EXECUTE format('GRANT CREATE ON DATABASE %I TO replayhouse_owner', current_database());
    ALTER SCHEMA event_store OWNER TO replayhouse_owner;
    FOR relation IN
        SELECT c.oid FROM pg_class c
        WHERE c.relnamespace = 'event_store'::regnamespace AND c.relkind IN ('r', 'v')
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO replayhouse_owner', relation);
    END LOOP;

    GRANT USAGE ON SCHEMA event_store TO replayhouse_writer, replayhouse_reader;
    GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA event_store TO replayhouse_writer;
    GRANT UPDATE ON event_store.head, event_store.batch, event_store.lock,
        event_store.verification, event_store.backup TO replayhouse_writer;
    REVOKE INSERT ON event_store.schema_version, event_store.subject FROM replayhouse_writer;
    REVOKE ALL ON event_store.token FROM replayhouse_writer; -- who could add one would open every page
    GRANT SELECT ON ALL TABLES IN SCHEMA event_store TO replayhouse_reader;
    REVOKE ALL ON event_store.subject_key, event_store.token, event_store.access FROM replayhouse_reader;

    -- What is not named here is not seen by auditors: a table that comes with a later migration neither.
    GRANT USAGE ON SCHEMA event_store TO replayhouse_auditor;
    GRANT SELECT ON event_store.log, event_store.sales_events, event_store.fulfillment_events,
        event_store.customer_events, event_store.marketplace_events, event_store.quality_events, event_store.commit,
        event_store.head, event_store.store, event_store.batch, event_store.retraction, event_store.verification,
        event_store.schema_version, event_store.access, event_store.subject, event_store.backup,
        event_store.restore_drill, event_store.source_mapping TO replayhouse_auditor;

    -- Everybody may make temporary tables in a database, until that is taken from everybody; readers have no other way
    -- to write. Where the database belongs to somebody else, it is for them to say.
    IF EXISTS (SELECT FROM pg_database WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE')) THEN
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO replayhouse_owner, replayhouse_writer', current_database());
    END IF;

    -- Where advisory locks were taken from everybody, as in the embedded database.
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        GRANT EXECUTE ON FUNCTION pg_try_advisory_lock(bigint), pg_advisory_unlock(bigint)
            TO replayhouse_owner, replayhouse_writer;
    END IF;

    GRANT USAGE ON SCHEMA publishing TO replayhouse_writer, replayhouse_reader;
    GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA publishing TO replayhouse_writer;
    GRANT SELECT ON ALL TABLES IN SCHEMA publishing TO replayhouse_reader;

    ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO replayhouse_reader;
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO replayhouse_reader;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'The roles of replayhouse were left out: %', SQLERRM;
END
$$;
