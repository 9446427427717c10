-- customer: R29 to R34, for a single load of everything, from the orders that sales.sql made.

CREATE TABLE customer.customer_alias AS
SELECT customer_id AS customer_alias, customer_unique_id AS customer_id, 0::bigint AS position FROM staging.customers;
ALTER TABLE customer.customer_alias ADD PRIMARY KEY (customer_alias);

-- The addresses of a person in the order of R30; an alias stands where its first order does.
CREATE TABLE staging.address AS
SELECT customer_unique_id AS customer_id, lpad(customer_zip_code_prefix, 5, '0') AS zip_prefix, customer_city AS city,
    customer_state AS state, placed_at,
    row_number() OVER person AS place,
    count(*) OVER (PARTITION BY customer_unique_id) AS alias_count,
    lag((customer_zip_code_prefix, customer_city, customer_state)) OVER person
        IS DISTINCT FROM (customer_zip_code_prefix, customer_city, customer_state) AS is_another
FROM staging.customers AS c
LEFT JOIN (
    SELECT customer_alias, min(placed_at) AS placed_at FROM sales.fact_order GROUP BY customer_alias
) AS o ON o.customer_alias = c.customer_id
WINDOW person AS (PARTITION BY customer_unique_id ORDER BY placed_at NULLS FIRST, customer_id);
ANALYZE staging.address;

CREATE TABLE customer.address_history AS
SELECT customer_id, (row_number() OVER (PARTITION BY customer_id ORDER BY place))::int AS seq, zip_prefix, city, state,
    placed_at AS valid_from, 0::bigint AS position
FROM staging.address
WHERE is_another;
ALTER TABLE customer.address_history ADD PRIMARY KEY (customer_id, seq);

CREATE TABLE customer.dim_customer AS
WITH evaluation AS (
    SELECT max(placed_at)::date AS as_of FROM sales.fact_order
), purchases AS (
    SELECT customer_id, count(*)::int AS orders, sum(total)::numeric(12, 2) AS spent,
        min(placed_at) AS first_purchase_at, max(placed_at) AS last_purchase_at
    FROM sales.fact_order
    WHERE status = 'delivered'
    GROUP BY customer_id
), segments AS (
    SELECT purchases.*, as_of,
        CASE WHEN as_of - last_purchase_at::date > 180 THEN 'CHURNED'
             WHEN orders = 1 THEN 'ONE_TIME'
             WHEN orders <= 5 THEN 'REGULAR'
             WHEN spent <= 1000 THEN 'LOYAL'
             ELSE 'VIP' END AS segment
    FROM purchases CROSS JOIN evaluation
)
SELECT a.customer_id, a.zip_prefix, a.city, n.city_normalised, a.state, coalesce(r.region, 'unknown') AS region,
    a.alias_count::int AS alias_count,
    coalesce(s.orders, 0) AS orders,
    coalesce(s.spent, 0.00)::numeric(12, 2) AS spent,
    round(s.spent / s.orders, 2)::numeric(12, 2) AS average_order,
    s.first_purchase_at, s.last_purchase_at,
    coalesce(s.segment, 'NEW') AS segment,
    s.as_of AS segment_as_of,
    false AS is_anonymized,
    0::bigint AS position
FROM staging.address AS a
JOIN staging.city AS n USING (city)
LEFT JOIN staging.region AS r USING (state)
LEFT JOIN segments AS s USING (customer_id)
WHERE a.place = a.alias_count;
INSERT INTO customer.dim_customer
VALUES ('00000000-0000-0000-0000-000000000000', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown', 0, 0, 0.00, NULL,
    NULL, NULL, 'unknown', NULL, false, 0);
ALTER TABLE customer.dim_customer ADD PRIMARY KEY (customer_id);

CREATE TABLE customer.segment_history AS
SELECT customer_id, 1 AS seq, segment_as_of AS as_of, 'NEW' AS from_segment, segment AS to_segment, 0::bigint AS position
FROM customer.dim_customer
WHERE segment_as_of IS NOT NULL;
ALTER TABLE customer.segment_history ADD PRIMARY KEY (customer_id, seq);
