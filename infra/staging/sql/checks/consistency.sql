-- name: orders_known
SELECT sum(records), (SELECT count(*) FROM quarantine WHERE rule = 'orders_known')
FROM staged_file WHERE file IN ('order_items', 'order_payments', 'order_reviews');

-- name: orders_not_quarantined
SELECT sum(records), (SELECT count(*) FROM quarantine WHERE rule = 'orders_not_quarantined')
FROM staged_file WHERE file IN ('order_items', 'order_payments', 'order_reviews');

-- name: statuses_go_up
SELECT sum(records), (SELECT count(*) FROM quarantine WHERE rule = 'statuses_go_up')
FROM staged_file WHERE file = 'orders';

-- name: orders_keep_customer
SELECT sum(records), (SELECT count(*) FROM quarantine WHERE rule = 'orders_keep_customer')
FROM staged_file WHERE file = 'orders';

-- name: aliases_keep_person
SELECT sum(records), (SELECT count(*) FROM quarantine WHERE rule = 'aliases_keep_person')
FROM staged_file WHERE file = 'customers';

-- name: items_have_product
SELECT count(*), count_if(product_id NOT IN (SELECT product_id FROM products)
                          AND product_id NOT IN (SELECT key FROM known_fingerprint WHERE file = 'products'))
FROM order_items;

-- name: items_have_seller
SELECT count(*), count_if(seller_id NOT IN (SELECT seller_id FROM sellers)
                          AND seller_id NOT IN (SELECT seller_id FROM known_seller))
FROM order_items WHERE seller_id IS NOT NULL;

-- name: item_numbers_without_gap
-- Of orders that the log does not know: it may have the others.
SELECT count(*), count_if(lowest <> 1 OR highest <> items)
FROM (
    SELECT order_id, min(item_no) AS lowest, max(item_no) AS highest, count(*) AS items
    FROM order_items ANTI JOIN known_order USING (order_id)
    GROUP BY order_id
);

-- name: times_fit_status
-- R18: such a time is recorded nowhere.
SELECT count(*), count_if(approved_at IS NOT NULL AND status = 'created'
                          OR shipped_at IS NOT NULL AND rank_of(status) < 3
                          OR completed_at IS NOT NULL AND rank_of(status) < 4)
FROM orders WHERE rank_of(status) < 5;

-- name: canceled_orders_not_delivered
SELECT count(*), count_if(completed_at IS NOT NULL) FROM orders WHERE status IN ('canceled', 'unavailable');

-- name: prefixes_in_one_state
SELECT count(*), count_if(first_state <> last_state)
FROM (SELECT min(state) AS first_state, max(state) AS last_state FROM geolocation GROUP BY zip_prefix);
