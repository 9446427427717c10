-- One query a rule, each with how much was checked and how much of it failed. A rule on what one file says of another
-- checks nothing if the extract lacks that other file: what is not there is no finding.

-- name: required_cells_filled
SELECT sum(records) AS checked, (SELECT count(*) FROM quarantine WHERE rule = 'required_cells_filled') AS failed
FROM staged_file;

-- name: orders_have_customer
SELECT count(*), count_if(customer_alias NOT IN (SELECT customer_alias FROM customers)
                          AND customer_alias NOT IN (SELECT customer_alias FROM known_alias))
FROM orders;

-- name: orders_have_lines
SELECT count(*), count_if(order_id NOT IN (SELECT order_id FROM order_items)
                          AND order_id NOT IN (SELECT order_id FROM known_order WHERE len(sellers) > 0))
FROM orders WHERE is_staged('order_items');

-- name: orders_have_payments
-- The log does not tell which orders have payments: those that it knows are left out.
SELECT count(*), count_if(order_id NOT IN (SELECT order_id FROM order_payments))
FROM orders ANTI JOIN known_order USING (order_id) WHERE is_staged('order_payments');

-- name: approved_orders_have_time
SELECT count(*), count_if(approved_at IS NULL) FROM orders WHERE rank_of(status) BETWEEN 1 AND 4;

-- name: shipped_orders_have_time
SELECT count(*), count_if(shipped_at IS NULL) FROM orders WHERE status IN ('shipped', 'delivered');

-- name: delivered_orders_have_time
SELECT count(*), count_if(completed_at IS NULL) FROM orders WHERE status = 'delivered';

-- name: orders_have_promise
-- Of a source that always knows it, an order without it is kept out: required_cells_filled tells, and there is nothing to
-- check. So it is of a line.
SELECT count(*), count_if(promised_by IS NULL) FROM orders WHERE is_unknown('orders', 'promised_by') HAVING count(*) > 0;

-- name: items_have_ship_by
SELECT count(*), count_if(ship_by IS NULL) FROM order_items WHERE is_unknown('order_items', 'ship_by') HAVING count(*) > 0;

-- name: items_name_seller
SELECT count(*), count_if(seller_id IS NULL) FROM order_items WHERE is_unknown('order_items', 'seller_id') HAVING count(*) > 0;

-- name: records_still_there
-- Of sources whose extracts hold everything: of others nobody can tell.
SELECT sum(known), sum(greatest(missing - unreadable, 0)) FROM missing_count HAVING count(*) > 0;

-- name: reviews_have_answer_time
SELECT count(*), count_if(answered_at IS NULL) FROM order_reviews;

-- name: products_have_category
SELECT count(*), count_if(category IS NULL) FROM products;

-- name: products_have_measures
SELECT count(*), count_if(weight_g IS NULL OR length_cm IS NULL OR height_cm IS NULL OR width_cm IS NULL)
FROM products;

-- name: products_have_description
SELECT count(*), count_if(name_length IS NULL OR description_length IS NULL OR photos IS NULL) FROM products;

-- name: categories_translated
SELECT count(*), count_if(category NOT IN (SELECT category FROM categories)
                          AND key_of_category(category) NOT IN (
                              SELECT key FROM known_fingerprint WHERE file = 'categories'))
FROM (SELECT DISTINCT category FROM products WHERE category IS NOT NULL) WHERE is_staged('categories');

-- name: zip_prefixes_sampled
SELECT count(*), count_if(zip_prefix NOT IN (SELECT zip_prefix FROM areas)
                          AND key_of_area(zip_prefix) NOT IN (
                              SELECT key FROM known_fingerprint WHERE file = 'geolocation'))
FROM (SELECT zip_prefix FROM customers UNION ALL SELECT zip_prefix FROM sellers) WHERE is_staged('geolocation');
