-- The good records: one for each key, compared with what the log knows.

CREATE TEMP TABLE candidate AS
SELECT file, line, lines, record, key, fingerprint
FROM (
    SELECT 'customers' AS file, line, lines, record, key, fingerprint, problem FROM read_customers
    UNION ALL SELECT 'order_items', line, lines, record, key, fingerprint, problem FROM read_order_items
    UNION ALL SELECT 'order_payments', line, lines, record, key, fingerprint, problem FROM read_order_payments
    UNION ALL SELECT 'order_reviews', line, lines, record, key, fingerprint, problem FROM read_order_reviews
    UNION ALL SELECT 'orders', line, lines, record, key, fingerprint, problem FROM read_orders
    UNION ALL SELECT 'products', line, lines, record, key, fingerprint, problem FROM read_products
    UNION ALL SELECT 'sellers', line, lines, record, key, fingerprint, problem FROM read_sellers
    UNION ALL SELECT 'categories', line, lines, record, key, fingerprint, problem FROM read_categories
)
ANTI JOIN quarantine USING (file, record)
WHERE problem IS NULL;

-- A person has let another record in for the same key. While the extract only repeats what it said before, that stands:
-- such a record is neither quarantined nor kept, and counts as unchanged.

-- The columns that it may lack count each by itself: one that says something new makes a record new to that person.

CREATE TABLE superseded AS
SELECT file, record
FROM candidate
SEMI JOIN superseded_fingerprint USING (file, key, fingerprint)
ANTI JOIN (
    SELECT of_file AS file, record
    FROM part
    LEFT JOIN known_fingerprint AS known USING (file, key)
    ANTI JOIN superseded_fingerprint AS superseded
        ON superseded.file = part.file AND superseded.key = part.key AND superseded.fingerprint = part.fingerprint
    WHERE part.fingerprint <> coalesce(known.fingerprint, nothing())
) USING (file, record);

DELETE FROM candidate USING superseded WHERE candidate.file = superseded.file AND candidate.record = superseded.record;

CREATE TEMP TABLE shared_key AS
SELECT file, key, min(record) AS first_record, arg_min(line, record) AS first_line,
    arg_min(fingerprint, record) AS first_fingerprint
FROM candidate
GROUP BY file, key
HAVING count(*) > 1;

CREATE TEMP TABLE later_record AS
SELECT file, line, lines, record, first_line,
    fingerprint = first_fingerprint AND NOT EXISTS (
        SELECT 1
        FROM part AS one
        JOIN part AS other ON other.file = one.file AND other.record = first_record
        WHERE one.of_file = candidate.file AND one.record = candidate.record AND one.fingerprint <> other.fingerprint
    ) AS is_identical
FROM candidate
JOIN shared_key USING (file, key)
WHERE record <> first_record;

INSERT INTO quarantine
SELECT file, line, lines, record, 'keys_unique', 'line ' || first_line || ' has the same key and other values'
FROM later_record
WHERE NOT is_identical;

-- An identical repetition is neither quarantined nor kept: it counts as unchanged (R4).

CREATE TABLE repetition AS
SELECT file, record FROM later_record WHERE is_identical;

-- A column that the extract lacks has no part, so it is no change; an empty cell is one where a filled one is known.

CREATE TEMP TABLE verdict AS
WITH changed_record AS (
    SELECT DISTINCT of_file AS file, record
    FROM part
    LEFT JOIN known_fingerprint AS known USING (file, key)
    WHERE part.fingerprint <> coalesce(known.fingerprint, nothing())
)
SELECT file, record,
    CASE WHEN known.fingerprint IS NULL THEN 'new'
         WHEN known.fingerprint <> candidate.fingerprint OR changed_record.record IS NOT NULL THEN 'changed'
         ELSE 'unchanged' END AS change
FROM candidate
ANTI JOIN later_record USING (file, record)
LEFT JOIN known_fingerprint AS known USING (file, key)
LEFT JOIN changed_record USING (file, record);

CREATE TABLE seen_part AS
SELECT of_file, part.file, part.key, part.fingerprint
FROM part
JOIN verdict ON verdict.file = of_file AND verdict.record = part.record
LEFT JOIN known_fingerprint AS known ON known.file = part.file AND known.key = part.key
WHERE change <> 'unchanged' AND (part.fingerprint <> nothing() OR known.fingerprint IS NOT NULL);

CREATE TABLE customers AS
SELECT read.* EXCLUDE (problem), change
FROM read_customers AS read JOIN verdict ON verdict.file = 'customers' AND verdict.record = read.record;

CREATE TABLE orders AS
SELECT read.* EXCLUDE (problem), change
FROM read_orders AS read JOIN verdict ON verdict.file = 'orders' AND verdict.record = read.record;

CREATE TABLE order_items AS
SELECT read.* EXCLUDE (problem), change
FROM read_order_items AS read JOIN verdict ON verdict.file = 'order_items' AND verdict.record = read.record;

CREATE TABLE order_payments AS
SELECT read.* EXCLUDE (problem), change
FROM read_order_payments AS read JOIN verdict ON verdict.file = 'order_payments' AND verdict.record = read.record;

CREATE TABLE order_reviews AS
SELECT read.* EXCLUDE (problem), change
FROM read_order_reviews AS read JOIN verdict ON verdict.file = 'order_reviews' AND verdict.record = read.record;

CREATE TABLE products AS
SELECT read.* EXCLUDE (problem), change
FROM read_products AS read JOIN verdict ON verdict.file = 'products' AND verdict.record = read.record;

CREATE TABLE sellers AS
SELECT read.* EXCLUDE (problem), change
FROM read_sellers AS read JOIN verdict ON verdict.file = 'sellers' AND verdict.record = read.record;

CREATE TABLE categories AS
SELECT read.* EXCLUDE (problem), change
FROM read_categories AS read JOIN verdict ON verdict.file = 'categories' AND verdict.record = read.record;

-- A prefix is compared by all of its samples, in whatever order they stand (R40). Sums of their fingerprints do not depend on
-- the order either and take constant memory, where sorting a million samples does not.

CREATE TABLE areas AS
SELECT zip_prefix, samples, area.key, area.fingerprint,
    CASE WHEN known.fingerprint IS NULL THEN 'new'
         WHEN known.fingerprint <> area.fingerprint THEN 'changed'
         ELSE 'unchanged' END AS change
FROM (
    SELECT zip_prefix, count(*) AS samples, key_of_area(zip_prefix) AS key,
        fingerprint_of(concat_ws(chr(0), zip_prefix, count(*), sum(upper_half(digest)), sum(lower_half(digest))))
            AS fingerprint
    FROM (
        SELECT zip_prefix,
            md5_number(concat_ws(chr(0), canonical(latitude), canonical(longitude), city, state)) AS digest
        FROM geolocation
    )
    GROUP BY zip_prefix
) AS area
LEFT JOIN known_fingerprint AS known ON known.file = 'geolocation' AND known.key = area.key;

CREATE TABLE file_count AS
SELECT file,
    coalesce(count_if(change = 'new'), 0) AS new,
    coalesce(count_if(change = 'changed'), 0) AS changed,
    coalesce(count_if(change = 'unchanged'), 0) AS unchanged,
    coalesce(count_if(change = 'quarantined'), 0) AS quarantined
FROM (
    SELECT file, change FROM verdict
    UNION ALL SELECT file, 'unchanged' FROM repetition
    UNION ALL SELECT file, 'unchanged' FROM superseded
    UNION ALL SELECT file, 'quarantined' FROM quarantine
    UNION ALL SELECT 'geolocation', change FROM geolocation JOIN areas USING (zip_prefix)
)
GROUP BY file;
