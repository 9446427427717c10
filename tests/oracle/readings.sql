-- What the files say, typed (R2, R3), without the rows that R4 quarantines. A macro gives null for a cell it cannot read.

CREATE SCHEMA reading;

CREATE MACRO an_identifier(cell) AS
    CASE WHEN regexp_full_match(cell, '[0-9a-fA-F]{32}') THEN try_cast(cell AS UUID) END;

CREATE MACRO a_time(cell) AS
    CASE WHEN left(cell, 4) = '0000' THEN NULL
         WHEN regexp_full_match(cell, '\d{4}-\d{2}-\d{2}') THEN try_cast(cell || ' 00:00:00' AS TIMESTAMP)
         WHEN regexp_full_match(cell, '\d{4}-\d{2}-\d{2}[ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.0+)?')
         THEN try_cast(left(cell, 10) || ' ' || cell[12:19] AS TIMESTAMP) END;

CREATE MACRO a_whole_number(cell) AS
    CASE WHEN regexp_full_match(cell, '-?\d{1,9}(\.0+)?') THEN try_cast(regexp_replace(cell, '\.0+$', '') AS INTEGER) END;

CREATE MACRO an_amount(cell) AS
    CASE WHEN regexp_full_match(cell, '\d{1,10}(\.\d{1,2})?') THEN try_cast(cell AS DECIMAL(12, 2)) END;

CREATE MACRO a_coordinate(cell) AS
    CASE WHEN regexp_full_match(cell, '-?\d+(\.\d+)?([eE][-+]?\d+)?') THEN try_cast(cell AS DOUBLE) END;

CREATE MACRO a_zip_prefix(cell) AS
    CASE WHEN regexp_full_match(cell, '\d{1,5}') THEN lpad(cell, 5, '0') END;

-- An optional cell is good when it is empty or can be read.
CREATE MACRO is_empty_or_read(cell, value) AS cell IS NULL OR value IS NOT NULL;

-- A required cell of those that some sources do not know.
CREATE MACRO is_unknown_or_read(cell, value) AS value IS NOT NULL OR cell IS NULL AND getvariable('may_be_unknown');

-- Hundredths of numerator / denominator, rounded half away from zero in whole numbers (R7).
CREATE MACRO to_hundredths(numerator, denominator) AS
    CAST(sign(numerator) * ((200 * abs(numerator) + denominator) // (2 * denominator)) AS DECIMAL(12, 0))
    * CAST(0.01 AS DECIMAL(3, 2));

CREATE MACRO seconds_between(earlier, later) AS (epoch_us(later) - epoch_us(earlier)) // 1000000;

CREATE MACRO date_key_of(moment) AS
    CAST(year(moment) * 10000 + month(moment) * 100 + day(moment) AS INTEGER);

CREATE TABLE reading.region AS
SELECT unnest(states) AS state, region
FROM (VALUES
    ('North', ['AC', 'AM', 'AP', 'PA', 'RO', 'RR', 'TO']),
    ('Northeast', ['AL', 'BA', 'CE', 'MA', 'PB', 'PE', 'PI', 'RN', 'SE']),
    ('Central-West', ['DF', 'GO', 'MS', 'MT']),
    ('Southeast', ['ES', 'MG', 'RJ', 'SP']),
    ('South', ['PR', 'RS', 'SC'])
) AS regions (region, states);

CREATE TABLE reading.orders AS
WITH typed AS (
    SELECT record, order_status AS status,
        an_identifier(order_id) AS order_id,
        an_identifier(customer_id) AS customer_alias,
        a_time(order_purchase_timestamp) AS placed_at,
        a_time(order_approved_at) AS approved_at, order_approved_at AS approved_cell,
        a_time(order_delivered_carrier_date) AS carrier_at, order_delivered_carrier_date AS carrier_cell,
        a_time(order_delivered_customer_date) AS delivered_at, order_delivered_customer_date AS delivered_cell,
        a_time(order_estimated_delivery_date) AS promised_by, order_estimated_delivery_date AS promised_cell
    FROM raw.orders
)
SELECT record, order_id, customer_alias, status, placed_at, approved_at, carrier_at, delivered_at, promised_by
FROM typed
WHERE order_id IS NOT NULL AND customer_alias IS NOT NULL AND placed_at IS NOT NULL
  AND is_unknown_or_read(promised_cell, promised_by)
  AND status IN ('created', 'approved', 'invoiced', 'processing', 'shipped', 'delivered', 'canceled', 'unavailable')
  AND is_empty_or_read(approved_cell, approved_at)
  AND is_empty_or_read(carrier_cell, carrier_at)
  AND is_empty_or_read(delivered_cell, delivered_at)
QUALIFY row_number() OVER (PARTITION BY order_id ORDER BY record) = 1;

CREATE TABLE reading.customers AS
WITH typed AS (
    SELECT record,
        an_identifier(customer_id) AS customer_alias,
        an_identifier(customer_unique_id) AS customer_id,
        a_zip_prefix(customer_zip_code_prefix) AS zip_prefix,
        customer_city AS city, customer_state AS state
    FROM raw.customers
)
SELECT customer_alias, customer_id, zip_prefix, city, state
FROM typed
WHERE customer_alias IS NOT NULL AND customer_id IS NOT NULL AND zip_prefix IS NOT NULL
  AND city IS NOT NULL AND state IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY customer_alias ORDER BY record) = 1;

-- Items, payments and reviews of an order that is not there, or is quarantined, are orphans.
CREATE TABLE reading.order_items AS
WITH typed AS (
    SELECT record,
        an_identifier(order_id) AS order_id,
        a_whole_number(order_item_id) AS item_no,
        an_identifier(product_id) AS product_id,
        an_identifier(seller_id) AS seller, seller_id AS seller_cell,
        a_time(shipping_limit_date) AS ship_by, shipping_limit_date AS ship_by_cell,
        an_amount(price) AS price,
        an_amount(freight_value) AS freight
    FROM raw.order_items
)
SELECT order_id, item_no, product_id,
    coalesce(seller, CAST('00000000-0000-0000-0000-000000000000' AS UUID)) AS seller_id, ship_by, price, freight
FROM typed SEMI JOIN reading.orders USING (order_id)
WHERE item_no IS NOT NULL AND product_id IS NOT NULL
  AND is_unknown_or_read(seller_cell, seller) AND is_unknown_or_read(ship_by_cell, ship_by)
  AND price IS NOT NULL AND freight IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY order_id, item_no ORDER BY record) = 1;

CREATE TABLE reading.order_payments AS
WITH typed AS (
    SELECT record,
        an_identifier(order_id) AS order_id,
        a_whole_number(payment_sequential) AS payment_no,
        payment_type AS method,
        a_whole_number(payment_installments) AS installments,
        an_amount(payment_value) AS amount
    FROM raw.order_payments
)
SELECT order_id, payment_no, method, installments, amount
FROM typed SEMI JOIN reading.orders USING (order_id)
WHERE payment_no IS NOT NULL AND method IS NOT NULL AND installments IS NOT NULL AND amount IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY order_id, payment_no ORDER BY record) = 1;

CREATE TABLE reading.order_reviews AS
WITH typed AS (
    SELECT record,
        an_identifier(review_id) AS review_id,
        an_identifier(order_id) AS order_id,
        a_whole_number(review_score) AS score,
        review_comment_title AS title, review_comment_message AS comment,
        a_time(review_creation_date) AS created_at,
        a_time(review_answer_timestamp) AS answered_at, review_answer_timestamp AS answered_cell
    FROM raw.order_reviews
)
SELECT review_id, order_id, score, title, comment, created_at, answered_at
FROM typed SEMI JOIN reading.orders USING (order_id)
WHERE review_id IS NOT NULL AND score BETWEEN 1 AND 5 AND created_at IS NOT NULL
  AND is_empty_or_read(answered_cell, answered_at)
QUALIFY row_number() OVER (PARTITION BY review_id, order_id ORDER BY record) = 1;

CREATE TABLE reading.products AS
WITH typed AS (
    SELECT *, an_identifier(product_id) AS id,
        a_whole_number(product_name_lenght) AS name_length,
        a_whole_number(product_description_lenght) AS description_length,
        a_whole_number(product_photos_qty) AS photos,
        a_whole_number(product_weight_g) AS weight_g,
        a_whole_number(product_length_cm) AS length_cm,
        a_whole_number(product_height_cm) AS height_cm,
        a_whole_number(product_width_cm) AS width_cm
    FROM raw.products
)
SELECT id AS product_id, product_category_name AS category,
    name_length, description_length, photos, weight_g, length_cm, height_cm, width_cm
FROM typed
WHERE id IS NOT NULL
  AND is_empty_or_read(product_name_lenght, name_length)
  AND is_empty_or_read(product_description_lenght, description_length)
  AND is_empty_or_read(product_photos_qty, photos)
  AND is_empty_or_read(product_weight_g, weight_g)
  AND is_empty_or_read(product_length_cm, length_cm)
  AND is_empty_or_read(product_height_cm, height_cm)
  AND is_empty_or_read(product_width_cm, width_cm)
QUALIFY row_number() OVER (PARTITION BY id ORDER BY record) = 1;

CREATE TABLE reading.sellers AS
WITH typed AS (
    SELECT record,
        an_identifier(seller_id) AS seller_id,
        a_zip_prefix(seller_zip_code_prefix) AS zip_prefix,
        seller_city AS city, seller_state AS state
    FROM raw.sellers
)
SELECT seller_id, zip_prefix, city, state
FROM typed
WHERE seller_id IS NOT NULL AND zip_prefix IS NOT NULL AND city IS NOT NULL AND state IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY seller_id ORDER BY record) = 1;

CREATE TABLE reading.categories AS
SELECT product_category_name AS category, product_category_name_english AS english
FROM raw.categories
WHERE product_category_name IS NOT NULL AND product_category_name_english IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY product_category_name ORDER BY record) = 1;

-- Samples have no key: equal ones count each (R27). Those outside Brazil count for nothing.
CREATE TABLE reading.geolocation AS
WITH typed AS (
    SELECT
        a_zip_prefix(geolocation_zip_code_prefix) AS zip_prefix,
        a_coordinate(geolocation_lat) AS latitude,
        a_coordinate(geolocation_lng) AS longitude,
        geolocation_city AS city, geolocation_state AS state
    FROM raw.geolocation
)
SELECT zip_prefix, latitude, longitude, city, state
FROM typed
WHERE zip_prefix IS NOT NULL AND city IS NOT NULL AND state IS NOT NULL
  AND latitude BETWEEN CAST('-33.76' AS DOUBLE) AND CAST('5.28' AS DOUBLE)
  AND longitude BETWEEN CAST('-74.00' AS DOUBLE) AND CAST('-28.84' AS DOUBLE);
