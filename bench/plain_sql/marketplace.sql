-- marketplace: R36 to R38, and the cities of sellers and customers made comparable (R12).

CREATE TABLE marketplace.product AS
SELECT product_id, coalesce(product_category_name, 'unknown') AS category, product_name_lenght AS name_length,
    product_description_lenght AS description_length, product_photos_qty AS photos, product_weight_g AS weight_g,
    product_length_cm AS length_cm, product_height_cm AS height_cm, product_width_cm AS width_cm,
    (product_length_cm::bigint * product_height_cm * product_width_cm)::int AS volume_cm3, 0::bigint AS position
FROM staging.products;
INSERT INTO marketplace.product (product_id, category, position)
VALUES ('00000000-0000-0000-0000-000000000000', 'unknown', 0);
ALTER TABLE marketplace.product ADD PRIMARY KEY (product_id);

CREATE TABLE marketplace.dim_category AS
WITH names AS (
    SELECT product_category_name FROM staging.categories
    UNION
    SELECT product_category_name FROM staging.products WHERE product_category_name IS NOT NULL
    UNION
    SELECT 'unknown'
)
SELECT product_category_name AS category,
    coalesce(product_category_name_english, product_category_name) AS english, 0::bigint AS position
FROM names LEFT JOIN staging.categories USING (product_category_name);
ALTER TABLE marketplace.dim_category ADD PRIMARY KEY (category);

CREATE VIEW marketplace.dim_product AS
SELECT p.product_id, p.category, c.english AS category_english, p.name_length, p.description_length, p.photos,
    p.weight_g, p.length_cm, p.height_cm, p.width_cm, p.volume_cm3, p.position
FROM marketplace.product AS p LEFT JOIN marketplace.dim_category AS c USING (category);

CREATE TABLE staging.city AS
SELECT city,
    btrim(regexp_replace(
        lower(regexp_replace(normalize(city, NFD), '[\u0300-\u036f]', '', 'g')),
        '[\s\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+', ' ', 'g'
    )) AS city_normalised
FROM (
    SELECT customer_city AS city FROM staging.customers
    UNION
    SELECT seller_city FROM staging.sellers
) AS cities;
ANALYZE staging.city;

CREATE TABLE marketplace.dim_seller AS
SELECT s.seller_id, lpad(s.seller_zip_code_prefix, 5, '0') AS zip_prefix, s.seller_city AS city, c.city_normalised,
    s.seller_state AS state, coalesce(r.region, 'unknown') AS region, 0::bigint AS position
FROM staging.sellers AS s
JOIN staging.city AS c ON c.city = s.seller_city
LEFT JOIN staging.region AS r ON r.state = s.seller_state;
INSERT INTO marketplace.dim_seller
VALUES ('00000000-0000-0000-0000-000000000000', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown', 0);
ALTER TABLE marketplace.dim_seller ADD PRIMARY KEY (seller_id);
