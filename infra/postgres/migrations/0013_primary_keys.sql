-- Every table has a primary key: logical replication carries no update or delete of a table without one, and a
-- publication of all tables would stop the program at its first. See docs/decisions, 0022.

-- Position, time and chain change with every append; a key on one of them would cost an index entry each time.
ALTER TABLE event_store.head ADD COLUMN one_row bool NOT NULL DEFAULT true CHECK (one_row), ADD PRIMARY KEY (one_row);
DROP INDEX event_store.head_is_one_row;
COMMENT ON COLUMN event_store.head.one_row IS 'Always true: the primary key, so that there is one row';

ALTER TABLE event_store.store ADD PRIMARY KEY (store_id);

-- In these rows are only added, and nothing is looked up by them: numbers that grow are the cheapest key to keep.
DO $$
DECLARE
    lookup text;
BEGIN
    FOREACH lookup IN ARRAY ARRAY[
        'row_fingerprint', 'order_reference', 'alias_reference', 'seller_reference', 'review_reference', 'segment_due'
    ] LOOP
        EXECUTE format(
            'ALTER TABLE event_store.%I ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY (CACHE 1000) PRIMARY KEY',
            lookup
        );
        EXECUTE format('COMMENT ON COLUMN event_store.%I.seq IS %L', lookup, 'The row, and nothing else: gaps mean nothing');
    END LOOP;
END
$$;
