-- customer: R29 to R35.

CREATE SCHEMA customer;

CREATE TABLE customer.customer_alias AS
SELECT customer_alias, customer_id FROM reading.customers;

-- The addresses of a person in the order of R30; an alias stands where its first order does.
CREATE TABLE reading.addresses AS
WITH first_order AS (
    SELECT customer_alias, min(placed_at) AS placed_at
    FROM reading.orders
    GROUP BY customer_alias
)
SELECT customer_id, zip_prefix, city, state, placed_at,
    row_number() OVER (PARTITION BY customer_id ORDER BY placed_at NULLS FIRST, customer_alias) AS place,
    count(*) OVER (PARTITION BY customer_id) AS alias_count
FROM reading.customers
LEFT JOIN first_order USING (customer_alias);

CREATE TABLE customer.address_history AS
WITH compared AS (
    SELECT *,
        lag((zip_prefix, city, state)) OVER (PARTITION BY customer_id ORDER BY place)
            IS DISTINCT FROM (zip_prefix, city, state) AS is_another
    FROM reading.addresses
), stays AS (
    SELECT *, sum(CAST(is_another AS INTEGER)) OVER (PARTITION BY customer_id ORDER BY place) AS seq
    FROM compared
)
SELECT customer_id, CAST(seq AS INTEGER) AS seq, zip_prefix, city, state, min(placed_at) AS valid_from
FROM stays
GROUP BY customer_id, seq, zip_prefix, city, state;

CREATE TABLE reading.evaluation AS
SELECT max(CAST(placed_at AS DATE)) AS as_of
FROM reading.orders
WHERE CAST(placed_at AS DATE) <= CAST(getvariable('opened_on') AS DATE) + 1;

CREATE TABLE reading.segments AS
WITH purchases AS (
    SELECT customer_id, count(*) AS orders, sum(total) AS spent,
        min(placed_at) AS first_purchase_at, max(placed_at) AS last_purchase_at
    FROM sales.fact_order
    WHERE status = 'delivered'
    GROUP BY customer_id
)
SELECT purchases.*,
    CASE WHEN as_of IS NULL THEN 'NEW'
         WHEN as_of - CAST(last_purchase_at AS DATE) > 180 THEN 'CHURNED'
         WHEN orders = 1 THEN 'ONE_TIME'
         WHEN orders <= 5 THEN 'REGULAR'
         WHEN spent <= 1000 THEN 'LOYAL'
         ELSE 'VIP' END AS segment,
    as_of
FROM purchases CROSS JOIN reading.evaluation;

CREATE TABLE customer.dim_customer AS
SELECT
    a.customer_id,
    a.zip_prefix,
    a.city,
    n.normalised AS city_normalised,
    a.state,
    coalesce(r.region, 'unknown') AS region,
    CAST(a.alias_count AS INTEGER) AS alias_count,
    CAST(coalesce(s.orders, 0) AS INTEGER) AS orders,
    CAST(coalesce(s.spent, 0) AS DECIMAL(12, 2)) AS spent,
    CAST(to_hundredths(CAST(s.spent * 100 AS BIGINT), s.orders * 100) AS DECIMAL(12, 2)) AS average_order,
    s.first_purchase_at,
    s.last_purchase_at,
    coalesce(s.segment, 'NEW') AS segment,
    s.as_of AS segment_as_of,
    false AS is_anonymized
FROM reading.addresses AS a
JOIN reading.normalised_city AS n USING (city)
LEFT JOIN reading.region AS r USING (state)
LEFT JOIN reading.segments AS s USING (customer_id)
WHERE a.place = a.alias_count;

CREATE TABLE customer.segment_history AS
SELECT customer_id, CAST(1 AS INTEGER) AS seq, segment_as_of AS as_of, 'NEW' AS from_segment, segment AS to_segment
FROM customer.dim_customer
WHERE segment <> 'NEW';

CREATE TABLE customer.fact_review AS
SELECT
    v.review_id,
    v.order_id,
    o.customer_id,
    v.score,
    CASE WHEN v.score >= 4 THEN 'positive' WHEN v.score = 3 THEN 'neutral' ELSE 'negative' END AS sentiment,
    v.title,
    v.comment,
    v.created_at,
    v.answered_at,
    date_key_of(v.created_at) AS date_key,
    TRY_CAST(to_hundredths(seconds_between(v.created_at, v.answered_at), 3600) AS DECIMAL(10, 2)) AS hours_to_answer
FROM reading.order_reviews AS v
JOIN sales.fact_order AS o USING (order_id);
