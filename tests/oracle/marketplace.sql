-- marketplace: R36 to R38.

CREATE SCHEMA marketplace;

CREATE TABLE marketplace.dim_category AS
WITH names AS (
    SELECT category FROM reading.categories
    UNION
    SELECT category FROM reading.products WHERE category IS NOT NULL
)
SELECT category, coalesce(english, category) AS english
FROM names LEFT JOIN reading.categories USING (category);

CREATE TABLE marketplace.product AS
SELECT product_id, coalesce(category, 'unknown') AS category,
    name_length, description_length, photos, weight_g, length_cm, height_cm, width_cm,
    CAST(CAST(length_cm AS BIGINT) * height_cm * width_cm AS INTEGER) AS volume_cm3
FROM reading.products;

CREATE TABLE marketplace.dim_seller AS
SELECT seller_id, zip_prefix, city, normalised AS city_normalised, state, coalesce(region, 'unknown') AS region
FROM reading.sellers
JOIN reading.normalised_city USING (city)
LEFT JOIN reading.region USING (state);
