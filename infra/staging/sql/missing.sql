-- Of a source whose extracts hold everything: which records that its loads brought and the log knows are missing here.
-- A record is there if its key is, whatever else is wrong with it. A record without a readable key may be any of those
-- that are missing, and so may a row with too few or too many cells, of each kind that is made of its file: so many of them
-- are not said to be. Of files that the extract has in part nothing is missed.

CREATE TEMP TABLE shown_record AS
SELECT 'customers' AS file, line, key, customer_alias IS NOT NULL AS is_readable, NULL::UUID AS order_id FROM read_customers
UNION ALL SELECT 'order_items', line, key, order_id IS NOT NULL AND item_no IS NOT NULL, order_id FROM read_order_items
UNION ALL SELECT 'order_payments', line, key, order_id IS NOT NULL AND payment_no IS NOT NULL, order_id FROM read_order_payments
UNION ALL SELECT 'order_reviews', line, key, order_id IS NOT NULL AND review_id IS NOT NULL, order_id FROM read_order_reviews
UNION ALL SELECT 'orders', line, key, order_id IS NOT NULL, NULL FROM read_orders
UNION ALL SELECT 'products', line, key, product_id IS NOT NULL, NULL FROM read_products
UNION ALL SELECT 'sellers', line, key, seller_id IS NOT NULL, NULL FROM read_sellers
UNION ALL SELECT 'categories', line, key, category IS NOT NULL, NULL FROM read_categories
UNION ALL SELECT 'geolocation', line, key_of_area(zip_prefix), true, NULL FROM geolocation
UNION ALL SELECT file, line, NULL, false, NULL FROM quarantine WHERE file = 'geolocation' AND record IS NOT NULL;

CREATE TEMP TABLE present_record AS
SELECT file, key, min(line) AS line, any_value(order_id) AS order_id
FROM shown_record WHERE is_readable GROUP BY file, key;

-- By the loads of this source: which one had a record last as far as rows say, where it stood when it was there first or
-- again, and which load missed it since. Loads that may leave records out tell no lines.

CREATE TEMP TABLE source_record AS
SELECT file, key, there_in, coalesce(stood_in, there_in) AS stood_in, line, order_id,
    CASE WHEN missed_in > there_in THEN missed_in END AS missing_in
FROM (
    SELECT file, key,
        max(batch_seq) FILTER (WHERE is_there) AS there_in,
        max(batch_seq) FILTER (WHERE line IS NOT NULL) AS stood_in,
        arg_max(line, batch_seq) FILTER (WHERE line IS NOT NULL) AS line,
        any_value(order_id) AS order_id,
        max(batch_seq) FILTER (WHERE NOT is_there) AS missed_in
    FROM known_source_record
    GROUP BY file, key
);

-- Whom the warehouse has erased, the source may have erased, too.

CREATE TEMP TABLE forgotten AS
WITH alias AS (SELECT customer_alias FROM known_alias SEMI JOIN erased_person USING (customer_id))
SELECT customer_alias AS id FROM alias
UNION
SELECT order_id FROM known_order SEMI JOIN alias USING (customer_alias);

CREATE TEMP TABLE expected_record AS
SELECT source.*
FROM source_record AS source
SEMI JOIN staged_file USING (file)
ANTI JOIN in_part USING (file)
SEMI JOIN known_fingerprint AS known ON known.file = source.file AND known.key = source.key
ANTI JOIN forgotten AS itself ON itself.id = source.key
ANTI JOIN forgotten AS whole ON whole.id = source.order_id;

-- The load that had it last: the newest before it was missed of those that hold everything, else the one that brought it.

CREATE TABLE missing_record AS
SELECT missing.*, greatest(complete.batch_seq, there_in) AS last_in
FROM (
    SELECT *, coalesce(missing_in, 2147483647) AS before
    FROM expected_record ANTI JOIN present_record USING (file, key)
) AS missing
ASOF LEFT JOIN known_complete_load AS complete ON complete.file = missing.file AND complete.batch_seq < missing.before;

INSERT INTO missing_count
SELECT file, coalesce(known, 0), coalesce(missing, 0), coalesce(unreadable, 0)
FROM (FROM staged_file ANTI JOIN in_part USING (file))
LEFT JOIN (SELECT file, count(*) AS known FROM expected_record GROUP BY file) USING (file)
LEFT JOIN (SELECT file, count(*) AS missing FROM missing_record GROUP BY file) USING (file)
LEFT JOIN (
    SELECT file, sum(rows)::BIGINT AS unreadable
    FROM (FROM malformed_row UNION ALL SELECT file, count(*) FROM shown_record WHERE NOT is_readable GROUP BY file)
    GROUP BY file
) USING (file);

-- What later loads look up.

CREATE TABLE source_change AS
SELECT file, key, line, order_id
FROM present_record
ANTI JOIN (SELECT file, key FROM source_record WHERE missing_in IS NULL AND line IS NOT NULL) AS there USING (file, key)
UNION ALL
SELECT file, key, NULL, NULL FROM missing_record WHERE missing_in IS NULL;
