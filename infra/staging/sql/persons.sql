-- The persons of buckets $first to $last, each a JSON document in the shape of ingest/work.py. Amounts are texts, so that
-- they stay exact; facts that are named tuples are arrays. Each row becomes JSON by itself and texts are put together: lists
-- of structures would take twice the time. What stands in angle brackets, infra/staging/work.py puts in: the facts that the
-- domain takes of a record of that file, by the names of their fields, and after them, as `unsaid`, those fields whose column
-- the extract lacks.
WITH
customer AS (
    SELECT
        family,
        string_agg(to_json({
            'line': line, 'alias': customer_alias, 'region': region, 'address': <customers>
        })::VARCHAR, ',') AS customers
    FROM work_customer WHERE bucket BETWEEN $first AND $last GROUP BY family
),
item AS (
    SELECT
        order_id,
        string_agg(to_json({
            'line': line,
            'item': <order_items>
        })::VARCHAR, ',') AS items
    FROM work_item WHERE bucket BETWEEN $first AND $last GROUP BY order_id
),
payment AS (
    SELECT
        order_id,
        string_agg(to_json({
            'line': line,
            'payment': <order_payments>
        })::VARCHAR, ',') AS payments
    FROM work_payment WHERE bucket BETWEEN $first AND $last GROUP BY order_id
),
review AS (
    SELECT
        order_id,
        string_agg(to_json({
            'line': line,
            'review': <order_reviews>
        })::VARCHAR, ',') AS reviews
    FROM work_review WHERE bucket BETWEEN $first AND $last GROUP BY order_id
),
header AS (
    SELECT
        family, order_id,
        CASE WHEN line IS NULL THEN 'null' ELSE to_json({
            'line': line,
            'header': <orders>
        })::VARCHAR END AS header
    FROM work_order WHERE bucket BETWEEN $first AND $last
),
orders AS (
    SELECT
        h.family,
        string_agg(
            '{"order_id":"' || h.order_id || '","header":' || h.header
            || ',"items":[' || coalesce(item.items, '')
            || '],"payments":[' || coalesce(payment.payments, '')
            || '],"reviews":[' || coalesce(review.reviews, '') || ']}',
            ',' ORDER BY h.order_id
        ) AS orders
    FROM header AS h
    LEFT JOIN item ON item.order_id = h.order_id
    LEFT JOIN payment ON payment.order_id = h.order_id
    LEFT JOIN review ON review.order_id = h.order_id
    GROUP BY h.family
)
SELECT
    p.bucket, 1 AS kind, p.family,
    '{"key":"' || p.family || '","customer_id":' || coalesce('"' || p.customer_id || '"', 'null')
    || ',"customers":[' || coalesce(customer.customers, '')
    || '],"orders":[' || coalesce(orders.orders, '') || ']}' AS document
FROM (SELECT * FROM work_person WHERE bucket BETWEEN $first AND $last) AS p
LEFT JOIN customer ON customer.family = p.family
LEFT JOIN orders ON orders.family = p.family
