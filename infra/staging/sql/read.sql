-- Every record with its cells as values, its key, its fingerprint, and the first problem of its own, if any:
-- required cells before unreadable values before values out of range, each in the order of the columns (R4).

CREATE TEMP TABLE read_customers AS
SELECT line, lines, customer_alias, customer_id, zip_prefix, city, state,
    key_of_customer(customer_alias) AS key,
    digest(concat_ws(chr(0), canonical_id(cell.customer_id), canonical_id(cell.customer_unique_id),
                     canonical(zip_prefix), canonical(city), canonical(state))) AS fingerprint,
    CASE
        WHEN cell.customer_id IS NULL THEN empty('customer_id')
        WHEN cell.customer_unique_id IS NULL THEN empty('customer_unique_id')
        WHEN cell.customer_zip_code_prefix IS NULL THEN empty('customer_zip_code_prefix')
        WHEN city IS NULL THEN empty('customer_city')
        WHEN state IS NULL THEN empty('customer_state')
        WHEN customer_alias IS NULL THEN unreadable_unquoted('customer_id', an_id())
        WHEN customer_id IS NULL THEN unreadable_unquoted('customer_unique_id', an_id())
        WHEN zip_prefix IS NULL THEN unreadable_unquoted('customer_zip_code_prefix', a_zip_prefix())
    END AS problem
FROM (
    SELECT cell, cell.line, cell.lines,
        as_id(cell.customer_id) AS customer_alias,
        as_id(cell.customer_unique_id) AS customer_id,
        as_zip(cell.customer_zip_code_prefix) AS zip_prefix,
        cell.customer_city AS city,
        cell.customer_state AS state
    FROM read_parquet(getvariable('cells') || '/customers.parquet') AS cell
);

CREATE TEMP TABLE read_orders AS
SELECT line, lines, order_id, customer_alias, status, placed_at, approved_at, shipped_at, completed_at, promised_by,
    key_of_order(order_id) AS key,
    digest(concat_ws(chr(0), canonical_id(cell.order_id), canonical_id(cell.customer_id), canonical(status),
                     canonical(placed_at), canonical(approved_at),
                     canonical(shipped_at), canonical(completed_at),
                     canonical(promised_by))) AS fingerprint,
    CASE
        WHEN cell.order_id IS NULL THEN empty('order_id')
        WHEN cell.customer_id IS NULL THEN empty('customer_id')
        WHEN status IS NULL THEN empty('order_status')
        WHEN cell.order_purchase_timestamp IS NULL THEN empty('order_purchase_timestamp')
        WHEN cell.order_estimated_delivery_date IS NULL THEN empty('order_estimated_delivery_date')
        WHEN order_id IS NULL THEN unreadable('order_id', cell.order_id, an_id())
        WHEN customer_alias IS NULL THEN unreadable('customer_id', cell.customer_id, an_id())
        WHEN placed_at IS NULL
            THEN unreadable('order_purchase_timestamp', cell.order_purchase_timestamp, a_time())
        WHEN is_unreadable(cell.order_approved_at, approved_at)
            THEN unreadable('order_approved_at', cell.order_approved_at, a_time())
        WHEN is_unreadable(cell.order_delivered_carrier_date, shipped_at)
            THEN unreadable('order_delivered_carrier_date', cell.order_delivered_carrier_date, a_time())
        WHEN is_unreadable(cell.order_delivered_customer_date, completed_at)
            THEN unreadable('order_delivered_customer_date', cell.order_delivered_customer_date, a_time())
        WHEN promised_by IS NULL
            THEN unreadable('order_estimated_delivery_date', cell.order_estimated_delivery_date, a_time())
        WHEN rank_of(status) IS NULL
            THEN problem('statuses_known', 'order_status is "' || left(status, 60) || '", none of the eight')
    END AS problem
FROM (
    SELECT cell, cell.line, cell.lines,
        as_id(cell.order_id) AS order_id,
        as_id(cell.customer_id) AS customer_alias,
        cell.order_status AS status,
        as_time(cell.order_purchase_timestamp) AS placed_at,
        as_time(cell.order_approved_at) AS approved_at,
        as_time(cell.order_delivered_carrier_date) AS shipped_at,
        as_time(cell.order_delivered_customer_date) AS completed_at,
        as_time(cell.order_estimated_delivery_date) AS promised_by
    FROM read_parquet(getvariable('cells') || '/orders.parquet') AS cell
);

CREATE TEMP TABLE read_order_items AS
SELECT line, lines, order_id, item_no, product_id, seller_id, ship_by, price, freight,
    key_of_item(cell.order_id, item_no) AS key,
    digest(concat_ws(chr(0), canonical_id(cell.order_id), canonical(item_no), canonical_id(cell.product_id),
                     canonical_id(cell.seller_id), canonical(ship_by), canonical(price),
                     canonical(freight))) AS fingerprint,
    CASE
        WHEN cell.order_id IS NULL THEN empty('order_id')
        WHEN cell.order_item_id IS NULL THEN empty('order_item_id')
        WHEN cell.product_id IS NULL THEN empty('product_id')
        WHEN cell.seller_id IS NULL THEN empty('seller_id')
        WHEN cell.shipping_limit_date IS NULL THEN empty('shipping_limit_date')
        WHEN cell.price IS NULL THEN empty('price')
        WHEN cell.freight_value IS NULL THEN empty('freight_value')
        WHEN order_id IS NULL THEN unreadable('order_id', cell.order_id, an_id())
        WHEN item_no IS NULL THEN unreadable('order_item_id', cell.order_item_id, a_whole_number())
        WHEN product_id IS NULL THEN unreadable('product_id', cell.product_id, an_id())
        WHEN seller_id IS NULL THEN unreadable('seller_id', cell.seller_id, an_id())
        WHEN ship_by IS NULL THEN unreadable('shipping_limit_date', cell.shipping_limit_date, a_time())
        WHEN price IS NULL THEN unreadable('price', cell.price, an_amount())
        WHEN freight IS NULL THEN unreadable('freight_value', cell.freight_value, an_amount())
    END AS problem
FROM (
    SELECT cell, cell.line, cell.lines,
        as_id(cell.order_id) AS order_id,
        as_whole(cell.order_item_id) AS item_no,
        as_id(cell.product_id) AS product_id,
        as_id(cell.seller_id) AS seller_id,
        as_time(cell.shipping_limit_date) AS ship_by,
        as_money(cell.price) AS price,
        as_money(cell.freight_value) AS freight
    FROM read_parquet(getvariable('cells') || '/order_items.parquet') AS cell
);

CREATE TEMP TABLE read_order_payments AS
SELECT line, lines, order_id, payment_no, method, installments, amount,
    key_of_payment(cell.order_id, payment_no) AS key,
    digest(concat_ws(chr(0), canonical_id(cell.order_id), canonical(payment_no), canonical(method),
                     canonical(installments), canonical(amount))) AS fingerprint,
    CASE
        WHEN cell.order_id IS NULL THEN empty('order_id')
        WHEN cell.payment_sequential IS NULL THEN empty('payment_sequential')
        WHEN method IS NULL THEN empty('payment_type')
        WHEN cell.payment_installments IS NULL THEN empty('payment_installments')
        WHEN cell.payment_value IS NULL THEN empty('payment_value')
        WHEN order_id IS NULL THEN unreadable('order_id', cell.order_id, an_id())
        WHEN payment_no IS NULL
            THEN unreadable('payment_sequential', cell.payment_sequential, a_whole_number())
        WHEN installments IS NULL
            THEN unreadable('payment_installments', cell.payment_installments, a_whole_number())
        WHEN amount IS NULL THEN unreadable('payment_value', cell.payment_value, an_amount())
    END AS problem
FROM (
    SELECT cell, cell.line, cell.lines,
        as_id(cell.order_id) AS order_id,
        as_whole(cell.payment_sequential) AS payment_no,
        cell.payment_type AS method,
        as_whole(cell.payment_installments) AS installments,
        as_money(cell.payment_value) AS amount
    FROM read_parquet(getvariable('cells') || '/order_payments.parquet') AS cell
);

CREATE TEMP TABLE read_order_reviews AS
SELECT line, lines, review_id, order_id, score, title, comment, created_at, answered_at,
    key_of_review(cell.review_id, cell.order_id) AS key,
    digest(concat_ws(chr(0), canonical_id(cell.review_id), canonical_id(cell.order_id), canonical(score),
                     canonical(title), canonical(comment), canonical(created_at),
                     canonical(answered_at))) AS fingerprint,
    CASE
        WHEN cell.review_id IS NULL THEN empty('review_id')
        WHEN cell.order_id IS NULL THEN empty('order_id')
        WHEN cell.review_score IS NULL THEN empty('review_score')
        WHEN cell.review_creation_date IS NULL THEN empty('review_creation_date')
        WHEN review_id IS NULL THEN unreadable_unquoted('review_id', an_id())
        WHEN order_id IS NULL THEN unreadable_unquoted('order_id', an_id())
        WHEN score IS NULL THEN unreadable_unquoted('review_score', a_whole_number())
        WHEN created_at IS NULL
            THEN unreadable_unquoted('review_creation_date', a_time())
        WHEN is_unreadable(cell.review_answer_timestamp, answered_at)
            THEN unreadable_unquoted('review_answer_timestamp', a_time())
        WHEN score NOT BETWEEN 1 AND 5
            THEN problem('scores_in_range', 'review_score is not 1 to 5')
    END AS problem
FROM (
    SELECT cell, cell.line, cell.lines,
        as_id(cell.review_id) AS review_id,
        as_id(cell.order_id) AS order_id,
        as_whole(cell.review_score) AS score,
        cell.review_comment_title AS title,
        cell.review_comment_message AS comment,
        as_time(cell.review_creation_date) AS created_at,
        as_time(cell.review_answer_timestamp) AS answered_at
    FROM read_parquet(getvariable('cells') || '/order_reviews.parquet') AS cell
);

CREATE TEMP TABLE read_products AS
SELECT line, lines, product_id, category, name_length, description_length, photos, weight_g, length_cm, height_cm, width_cm,
    key_of_product(product_id) AS key,
    digest(concat_ws(chr(0), canonical_id(cell.product_id), canonical(category), canonical(name_length),
                     canonical(description_length), canonical(photos), canonical(weight_g), canonical(length_cm),
                     canonical(height_cm), canonical(width_cm))) AS fingerprint,
    CASE
        WHEN cell.product_id IS NULL THEN empty('product_id')
        WHEN product_id IS NULL THEN unreadable('product_id', cell.product_id, an_id())
        WHEN is_unreadable(cell.product_name_lenght, name_length)
            THEN unreadable('product_name_lenght', cell.product_name_lenght, a_whole_number())
        WHEN is_unreadable(cell.product_description_lenght, description_length)
            THEN unreadable('product_description_lenght', cell.product_description_lenght, a_whole_number())
        WHEN is_unreadable(cell.product_photos_qty, photos)
            THEN unreadable('product_photos_qty', cell.product_photos_qty, a_whole_number())
        WHEN is_unreadable(cell.product_weight_g, weight_g)
            THEN unreadable('product_weight_g', cell.product_weight_g, a_whole_number())
        WHEN is_unreadable(cell.product_length_cm, length_cm)
            THEN unreadable('product_length_cm', cell.product_length_cm, a_whole_number())
        WHEN is_unreadable(cell.product_height_cm, height_cm)
            THEN unreadable('product_height_cm', cell.product_height_cm, a_whole_number())
        WHEN is_unreadable(cell.product_width_cm, width_cm)
            THEN unreadable('product_width_cm', cell.product_width_cm, a_whole_number())
    END AS problem
FROM (
    SELECT cell, cell.line, cell.lines,
        as_id(cell.product_id) AS product_id,
        cell.product_category_name AS category,
        as_whole(cell.product_name_lenght) AS name_length,
        as_whole(cell.product_description_lenght) AS description_length,
        as_whole(cell.product_photos_qty) AS photos,
        as_whole(cell.product_weight_g) AS weight_g,
        as_whole(cell.product_length_cm) AS length_cm,
        as_whole(cell.product_height_cm) AS height_cm,
        as_whole(cell.product_width_cm) AS width_cm
    FROM read_parquet(getvariable('cells') || '/products.parquet') AS cell
);

CREATE TEMP TABLE read_sellers AS
SELECT line, lines, seller_id, zip_prefix, city, state,
    key_of_seller(seller_id) AS key,
    digest(concat_ws(chr(0), canonical_id(cell.seller_id), canonical(zip_prefix), canonical(city),
                     canonical(state))) AS fingerprint,
    CASE
        WHEN cell.seller_id IS NULL THEN empty('seller_id')
        WHEN cell.seller_zip_code_prefix IS NULL THEN empty('seller_zip_code_prefix')
        WHEN city IS NULL THEN empty('seller_city')
        WHEN state IS NULL THEN empty('seller_state')
        WHEN seller_id IS NULL THEN unreadable('seller_id', cell.seller_id, an_id())
        WHEN zip_prefix IS NULL THEN unreadable_unquoted('seller_zip_code_prefix', a_zip_prefix())
    END AS problem
FROM (
    SELECT cell, cell.line, cell.lines,
        as_id(cell.seller_id) AS seller_id,
        as_zip(cell.seller_zip_code_prefix) AS zip_prefix,
        cell.seller_city AS city,
        cell.seller_state AS state
    FROM read_parquet(getvariable('cells') || '/sellers.parquet') AS cell
);

CREATE TEMP TABLE read_categories AS
SELECT line, lines, category, english,
    key_of_category(category) AS key,
    digest(concat_ws(chr(0), canonical(category), canonical(english))) AS fingerprint,
    CASE
        WHEN category IS NULL THEN empty('product_category_name')
        WHEN english IS NULL THEN empty('product_category_name_english')
    END AS problem
FROM (
    SELECT cell.line, cell.lines,
        cell.product_category_name AS category,
        cell.product_category_name_english AS english
    FROM read_parquet(getvariable('cells') || '/categories.parquet') AS cell
);

-- A million samples have no key of their own (R40): they are read straight into their table, those with a problem leave it
-- again (quarantine.sql).

CREATE TABLE geolocation AS
SELECT line, lines, zip_prefix, latitude, longitude, city, state,
    CASE
        WHEN cell.geolocation_zip_code_prefix IS NULL THEN empty('geolocation_zip_code_prefix')
        WHEN cell.geolocation_lat IS NULL THEN empty('geolocation_lat')
        WHEN cell.geolocation_lng IS NULL THEN empty('geolocation_lng')
        WHEN city IS NULL THEN empty('geolocation_city')
        WHEN state IS NULL THEN empty('geolocation_state')
        WHEN zip_prefix IS NULL THEN unreadable_unquoted('geolocation_zip_code_prefix', a_zip_prefix())
        WHEN latitude IS NULL THEN unreadable('geolocation_lat', cell.geolocation_lat, a_decimal_number())
        WHEN longitude IS NULL THEN unreadable('geolocation_lng', cell.geolocation_lng, a_decimal_number())
    END AS problem
FROM (
    SELECT cell, cell.line, cell.lines,
        as_zip(cell.geolocation_zip_code_prefix) AS zip_prefix,
        as_degrees(cell.geolocation_lat) AS latitude,
        as_degrees(cell.geolocation_lng) AS longitude,
        cell.geolocation_city AS city,
        cell.geolocation_state AS state
    FROM read_parquet(getvariable('cells') || '/geolocation.parquet') AS cell
);
