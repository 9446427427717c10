-- PostgreSQL keeps samples of every column as statistics, also of rows that are no more. It keeps none of keys and of
-- columns that show personal fields: what is erased would live on there.

CREATE FUNCTION event_store.keep_no_statistics(relation regclass, names text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT s.oid, n.nspname, s.stxname FROM pg_statistic_ext AS s JOIN pg_namespace AS n ON n.oid = s.stxnamespace
        WHERE s.stxrelid = relation AND (
            s.stxexprs IS NOT NULL OR EXISTS (
                SELECT FROM pg_attribute WHERE attrelid = relation AND attname = ANY(names) AND attnum = ANY(s.stxkeys)
            )
        )
    LOOP
        EXECUTE format('DROP STATISTICS %I.%I', part.nspname, part.stxname);
    END LOOP;
    FOR part IN
        SELECT quote_ident(attname) AS place, attnum FROM pg_attribute
        WHERE attrelid = relation AND attname = ANY(names) AND NOT attisdropped
        ORDER BY attnum
    LOOP
        PERFORM event_store.keep_no_statistics_of_part(relation, relation, part.place, part.attnum);
    END LOOP;
    FOR part IN -- expressions of its indexes are sampled as columns are
        SELECT i.indexrelid::regclass AS index, a.attnum
        FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indexrelid AND i.indkey[a.attnum - 1] = 0
        WHERE i.indrelid = relation
        ORDER BY i.indexrelid, a.attnum
    LOOP
        PERFORM event_store.keep_no_statistics_of_part(relation, part.index, part.attnum::text, part.attnum);
    END LOOP;
END
$$;
COMMENT ON FUNCTION event_store.keep_no_statistics(regclass, text[]) IS
    'Removes what statistics there are of these columns of a table, and lets none be made; nothing happens where none are';

CREATE FUNCTION event_store.keep_no_statistics_of_part(sampled regclass, relation regclass, place text, attribute int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    altered record;
    setting text;
    waiting text := current_setting('lock_timeout');
BEGIN
    SELECT n.nspname, c.relname, a.attname, c.relkind, format_type(a.atttypid, a.atttypmod) AS of_type,
        coalesce(a.attstattarget, -1) = 0 AS is_off
    INTO altered
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE a.attrelid = relation AND a.attnum = attribute;
    setting := format(
        'ALTER %s %I.%I ALTER COLUMN %s SET STATISTICS ',
        CASE altered.relkind WHEN 'i' THEN 'INDEX' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE ONLY' END,
        altered.nspname, altered.relname, place
    );
    IF NOT altered.is_off THEN
        EXECUTE setting || '0';
    END IF;
    IF NOT EXISTS (
        SELECT FROM pg_stats
        WHERE schemaname = altered.nspname AND tablename = altered.relname AND attname = altered.attname
    ) THEN
        RETURN;
    END IF;
    IF current_setting('server_version_num')::int >= 180000 THEN
        EXECUTE 'SELECT pg_clear_attribute_stats($1, $2, $3, inherited) FROM (VALUES (false), (true)) AS of (inherited)'
            USING altered.nspname::text, altered.relname::text, altered.attname::text;
    ELSIF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        DELETE FROM pg_statistic WHERE starelid = relation AND staattnum = attribute;
    ELSE -- an older server lets an owner remove them by the way only
        BEGIN
            IF altered.relkind <> 'r' THEN
                RAISE wrong_object_type;
            END IF;
            PERFORM set_config('lock_timeout', '2s', true);
            EXECUTE format(
                'ALTER TABLE %I.%I ALTER COLUMN %s TYPE %s', altered.nspname, altered.relname, place, altered.of_type
            );
            PERFORM set_config('lock_timeout', waiting, true);
        EXCEPTION
            WHEN feature_not_supported OR wrong_object_type -- an index, a view, or what views stand on
                OR lock_not_available OR insufficient_privilege -- what is being read, or tables of others inherit from
            THEN
            EXECUTE setting || '1';
            EXECUTE format('ANALYZE %s', sampled);
            EXECUTE setting || '0';
        END;
    END IF;
END
$$;
COMMENT ON FUNCTION event_store.keep_no_statistics_of_part(regclass, regclass, text, int) IS
    'Does so for one column, or one expression of an index. At least, what is left is sampled from rows that are there';

CREATE FUNCTION event_store.materialised_from(tables regclass[])
RETURNS TABLE (relation regclass, schema text, name text, is_populated bool, columns text[]) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE reading (relation, depth) AS (
        SELECT unnest(tables)::oid, 0
        UNION
        SELECT r.ev_class, reading.depth + 1
        FROM reading
        JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = reading.relation
        JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        WHERE r.ev_class <> reading.relation
    )
    SELECT c.oid::regclass, n.nspname::text, c.relname::text, c.relispopulated, (
        SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    )
    FROM (SELECT relation, max(depth) AS depth FROM reading GROUP BY relation) AS views
    JOIN pg_class AS c ON c.oid = views.relation
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm'
    ORDER BY views.depth, c.oid
$$;
COMMENT ON FUNCTION event_store.materialised_from(regclass[]) IS
    'The materialised views that read these tables, through other views too, each after those that it reads';

-- What stands: keys, digests of records, and the read models, live, kept and under prefixes.
DO $$
DECLARE
    found record;
    shown regclass[] := '{event_store.subject_key}';
BEGIN
    PERFORM event_store.keep_no_statistics('event_store.subject_key', ARRAY['key']);
    PERFORM event_store.keep_no_statistics('event_store.row_fingerprint', ARRAY['fingerprint']);
    FOR found IN
        SELECT c.oid::regclass AS relation, p.names
        FROM (VALUES
            ('customer', 'dim_customer', ARRAY['zip_prefix', 'city', 'city_normalised']),
            ('customer', 'address_history', ARRAY['zip_prefix', 'city']),
            ('customer', 'fact_review', ARRAY['title', 'comment']),
            ('fulfillment', 'fact_delivery', ARRAY['destination_zip']),
            ('quality', 'quarantine', ARRAY['text'])
        ) AS p (context, name, names)
        JOIN pg_class AS c ON c.relname = p.name AND c.relkind = 'r'
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname ~ format('^%s(_r\d+)?$', p.context)
            OR n.nspname IN (SELECT format('%s_%s', prefix, p.context) FROM read_model.prefix)
    LOOP
        PERFORM event_store.keep_no_statistics(found.relation, found.names);
        shown := shown || found.relation;
    END LOOP;
    FOR found IN SELECT relation, columns FROM event_store.materialised_from(shown) LOOP
        BEGIN
            PERFORM event_store.keep_no_statistics(found.relation, found.columns);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE NOTICE 'Statistics of % were left as they are: %', found.relation, SQLERRM;
        END;
    END LOOP;
END
$$;
