-- The terms of the hundred questions, once. Ids are texts of 32 hexadecimal digits here. DuckDB puts nulls last.

CREATE SCHEMA q;

CREATE MACRO q_hex(id) AS replace(CAST(id AS VARCHAR), '-', '');

-- Exact division, rounded half away from zero to so many digits (at most 6): null for a denominator of zero.
-- Whole numbers and decimals of up to six digits become millionths in whole numbers.
CREATE MACRO q_millionths(x) AS CAST(CAST(x AS DECIMAL(38, 6)) * CAST(1000000 AS DECIMAL(7, 0)) AS HUGEINT);
CREATE MACRO q_units(numerator, denominator, digits) AS
    CASE WHEN denominator <> 0 THEN
        CAST(sign(numerator) * sign(denominator) AS HUGEINT)
        * ((2 * abs(q_millionths(numerator)) * CAST(power(10, digits) AS HUGEINT) + abs(q_millionths(denominator)))
           // (2 * abs(q_millionths(denominator)))) END;
CREATE MACRO q_round(numerator, denominator, digits) AS
    CAST(q_units(numerator, denominator, digits) AS DECIMAL(32, 0)) * CAST(0.000001 AS DECIMAL(6, 6))
    * CAST(power(10, 6 - digits) AS INTEGER);

-- The same with the types of the contract: numeric(14,2) and numeric(10,4); and 100 x part / whole.
CREATE MACRO q2(numerator, denominator) AS CAST(q_round(numerator, denominator, 2) AS DECIMAL(14, 2));
CREATE MACRO q4(numerator, denominator) AS CAST(q_round(numerator, denominator, 4) AS DECIMAL(10, 4));
CREATE MACRO q_pct(part, whole) AS q2(100 * part, whole);

-- The share of a row that stands for so many things (orders, lines, ...): 0 where it is empty, whatever the whole.
CREATE MACRO q_share(things, part, whole) AS
    CASE WHEN things = 0 THEN CAST(0 AS DECIMAL(14, 2)) ELSE q_pct(part, whole) END;

-- What is a DOUBLE has no exact value: it is rounded to ten digits first. NaN and infinity give null.
CREATE MACRO q_near(x) AS round(CAST(CASE WHEN isfinite(CAST(x AS DOUBLE)) THEN x END AS DECIMAL(38, 12)), 10);
CREATE MACRO q2_near(x) AS CAST(round(q_near(x), 2) AS DECIMAL(14, 2));
CREATE MACRO q4_near(x) AS CAST(round(q_near(x), 4) AS DECIMAL(10, 4));

-- Aggregates; a macro takes no FILTER, so give it a CASE. A mean in days is one of seconds; those of a score are over
-- reviews, those of days_late over deliveries with a promise.
CREATE MACRO q_sum(x) AS CAST(coalesce(sum(x), 0) AS DECIMAL(14, 2));
CREATE MACRO q_mean(x) AS q2(sum(x), count(x));
CREATE MACRO q_mean_days(seconds) AS q2(sum(seconds), 86400 * count(seconds));
CREATE MACRO q_median(x) AS quantile_disc(x, 0.5);
CREATE MACRO q_positive_pct(score) AS q_pct(count(*) FILTER (score >= 4), count(score));
CREATE MACRO q_negative_pct(score) AS q_pct(count(*) FILTER (score <= 2), count(score));
CREATE MACRO q_nps(score) AS q_pct(count(*) FILTER (score = 5) - count(*) FILTER (score <= 3), count(score));
CREATE MACRO q_late(days_late) AS CAST(count(*) FILTER (days_late > 0) AS INTEGER);
CREATE MACRO q_late_pct(days_late) AS q_pct(count(*) FILTER (days_late > 0), count(days_late));
CREATE MACRO q_on_time_pct(days_late) AS q_pct(count(*) FILTER (days_late = 0), count(days_late));
CREATE MACRO q_avg_days_late(days_late) AS q2(sum(days_late), count(*) FILTER (days_late > 0));

-- Pearson, a DOUBLE: null below 30 pairs or without variance.
CREATE MACRO q_correlation(y, x) AS
    CASE WHEN count(*) FILTER (y IS NOT NULL AND x IS NOT NULL) >= 30
          AND min(x) FILTER (y IS NOT NULL) < max(x) FILTER (y IS NOT NULL)
          AND min(y) FILTER (x IS NOT NULL) < max(y) FILTER (x IS NOT NULL)
         THEN corr(CAST(y AS DOUBLE), CAST(x AS DOUBLE)) END;

-- Least squares of y on t, whole numbers both: the line at x is (level + slope x) / spread, exactly. r2 is a DOUBLE, null
-- where y does not vary.
CREATE MACRO q_spread(t) AS count(t) * sum(t * t) - sum(t) * sum(t);
CREATE MACRO q_slope(t, y) AS count(t) * sum(t * y) - sum(t) * sum(y);
CREATE MACRO q_level(t, y) AS sum(y) * sum(t * t) - sum(t) * sum(t * y);
CREATE MACRO q_r2(t, y) AS
    CASE WHEN min(y) < max(y) THEN
        power(CAST(q_slope(t, y) AS DOUBLE), 2) / CAST(q_spread(t) AS DOUBLE) / CAST(q_spread(y) AS DOUBLE) END;

-- Months are counted: year x 12 + month - 1.
CREATE MACRO q_month_no(moment) AS CAST(year(moment) * 12 + month(moment) - 1 AS INTEGER);
CREATE MACRO q_month(month_no) AS
    lpad(CAST(month_no // 12 AS VARCHAR), 4, '0') || '-' || lpad(CAST(month_no % 12 + 1 AS VARCHAR), 2, '0');
CREATE MACRO q_quarter(moment) AS lpad(CAST(year(moment) AS VARCHAR), 4, '0') || '-Q' || quarter(moment);

-- Bands: the lowest one holds what lies below its bound, too.
CREATE MACRO q_price_band(x) AS
    CASE WHEN x < 25 THEN '0-25' WHEN x < 50 THEN '25-50' WHEN x < 100 THEN '50-100' WHEN x < 200 THEN '100-200'
         WHEN x < 500 THEN '200-500' WHEN x < 1000 THEN '500-1000' WHEN x >= 1000 THEN '1000+' END;
CREATE MACRO q_speed_band(seconds) AS
    CASE WHEN seconds < 3 * 86400 THEN '0-3' WHEN seconds < 7 * 86400 THEN '3-7' WHEN seconds < 14 * 86400 THEN '7-14'
         WHEN seconds < 21 * 86400 THEN '14-21' WHEN seconds < 30 * 86400 THEN '21-30'
         WHEN seconds >= 30 * 86400 THEN '30+' END;
CREATE MACRO q_distance_band(km) AS
    CASE WHEN km < 100 THEN '0-100' WHEN km < 300 THEN '100-300' WHEN km < 600 THEN '300-600'
         WHEN km < 1000 THEN '600-1000' WHEN km < 2000 THEN '1000-2000' WHEN km >= 2000 THEN '2000+' END;
CREATE MACRO q_installment_band(n) AS
    CASE WHEN n <= 1 THEN '1' WHEN n <= 3 THEN '2-3' WHEN n <= 6 THEN '4-6' WHEN n <= 10 THEN '7-10'
         WHEN n > 10 THEN '11+' END;

CREATE TABLE q.price_bands (place INTEGER, band VARCHAR);
INSERT INTO q.price_bands VALUES (1, '0-25'), (2, '25-50'), (3, '50-100'), (4, '100-200'), (5, '200-500'),
    (6, '500-1000'), (7, '1000+');
CREATE TABLE q.speed_bands (place INTEGER, band VARCHAR);
INSERT INTO q.speed_bands VALUES (1, '0-3'), (2, '3-7'), (3, '7-14'), (4, '14-21'), (5, '21-30'), (6, '30+');
CREATE TABLE q.distance_bands (place INTEGER, band VARCHAR);
INSERT INTO q.distance_bands VALUES (1, '0-100'), (2, '100-300'), (3, '300-600'), (4, '600-1000'), (5, '1000-2000'),
    (6, '2000+');
CREATE TABLE q.installment_bands (place INTEGER, band VARCHAR);
INSERT INTO q.installment_bands VALUES (1, '1'), (2, '2-3'), (3, '4-6'), (4, '7-10'), (5, '11+');

-- The catalogue and the registered sellers, without the unknown members; what lines show may be more.
CREATE TABLE q.products AS
SELECT q_hex(product_id) AS product_id, category_english AS category, photos, description_length
FROM marketplace.dim_product
WHERE product_id <> CAST('00000000-0000-0000-0000-000000000000' AS UUID);

CREATE TABLE q.sellers AS
SELECT q_hex(seller_id) AS seller_id, zip_prefix AS zip, city_normalised AS city, state, region
FROM marketplace.dim_seller
WHERE seller_id <> CAST('00000000-0000-0000-0000-000000000000' AS UUID);

-- An order's place is that of the customers row of its own alias.
CREATE TABLE q.places AS
SELECT c.customer_alias, c.zip_prefix AS zip, n.normalised AS city, c.state, coalesce(r.region, 'unknown') AS region
FROM reading.customers AS c
JOIN reading.normalised_city AS n USING (city)
LEFT JOIN reading.region AS r USING (state);

-- How many sellers an order has is unknown where one of them is; the seller whom nobody knows is null.
CREATE TABLE q.line_totals AS
SELECT i.order_id, count(*) AS item_count,
    CASE WHEN bool_and(i.seller_id <> CAST('00000000-0000-0000-0000-000000000000' AS UUID)) THEN count(DISTINCT i.seller_id) END AS seller_count,
    CAST(sum(i.price) AS DECIMAL(14, 2)) AS price, CAST(sum(i.freight) AS DECIMAL(14, 2)) AS freight,
    max(i.ship_by) AS ship_by,
    q_hex(nullif(arg_min(i.seller_id, i.item_no), CAST('00000000-0000-0000-0000-000000000000' AS UUID))) AS first_seller_id,
    q_hex(arg_min(i.product_id, i.item_no)) AS first_product_id
FROM sales.fact_order_item AS i
GROUP BY i.order_id;

-- Of the dearest line, the category.
CREATE TABLE q.main_categories AS
SELECT i.order_id, coalesce(p.category, 'unknown') AS main_category
FROM sales.fact_order_item AS i
LEFT JOIN q.products AS p ON p.product_id = q_hex(i.product_id)
QUALIFY row_number() OVER (PARTITION BY i.order_id ORDER BY i.price DESC, i.item_no) = 1;

-- Haversine; a sphere of 6,371 km.
CREATE MACRO q_haversine(latitude1, longitude1, latitude2, longitude2) AS
    2 * 6371 * asin(sqrt(least(CAST(1 AS DOUBLE),
        power(sin(radians(latitude2 - latitude1) / 2), 2)
        + cos(radians(latitude1)) * cos(radians(latitude2)) * power(sin(radians(longitude2 - longitude1) / 2), 2))));

CREATE TABLE q.orders AS
WITH known AS (
    SELECT o.*,
        o.status = 'delivered' AS is_delivered,
        o.status IN ('canceled', 'unavailable') AS is_lost,
        o.status NOT IN ('canceled', 'unavailable') AS is_valid,
        o.status = 'delivered' AND o.completed_at IS NOT NULL AS is_delivery
    FROM sales.fact_order AS o
), numbered AS (
    SELECT order_id, row_number() OVER (PARTITION BY customer_id ORDER BY placed_at, order_id) AS order_no
    FROM known
    WHERE is_valid
)
SELECT
    q_hex(o.order_id) AS order_id,
    q_hex(o.customer_id) AS customer_id,
    o.status,
    o.placed_at,
    CAST(o.placed_at AS DATE) AS placed_on,
    q_month_no(o.placed_at) AS month_no,
    q_month(q_month_no(o.placed_at)) AS month,
    o.approved_at,
    o.shipped_at,
    CASE WHEN o.is_delivery THEN o.completed_at END AS delivered_at,
    o.promised_by,
    o.is_delivered, o.is_lost, o.is_valid, o.is_delivery,
    CAST(coalesce(l.item_count, 0) AS INTEGER) AS item_count,
    CAST(CASE WHEN l.order_id IS NULL THEN 0 ELSE l.seller_count END AS INTEGER) AS seller_count,
    l.price, l.freight, CAST(l.price + l.freight AS DECIMAL(14, 2)) AS value,
    o.paid, o.payment_count, o.payment_method AS method, o.max_installments,
    coalesce(p.zip, 'unknown') AS zip,
    coalesce(p.city, 'unknown') AS city,
    coalesce(p.state, 'unknown') AS state,
    coalesce(p.region, 'unknown') AS region,
    CASE WHEN o.is_delivery THEN CAST(seconds_between(o.placed_at, o.completed_at) AS BIGINT) END AS delivery_seconds,
    CASE WHEN o.is_delivery AND o.promised_by IS NOT NULL THEN
        CAST(CASE WHEN CAST(o.completed_at AS DATE) > CAST(o.promised_by AS DATE)
                  THEN CAST(o.completed_at AS DATE) - CAST(o.promised_by AS DATE) ELSE 0 END AS INTEGER)
    END AS days_late,
    l.first_seller_id, l.first_product_id,
    CASE WHEN l.order_id IS NOT NULL THEN coalesce(s.state, 'unknown') END AS origin_state,
    CASE WHEN l.order_id IS NOT NULL THEN coalesce(s.region, 'unknown') END AS origin_region,
    l.ship_by,
    CASE WHEN origin.latitude IS NOT NULL AND destination.latitude IS NOT NULL
         THEN q_haversine(origin.latitude, origin.longitude, destination.latitude, destination.longitude)
    END AS distance_km,
    m.main_category,
    CAST(n.order_no AS INTEGER) AS order_no
FROM known AS o
LEFT JOIN q.line_totals AS l USING (order_id)
LEFT JOIN q.main_categories AS m USING (order_id)
LEFT JOIN q.places AS p USING (customer_alias)
LEFT JOIN q.sellers AS s ON s.seller_id = l.first_seller_id
LEFT JOIN fulfillment.dim_geography AS origin ON origin.zip_prefix = s.zip
LEFT JOIN fulfillment.dim_geography AS destination ON destination.zip_prefix = p.zip
LEFT JOIN numbered AS n USING (order_id);

CREATE TABLE q.lines AS
SELECT o.order_id, i.item_no, q_hex(i.product_id) AS product_id,
    q_hex(nullif(i.seller_id, CAST('00000000-0000-0000-0000-000000000000' AS UUID))) AS seller_id, o.customer_id,
    o.status, o.placed_at, o.placed_on, o.month_no, o.month, o.is_delivered, o.is_lost, o.is_valid, o.is_delivery,
    i.price, i.freight, CAST(i.price + i.freight AS DECIMAL(14, 2)) AS total,
    coalesce(p.category, 'unknown') AS category,
    o.state, o.region,
    coalesce(s.state, 'unknown') AS seller_state,
    coalesce(s.region, 'unknown') AS seller_region,
    i.ship_by
FROM sales.fact_order_item AS i
JOIN q.orders AS o ON o.order_id = q_hex(i.order_id)
LEFT JOIN q.products AS p ON p.product_id = q_hex(i.product_id)
LEFT JOIN q.sellers AS s ON s.seller_id = q_hex(i.seller_id);

-- What is asked of sellers is asked of these.
CREATE VIEW q.seller_lines AS SELECT * FROM q.lines WHERE seller_id IS NOT NULL;

-- reading.normalised_text comes from Python: the words of each (title, comment).
CREATE TABLE q.reviews AS
SELECT q_hex(v.review_id) AS review_id, o.order_id, o.customer_id, v.score, v.created_at, t.words,
    o.is_delivered, o.is_delivery, o.is_lost, o.is_valid, o.delivery_seconds, o.days_late, o.placed_at, o.state, o.region
FROM customer.fact_review AS v
JOIN q.orders AS o ON o.order_id = q_hex(v.order_id)
JOIN reading.normalised_text AS t ON t.review_id = v.review_id AND t.order_id = v.order_id;

CREATE TABLE q.payments AS
SELECT o.order_id, o.customer_id, p.payment_no, p.method, p.installments, p.amount,
    o.status, o.is_valid, o.is_delivered, o.is_lost, o.placed_at, o.placed_on, o.month_no
FROM sales.fact_payment AS p
JOIN q.orders AS o ON o.order_id = q_hex(p.order_id);

-- All months, gapless; the regular ones among them are the longest run, of equal runs the latest.
CREATE TABLE q.period AS
WITH counted AS (
    SELECT month_no, count(*) AS orders FROM q.orders GROUP BY month_no
), large AS (
    SELECT month_no, month_no - row_number() OVER (ORDER BY month_no) AS run
    FROM counted
    WHERE orders * 200 >= (SELECT count(*) FROM q.orders)
), runs AS (
    SELECT min(month_no) AS first_no, max(month_no) AS last_no, count(*) AS r FROM large GROUP BY run
), longest AS (
    SELECT * FROM runs ORDER BY r DESC, last_no DESC LIMIT 1
)
SELECT CAST(coalesce(max(r), 0) AS INTEGER) AS r, max(first_no) AS first_no, max(last_no) AS last_no,
    last_day(make_date(CAST(max(last_no) // 12 AS INTEGER), CAST(max(last_no) % 12 + 1 AS INTEGER), 1)) AS close_date,
    (SELECT max(placed_on) FROM q.orders) AS evaluation_date,
    coalesce(max(r), 0) >= 18 AS has_halves
FROM longest;

CREATE TABLE q.months AS
WITH counted AS (
    SELECT month_no, count(*) AS orders FROM q.orders GROUP BY month_no
), bounds AS (
    SELECT min(month_no) AS first_no, max(month_no) AS last_no FROM counted
), gapless AS (
    SELECT CAST(unnest(generate_series(first_no, last_no)) AS INTEGER) AS month_no FROM bounds
)
SELECT g.month_no, q_month(g.month_no) AS month, coalesce(c.orders, 0) AS orders,
    CASE WHEN g.month_no BETWEEN p.first_no AND p.last_no THEN g.month_no - p.first_no END AS t,
    CASE WHEN NOT p.has_halves THEN NULL
         WHEN g.month_no BETWEEN p.last_no - 5 AND p.last_no THEN 'recent'
         WHEN g.month_no BETWEEN p.last_no - 17 AND p.last_no - 12 THEN 'year-ago' END AS half
FROM gapless AS g
LEFT JOIN counted AS c USING (month_no)
CROSS JOIN q.period AS p;

-- Customers with orders placed up to a date, and their segment then. orders: of any status.
CREATE MACRO q.segments(on_date) AS TABLE
WITH known AS (
    SELECT customer_id, count(*) AS orders,
        count(*) FILTER (is_delivered) AS delivered_orders,
        max(placed_on) FILTER (is_delivered) AS last_purchase,
        coalesce(sum(value) FILTER (is_delivered), 0) AS spent
    FROM q.orders
    WHERE placed_on <= on_date
    GROUP BY customer_id
)
SELECT *,
    CASE WHEN delivered_orders = 0 THEN 'NEW'
         WHEN on_date - last_purchase > 180 THEN 'CHURNED'
         WHEN delivered_orders = 1 THEN 'ONE_TIME'
         WHEN delivered_orders <= 5 THEN 'REGULAR'
         WHEN spent <= 1000 THEN 'LOYAL'
         ELSE 'VIP' END AS segment
FROM known;
