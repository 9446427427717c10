-- Staging tables with text columns, as one that trusts nothing would have them, under views that read the values.

CREATE SCHEMA raw;

CREATE UNLOGGED TABLE raw.customers (
    customer_id text, customer_unique_id text, customer_zip_code_prefix text, customer_city text, customer_state text
);

CREATE UNLOGGED TABLE raw.geolocation (
    geolocation_zip_code_prefix text, geolocation_lat text, geolocation_lng text, geolocation_city text,
    geolocation_state text
);

CREATE UNLOGGED TABLE raw.order_items (
    order_id text, order_item_id text, product_id text, seller_id text, shipping_limit_date text, price text,
    freight_value text
);

CREATE UNLOGGED TABLE raw.order_payments (
    order_id text, payment_sequential text, payment_type text, payment_installments text, payment_value text
);

CREATE UNLOGGED TABLE raw.order_reviews (
    review_id text, order_id text, review_score text, review_comment_title text, review_comment_message text,
    review_creation_date text, review_answer_timestamp text
);

CREATE UNLOGGED TABLE raw.orders (
    order_id text, customer_id text, order_status text, order_purchase_timestamp text, order_approved_at text,
    order_delivered_carrier_date text, order_delivered_customer_date text, order_estimated_delivery_date text
);

CREATE UNLOGGED TABLE raw.products (
    product_id text, product_category_name text, product_name_lenght text, product_description_lenght text,
    product_photos_qty text, product_weight_g text, product_length_cm text, product_height_cm text,
    product_width_cm text
);

CREATE UNLOGGED TABLE raw.sellers (
    seller_id text, seller_zip_code_prefix text, seller_city text, seller_state text
);

CREATE UNLOGGED TABLE raw.categories (
    product_category_name text, product_category_name_english text
);

CREATE VIEW staging.customers AS
SELECT
    customer_id::uuid, customer_unique_id::uuid, customer_zip_code_prefix,
    customer_city COLLATE "C" AS customer_city, customer_state COLLATE "C" AS customer_state
FROM raw.customers;

CREATE VIEW staging.geolocation AS
SELECT
    geolocation_zip_code_prefix COLLATE "C" AS geolocation_zip_code_prefix, geolocation_lat::float8,
    geolocation_lng::float8, geolocation_city COLLATE "C" AS geolocation_city,
    geolocation_state COLLATE "C" AS geolocation_state
FROM raw.geolocation;

CREATE VIEW staging.order_items AS
SELECT
    order_id::uuid, order_item_id::int, product_id::uuid, seller_id::uuid, shipping_limit_date::timestamp,
    price::numeric(12, 2), freight_value::numeric(12, 2)
FROM raw.order_items;

CREATE VIEW staging.order_payments AS
SELECT
    order_id::uuid, payment_sequential::int, payment_type, payment_installments::int, payment_value::numeric(12, 2)
FROM raw.order_payments;

CREATE VIEW staging.order_reviews AS
SELECT
    review_id::uuid, order_id::uuid, review_score::int, review_comment_title, review_comment_message,
    review_creation_date::timestamp, review_answer_timestamp::timestamp
FROM raw.order_reviews;

CREATE VIEW staging.orders AS
SELECT
    order_id::uuid, customer_id::uuid, order_status COLLATE "C" AS order_status, order_purchase_timestamp::timestamp,
    order_approved_at::timestamp, order_delivered_carrier_date::timestamp, order_delivered_customer_date::timestamp,
    order_estimated_delivery_date::timestamp
FROM raw.orders;

CREATE VIEW staging.products AS
SELECT
    product_id::uuid, product_category_name, product_name_lenght::int, product_description_lenght::int,
    product_photos_qty::int, product_weight_g::int, product_length_cm::int, product_height_cm::int,
    product_width_cm::int
FROM raw.products;

CREATE VIEW staging.sellers AS
SELECT
    seller_id::uuid, seller_zip_code_prefix, seller_city COLLATE "C" AS seller_city,
    seller_state COLLATE "C" AS seller_state
FROM raw.sellers;

CREATE VIEW staging.categories AS
SELECT
    product_category_name, product_category_name_english
FROM raw.categories;
