-- Staging tables with typed columns: a value is read once, by COPY, and not by every statement that uses it. Unlogged, as
-- nobody needs them afterwards.

CREATE UNLOGGED TABLE staging.customers (
    customer_id uuid, customer_unique_id uuid, customer_zip_code_prefix text, customer_city text COLLATE "C",
    customer_state text COLLATE "C"
);
CREATE UNLOGGED TABLE staging.geolocation (
    geolocation_zip_code_prefix text COLLATE "C", geolocation_lat float8, geolocation_lng float8,
    geolocation_city text COLLATE "C", geolocation_state text COLLATE "C"
);
CREATE UNLOGGED TABLE staging.order_items (
    order_id uuid, order_item_id int, product_id uuid, seller_id uuid, shipping_limit_date timestamp,
    price numeric(12, 2), freight_value numeric(12, 2)
);
CREATE UNLOGGED TABLE staging.order_payments (
    order_id uuid, payment_sequential int, payment_type text, payment_installments int, payment_value numeric(12, 2)
);
CREATE UNLOGGED TABLE staging.order_reviews (
    review_id uuid, order_id uuid, review_score int, review_comment_title text, review_comment_message text,
    review_creation_date timestamp, review_answer_timestamp timestamp
);
CREATE UNLOGGED TABLE staging.orders (
    order_id uuid, customer_id uuid, order_status text COLLATE "C", order_purchase_timestamp timestamp,
    order_approved_at timestamp, order_delivered_carrier_date timestamp, order_delivered_customer_date timestamp,
    order_estimated_delivery_date timestamp
);
CREATE UNLOGGED TABLE staging.products (
    product_id uuid, product_category_name text, product_name_lenght int, product_description_lenght int,
    product_photos_qty int, product_weight_g int, product_length_cm int, product_height_cm int, product_width_cm int
);
CREATE UNLOGGED TABLE staging.sellers (
    seller_id uuid, seller_zip_code_prefix text, seller_city text COLLATE "C", seller_state text COLLATE "C"
);
CREATE UNLOGGED TABLE staging.categories (product_category_name text, product_category_name_english text);
