-- The log: one table of events per context, one position and one hash chain for all of them.
--
-- How the hashes are made stands in infra/postgres/merkle.py; anybody can recompute them from these tables.

CREATE FUNCTION event_store.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % is refused', tg_table_schema, tg_table_name, tg_op
        USING ERRCODE = 'restrict_violation',
              HINT = coalesce(
                  tg_argv[0],
                  'Events are never changed or removed; what is wrong is corrected by loading a corrected extract.'
              );
END
$$;
COMMENT ON FUNCTION event_store.refuse_change() IS 'Trigger of the append-only tables: raises; its argument is the hint';

CREATE TABLE event_store.head (
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    chain bytea NOT NULL
) WITH (fillfactor = 20); -- updated by every append: room for its versions on the same page
CREATE UNIQUE INDEX head_is_one_row ON event_store.head ((true));
INSERT INTO event_store.head VALUES (0, 'epoch', decode(repeat('00', 32), 'hex'));
COMMENT ON TABLE event_store.head IS
    'One row: lock, sequence and head of the hash chain in one. Read it first: all events up to its position are visible';
COMMENT ON COLUMN event_store.head.position IS 'Position of the newest event; 0 while there is none';
COMMENT ON COLUMN event_store.head.recorded_at IS 'Recorded time of the newest commit; never goes backwards';
COMMENT ON COLUMN event_store.head.chain IS 'Hash chain up to the newest commit; 32 zero bytes before the first';

CREATE TABLE event_store.commit (
    last_position bigint PRIMARY KEY,
    first_position bigint NOT NULL,
    batch_id uuid,
    recorded_at timestamptz NOT NULL,
    root bytea NOT NULL,
    chain bytea NOT NULL,
    CHECK (first_position <= last_position)
);
COMMENT ON TABLE event_store.commit IS 'What was appended at once: a range of positions, its time and its hashes';
COMMENT ON COLUMN event_store.commit.last_position IS 'Position of its last event';
COMMENT ON COLUMN event_store.commit.first_position IS 'Position of its first event, one after the last of the commit before';
COMMENT ON COLUMN event_store.commit.batch_id IS 'The load that appended it; null where no load did';
COMMENT ON COLUMN event_store.commit.recorded_at IS 'When we learnt it (UTC)';
COMMENT ON COLUMN event_store.commit.root IS 'Merkle tree hash (RFC 6962) of the leaves of its events, by position';
COMMENT ON COLUMN event_store.commit.chain IS 'SHA-256 over the chain before, first and last position, recorded_at and root';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_store.commit
    FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change();
ALTER TABLE event_store.commit ENABLE ALWAYS TRIGGER append_only;

CREATE TABLE event_store.subject_key (
    subject_id uuid PRIMARY KEY,
    key bytea
);
COMMENT ON TABLE event_store.subject_key IS
    'Keys of the personal fields, one per subject. Backups of the log leave this table out';
COMMENT ON COLUMN event_store.subject_key.subject_id IS 'The person, or the stream, that the fields are about';
COMMENT ON COLUMN event_store.subject_key.key IS 'AES-256 key; null once it is destroyed, for good; without a row it is lost';

CREATE FUNCTION event_store.refuse_other_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.subject_id <> old.subject_id OR new.key IS DISTINCT FROM old.key AND new.key IS NOT NULL THEN
        RAISE EXCEPTION 'A key is destroyed (null), never replaced: what it sealed could not be read again'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN new;
END
$$;
COMMENT ON FUNCTION event_store.refuse_other_key() IS 'Trigger of subject_key: allows nothing but destroying a key';
CREATE TRIGGER only_destroyed BEFORE UPDATE ON event_store.subject_key
    FOR EACH ROW EXECUTE FUNCTION event_store.refuse_other_key();
ALTER TABLE event_store.subject_key ENABLE ALWAYS TRIGGER only_destroyed;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON event_store.subject_key
    FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change(
        'A key is destroyed by setting it to null. Its row stays: a subject without one has lost its key.'
    );
ALTER TABLE event_store.subject_key ENABLE ALWAYS TRIGGER append_only;

-- The five tables differ in nothing but their names.
DO $$
DECLARE
    context text;
    events text;
BEGIN
    FOREACH context IN ARRAY ARRAY['sales', 'fulfillment', 'customer', 'marketplace', 'quality'] LOOP
        events := context || '_events';
        EXECUTE format($ddl$
            CREATE TABLE event_store.%1$I (
                originator_id uuid NOT NULL,
                originator_version bigint NOT NULL,
                topic text NOT NULL,
                state bytea NOT NULL,
                notification_id bigint NOT NULL UNIQUE,
                batch_id uuid,
                source text,
                leaf bytea NOT NULL,
                PRIMARY KEY (originator_id, originator_version)
            );
            COMMENT ON TABLE event_store.%1$I IS %2$L;
            COMMENT ON COLUMN event_store.%1$I.originator_id IS 'The stream';
            COMMENT ON COLUMN event_store.%1$I.originator_version IS 'Place in the stream, from 1, without gaps';
            COMMENT ON COLUMN event_store.%1$I.topic IS 'Context, name and version of the event''s shape: sales.OrderPlaced.v1';
            COMMENT ON COLUMN event_store.%1$I.state IS 'The event as JSON in UTF-8; personal fields are sealed in it';
            COMMENT ON COLUMN event_store.%1$I.notification_id IS 'Position in the whole log, over all contexts';
            COMMENT ON COLUMN event_store.%1$I.batch_id IS 'The load that brought it; null where no load did';
            COMMENT ON COLUMN event_store.%1$I.source IS 'The lines that caused it: orders:1042 order_items:2210-2212';
            COMMENT ON COLUMN event_store.%1$I.leaf IS 'SHA-256 over a zero byte and context and columns up to source';
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_store.%1$I
                FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change();
            ALTER TABLE event_store.%1$I ENABLE ALWAYS TRIGGER append_only;
        $ddl$, events, 'Events of the context ' || context);
    END LOOP;
END
$$;

CREATE VIEW event_store.log AS
SELECT text 'sales' AS context, originator_id, originator_version, topic, state, notification_id, batch_id, source, leaf FROM event_store.sales_events
UNION ALL
SELECT text 'fulfillment' AS context, originator_id, originator_version, topic, state, notification_id, batch_id, source, leaf FROM event_store.fulfillment_events
UNION ALL
SELECT text 'customer' AS context, originator_id, originator_version, topic, state, notification_id, batch_id, source, leaf FROM event_store.customer_events
UNION ALL
SELECT text 'marketplace' AS context, originator_id, originator_version, topic, state, notification_id, batch_id, source, leaf FROM event_store.marketplace_events
UNION ALL
SELECT text 'quality' AS context, originator_id, originator_version, topic, state, notification_id, batch_id, source, leaf FROM event_store.quality_events;
COMMENT ON VIEW event_store.log IS 'All events of all contexts; order it by notification_id';
COMMENT ON COLUMN event_store.log.context IS 'The bounded context: sales, fulfillment, customer, marketplace, quality';
COMMENT ON COLUMN event_store.log.originator_id IS 'The stream';
COMMENT ON COLUMN event_store.log.originator_version IS 'Place in the stream, from 1, without gaps';
COMMENT ON COLUMN event_store.log.topic IS 'Context, name and version of the event''s shape';
COMMENT ON COLUMN event_store.log.state IS 'The event as JSON in UTF-8; personal fields are sealed in it';
COMMENT ON COLUMN event_store.log.notification_id IS 'Position in the whole log';
COMMENT ON COLUMN event_store.log.batch_id IS 'The load that brought it; null where no load did';
COMMENT ON COLUMN event_store.log.source IS 'The lines of the extract that caused it';
COMMENT ON COLUMN event_store.log.leaf IS 'SHA-256 over a zero byte and context and columns up to source';
