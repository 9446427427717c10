-- comment = "Each person with an order: recency, frequency and monetary value, ranked in fifths, and the segment"
-- key = ["customer_id"]
-- [columns]
-- customer_id = "the person"
-- first_order_at = "when the first order was placed, lost ones too"
-- last_order_at = "when the latest was"
-- orders = "orders placed"
-- valid = "those that are not lost"
-- delivered = "those with status delivered"
-- lost = "canceled or unavailable ones"
-- last_purchase = "latest date on which a delivered order was placed"
-- recency_days = "from then to the evaluation date"
-- frequency = "delivered orders"
-- monetary = "their price and freight"
-- r = "fifth by last purchase, 5 the latest; null without purchase"
-- f = "fifth by delivered orders, 5 the most"
-- m = "fifth by monetary value, 5 the most"
-- rfm = "the three as one number, as in 545"
-- segment = "NEW, ONE_TIME, REGULAR, LOYAL, VIP or CHURNED on the evaluation date"
-- avg_score = "mean score of the reviews of delivered orders"
-- reviews = "reviews of delivered orders"
-- late_deliveries = "deliveries after the promised date; none without a promise"
-- state = "state of the latest order"
-- region = "region of that state"
-- evaluated_on = "the date on which recency and segment are as they are: the latest on which any order was placed"
-- position = "newest event that went in"

-- query:
WITH person AS (
    SELECT
        customer_id,
        min(placed_at) AS first_order_at,
        max(placed_at) AS last_order_at,
        count(*) AS orders,
        count(*) FILTER (WHERE is_valid) AS valid,
        count(*) FILTER (WHERE is_delivered) AS delivered,
        count(*) FILTER (WHERE is_lost) AS lost,
        max(placed_on) FILTER (WHERE is_delivered) AS last_purchase,
        coalesce(sum(value) FILTER (WHERE is_delivered), 0)::numeric(14, 2) AS monetary,
        count(*) FILTER (WHERE days_late > 0) AS late_deliveries,
        max(position) AS position
    FROM orders
    GROUP BY customer_id
), latest AS (
    SELECT DISTINCT ON (customer_id) customer_id, state, region
    FROM orders
    ORDER BY customer_id, placed_at DESC, order_id DESC
), review AS (
    SELECT customer_id, avg(score) AS avg_score, count(*) AS reviews, max(position) AS position
    FROM reviews
    WHERE is_delivered
    GROUP BY customer_id
), ranked AS (
    SELECT
        customer_id,
        ntile(5) OVER (ORDER BY last_purchase, customer_id) AS r,
        ntile(5) OVER (ORDER BY delivered, customer_id) AS f,
        ntile(5) OVER (ORDER BY monetary, customer_id) AS m
    FROM person
    WHERE delivered > 0
)
SELECT
    p.customer_id,
    p.first_order_at,
    p.last_order_at,
    p.orders::int AS orders,
    p.valid::int AS valid,
    p.delivered::int AS delivered,
    p.lost::int AS lost,
    p.last_purchase,
    period.evaluation_date - p.last_purchase AS recency_days,
    p.delivered::int AS frequency,
    p.monetary,
    k.r,
    k.f,
    k.m,
    100 * k.r + 10 * k.f + k.m AS rfm,
    CASE WHEN p.delivered = 0 THEN 'NEW'
        WHEN period.evaluation_date - p.last_purchase > 180 THEN 'CHURNED'
        WHEN p.delivered = 1 THEN 'ONE_TIME'
        WHEN p.delivered <= 5 THEN 'REGULAR'
        WHEN p.monetary <= 1000 THEN 'LOYAL'
        ELSE 'VIP'
    END AS segment,
    v.avg_score::numeric(4, 2) AS avg_score,
    coalesce(v.reviews, 0)::int AS reviews,
    p.late_deliveries::int AS late_deliveries,
    l.state,
    l.region,
    period.evaluation_date AS evaluated_on,
    greatest(p.position, v.position) AS position
FROM person AS p
JOIN latest AS l USING (customer_id)
LEFT JOIN ranked AS k USING (customer_id)
LEFT JOIN review AS v USING (customer_id)
CROSS JOIN period
ORDER BY p.customer_id
