-- The plan of a load, in the staging database: which aggregates the new and changed rows touch, in which bucket each
-- stands, and their rows sorted by bucket, family and key, so that a worker reads its buckets in one piece. Here orders and
-- their persons, and what is looked up of all; of the rest see plan_catalogue.sql, which runs at the same time.

-- Who is behind an alias: by this extract and by the log. A conflict between them was quarantined.
CREATE OR REPLACE TABLE person_of_alias AS
SELECT DISTINCT customer_alias, customer_id
FROM (
    SELECT customer_alias, customer_id FROM customers
    UNION ALL
    SELECT customer_alias, customer_id FROM known_alias
);

-- The zip prefix of each seller: this extract's word before the log's.
CREATE OR REPLACE TABLE seller_zip AS
SELECT coalesce(s.seller_id, k.seller_id) AS seller_id, coalesce(s.zip_prefix, k.zip_prefix) AS zip_prefix
FROM sellers AS s
FULL JOIN known_seller AS k ON k.seller_id = s.seller_id;

CREATE OR REPLACE TABLE every_order AS
SELECT
    coalesce(o.order_id, k.order_id) AS order_id,
    coalesce(o.customer_alias, k.customer_alias) AS customer_alias
FROM orders AS o
FULL JOIN known_order AS k ON k.order_id = o.order_id;

-- Orders to be decided on: those with a new or changed row of their own, and those that name a customer or a seller
-- with a new or changed row, whether the order stands in the extract or only in the log.
CREATE OR REPLACE TABLE touched_order AS
WITH touched AS (
    SELECT order_id FROM orders WHERE change <> 'unchanged'
    UNION
    SELECT order_id FROM order_items WHERE change <> 'unchanged'
    UNION
    SELECT order_id FROM order_payments WHERE change <> 'unchanged'
    UNION
    SELECT order_id FROM order_reviews WHERE change <> 'unchanged'
    UNION
    SELECT e.order_id
    FROM every_order AS e
    JOIN customers AS c ON c.customer_alias = e.customer_alias
    WHERE c.change <> 'unchanged'
    UNION
    SELECT i.order_id
    FROM order_items AS i
    JOIN sellers AS s ON s.seller_id = i.seller_id
    WHERE s.change <> 'unchanged'
    UNION
    SELECT k.order_id
    FROM (SELECT order_id, unnest(sellers) AS seller_id FROM known_order) AS k
    JOIN sellers AS s ON s.seller_id = k.seller_id
    WHERE s.change <> 'unchanged'
),
-- an alias is dated by the first of its orders, so orders under one alias are decided together
together AS (
    SELECT DISTINCT e.customer_alias
    FROM touched AS t
    JOIN every_order AS e ON e.order_id = t.order_id
)
SELECT
    e.order_id, e.customer_alias, p.customer_id, coalesce(p.customer_id, e.customer_alias) AS family,
    bucket_of(coalesce(p.customer_id, e.customer_alias)) AS bucket
FROM every_order AS e
JOIN together AS t ON t.customer_alias = e.customer_alias
LEFT JOIN person_of_alias AS p ON p.customer_alias = e.customer_alias;

-- Kind 1: persons, or aliases of nobody we know.
CREATE OR REPLACE TABLE work_person AS
SELECT bucket_of(family) AS bucket, family, customer_id
FROM (
    SELECT DISTINCT family, customer_id FROM touched_order
    UNION
    SELECT customer_id AS family, customer_id FROM customers WHERE change <> 'unchanged'
)
ORDER BY bucket, family;

CREATE OR REPLACE TABLE work_customer AS
SELECT
    bucket_of(c.customer_id) AS bucket, c.customer_id AS family,
    c.* EXCLUDE (customer_id, lines, record, key, fingerprint, change)
FROM customers AS c
WHERE c.change <> 'unchanged' OR c.customer_alias IN (SELECT customer_alias FROM touched_order)
ORDER BY bucket, family, c.record;

CREATE OR REPLACE TABLE work_order AS
SELECT
    t.bucket, t.family, t.order_id,
    o.* EXCLUDE (order_id, lines, record, key, fingerprint, change)
FROM touched_order AS t
LEFT JOIN orders AS o ON o.order_id = t.order_id
ORDER BY bucket, family, t.order_id;

CREATE OR REPLACE TABLE work_item AS
SELECT
    t.bucket, t.family,
    i.* EXCLUDE (lines, record, key, fingerprint, change)
        REPLACE (coalesce(i.seller_id, '00000000-0000-0000-0000-000000000000'::UUID) AS seller_id) -- whom nobody knows
FROM touched_order AS t
JOIN order_items AS i ON i.order_id = t.order_id
ORDER BY bucket, family, i.order_id, i.record;

CREATE OR REPLACE TABLE work_payment AS
SELECT
    t.bucket, t.family, p.* EXCLUDE (lines, record, key, fingerprint, change)
FROM touched_order AS t
JOIN order_payments AS p ON p.order_id = t.order_id
ORDER BY bucket, family, p.order_id, p.record;

CREATE OR REPLACE TABLE work_review AS
SELECT
    t.bucket, t.family,
    coalesce(t.customer_id, '00000000-0000-0000-0000-000000000000'::UUID) AS customer_id,
    r.* EXCLUDE (lines, record, key, fingerprint, change)
FROM touched_order AS t
JOIN order_reviews AS r ON r.order_id = t.order_id
ORDER BY bucket, family, r.order_id, r.record;

-- What the write side will look up at later loads: ids of two things that belong together, and of which file they are.
CREATE OR REPLACE TABLE work_lookup AS
WITH fingerprints AS (
    SELECT 'customers' AS file, 1 AS kind, bucket_of(customer_id) AS bucket, customer_id AS family, key, fingerprint
    FROM customers WHERE change <> 'unchanged'
    UNION ALL
    SELECT 'orders', 1, t.bucket, t.family, r.key, r.fingerprint
    FROM orders AS r JOIN touched_order AS t ON t.order_id = r.order_id WHERE r.change <> 'unchanged'
    UNION ALL
    SELECT 'order_items', 1, t.bucket, t.family, r.key, r.fingerprint
    FROM order_items AS r JOIN touched_order AS t ON t.order_id = r.order_id WHERE r.change <> 'unchanged'
    UNION ALL
    SELECT 'order_payments', 1, t.bucket, t.family, r.key, r.fingerprint
    FROM order_payments AS r JOIN touched_order AS t ON t.order_id = r.order_id WHERE r.change <> 'unchanged'
    UNION ALL
    SELECT 'order_reviews', 1, t.bucket, t.family, r.key, r.fingerprint
    FROM order_reviews AS r JOIN touched_order AS t ON t.order_id = r.order_id WHERE r.change <> 'unchanged'
    UNION ALL
    SELECT 'products', 2, bucket_of(product_id), product_id, key, fingerprint FROM products WHERE change <> 'unchanged'
    UNION ALL
    SELECT 'sellers', 3, bucket_of(seller_id), seller_id, key, fingerprint FROM sellers WHERE change <> 'unchanged'
    UNION ALL
    SELECT 'categories', 4, bucket_of(md5(category)::UUID), md5(category)::UUID, key, fingerprint
    FROM categories WHERE change <> 'unchanged'
    UNION ALL
    SELECT 'geolocation', 5, bucket_of(key), key, key, fingerprint FROM areas WHERE change <> 'unchanged'
),
parts AS (
    SELECT p.file, f.kind, f.bucket, f.family, p.key, p.fingerprint
    FROM seen_part AS p
    JOIN fingerprints AS f ON f.file = p.of_file AND f.key = p.key
)
SELECT bucket, kind, family, destination, file, key, value
FROM (
    SELECT 'row_fingerprint' AS destination, kind, bucket, family, file, key, fingerprint AS value
    FROM (FROM fingerprints UNION ALL FROM parts)
    UNION ALL
    SELECT 'alias_reference', 1, bucket_of(c.customer_id), c.customer_id, NULL, c.customer_alias, c.customer_id
    FROM customers AS c
    WHERE NOT EXISTS (SELECT 1 FROM known_alias AS k WHERE k.customer_alias = c.customer_alias)
    UNION ALL
    SELECT 'review_reference', 1, t.bucket, t.family, NULL, r.order_id, r.review_id
    FROM order_reviews AS r
    JOIN touched_order AS t ON t.order_id = r.order_id
    WHERE r.change = 'new'
)
ORDER BY bucket, kind, family;

-- The same of what is more than ids, as lines of COPY text (the load's number is put before each).
CREATE OR REPLACE TABLE work_reference AS
WITH order_sellers AS (
    SELECT order_id, list_sort(list_distinct(list(seller_id))) AS sellers
    FROM (
        SELECT i.order_id, coalesce(i.seller_id, '00000000-0000-0000-0000-000000000000'::UUID) AS seller_id
        FROM order_items AS i JOIN touched_order AS t ON t.order_id = i.order_id
        UNION ALL
        SELECT k.order_id, unnest(k.sellers) FROM known_order AS k JOIN touched_order AS t ON t.order_id = k.order_id
    )
    GROUP BY order_id
),
order_references AS (
    SELECT
        t.bucket, t.family, t.order_id, t.customer_alias, coalesce(o.status, k.status) AS status,
        coalesce(o.placed_at, k.placed_at) AS placed_at, coalesce(s.sellers, []) AS sellers
    FROM touched_order AS t
    LEFT JOIN orders AS o ON o.order_id = t.order_id
    LEFT JOIN known_order AS k ON k.order_id = t.order_id
    LEFT JOIN order_sellers AS s ON s.order_id = t.order_id
    WHERE k.order_id IS NULL
        OR (coalesce(o.status, k.status), coalesce(o.placed_at, k.placed_at)) <> (k.status, k.placed_at)
        OR coalesce(s.sellers, []) <> list_sort(list_distinct(coalesce(k.sellers, [])))
),
lines AS (
    SELECT
        'order_reference' AS destination, 1 AS kind, bucket, family,
        concat_ws(chr(9), order_id, customer_alias, status, placed_at, '{' || array_to_string(sellers, ',') || '}') AS line
    FROM order_references
    UNION ALL
    SELECT 'seller_reference', 3, bucket_of(s.seller_id), s.seller_id, concat_ws(chr(9), s.seller_id, s.zip_prefix)
    FROM sellers AS s
    WHERE s.change <> 'unchanged'
)
SELECT bucket, kind, family, destination, line
FROM lines
ORDER BY bucket, kind, family;
