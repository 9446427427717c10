-- The unknown member of each dimension (R14): codes and texts are 'unknown', counts 0 and sums 0.00 (R9), flags false, and
-- what measures, dates or averages nothing is null. Its position is 0 (R13), which the oracle's tables do not have.

INSERT INTO fulfillment.dim_geography (zip_prefix, city, state, region, latitude, longitude, samples)
VALUES ('unknown', 'unknown', 'unknown', 'unknown', NULL, NULL, 0);

INSERT INTO customer.dim_customer (
    customer_id, zip_prefix, city, city_normalised, state, region, alias_count, orders, spent, average_order,
    first_purchase_at, last_purchase_at, segment, segment_as_of, is_anonymized)
VALUES (
    '00000000-0000-0000-0000-000000000000', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown', 0, 0, 0.00, NULL,
    NULL, NULL, 'unknown', NULL, false);

INSERT INTO marketplace.product (
    product_id, category, name_length, description_length, photos, weight_g, length_cm, height_cm, width_cm, volume_cm3)
VALUES ('00000000-0000-0000-0000-000000000000', 'unknown', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO marketplace.dim_seller (seller_id, zip_prefix, city, city_normalised, state, region)
VALUES ('00000000-0000-0000-0000-000000000000', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown');

INSERT INTO marketplace.dim_category (category, english)
VALUES ('unknown', 'unknown');
