-- The families of buckets $first to $last, each a JSON document in the shape of ingest/work.py, in the order of bucket,
-- kind and key. Amounts are texts, so that they stay exact; facts that are named tuples are arrays.
WITH
customer AS (
    SELECT
        family,
        list({
            'line': line, 'alias': customer_alias,
            'address': json_array(zip_prefix, city, state)
        } ORDER BY line) AS rows
    FROM work_customer WHERE bucket BETWEEN $first AND $last GROUP BY family
),
item AS (
    SELECT
        order_id,
        list({
            'line': line,
            'item': {
                'item_no': item_no, 'product_id': product_id, 'seller_id': seller_id, 'price': price::VARCHAR,
                'freight': freight::VARCHAR, 'ship_by': ship_by
            }
        } ORDER BY item_no) AS rows
    FROM work_item WHERE bucket BETWEEN $first AND $last GROUP BY order_id
),
payment AS (
    SELECT
        order_id,
        list({
            'line': line,
            'payment': {
                'payment_no': payment_no, 'method': method, 'installments': installments, 'amount': amount::VARCHAR
            }
        } ORDER BY payment_no) AS rows
    FROM work_payment WHERE bucket BETWEEN $first AND $last GROUP BY order_id
),
review AS (
    SELECT
        order_id,
        list({
            'line': line,
            'review': json_array(
                review_id, order_id, coalesce(customer_id, '00000000-0000-0000-0000-000000000000'::UUID), score, title,
                comment, created_at, answered_at
            )
        } ORDER BY review_id) AS rows
    FROM work_review WHERE bucket BETWEEN $first AND $last GROUP BY order_id
),
orders AS (
    SELECT
        o.family,
        list({
            'order_id': o.order_id,
            'header': CASE WHEN o.line IS NOT NULL THEN {
                'line': o.line,
                'header': {
                    'customer_alias': o.customer_alias, 'status': o.status, 'placed_at': o.placed_at,
                    'promised_by': o.promised_by, 'approved_at': o.approved_at, 'shipped_at': o.shipped_at,
                    'completed_at': o.completed_at
                }
            } END,
            'items': coalesce(item.rows, []),
            'payments': coalesce(payment.rows, []),
            'reviews': coalesce(review.rows, [])
        } ORDER BY o.order_id) AS rows
    FROM (SELECT * FROM work_order WHERE bucket BETWEEN $first AND $last) AS o
    LEFT JOIN item ON item.order_id = o.order_id
    LEFT JOIN payment ON payment.order_id = o.order_id
    LEFT JOIN review ON review.order_id = o.order_id
    GROUP BY o.family
),
area AS (
    SELECT
        bucket, family, min(zip_prefix) AS zip_prefix, list(line ORDER BY line) AS lines,
        list(json_array(latitude, longitude, city, state) ORDER BY line) AS samples
    FROM work_sample WHERE bucket BETWEEN $first AND $last GROUP BY bucket, family
)
SELECT p.bucket, 1 AS kind, p.family, to_json({
    'key': p.family, 'customer_id': p.customer_id, 'customers': coalesce(customer.rows, []),
    'orders': coalesce(orders.rows, [])
})::VARCHAR AS document
FROM (SELECT * FROM work_person WHERE bucket BETWEEN $first AND $last) AS p
LEFT JOIN customer ON customer.family = p.family
LEFT JOIN orders ON orders.family = p.family
UNION ALL
SELECT bucket, 2, product_id, to_json({
    'key': product_id, 'line': line,
    'product': json_array(
        category, name_length, description_length, photos, weight_g, length_cm, height_cm, width_cm
    )
})::VARCHAR
FROM work_product WHERE bucket BETWEEN $first AND $last
UNION ALL
SELECT bucket, 3, seller_id, to_json({
    'key': seller_id, 'line': line, 'seller': json_array(zip_prefix, city, state)
})::VARCHAR
FROM work_seller WHERE bucket BETWEEN $first AND $last
UNION ALL
SELECT bucket, 4, family, to_json({
    'key': family, 'name': name, 'line': line, 'english': english, 'product_line': product_line
})::VARCHAR
FROM work_category WHERE bucket BETWEEN $first AND $last
UNION ALL
SELECT bucket, 5, family, to_json({
    'key': family, 'zip_prefix': zip_prefix, 'lines': lines, 'samples': samples
})::VARCHAR
FROM area
ORDER BY bucket, kind, family
