-- comment = "Each day from the first order to the last: what was placed on it and what became of that; sums only, no ratios"
-- key = ["day"]
-- [columns]
-- day = "the date on which the orders were placed"
-- orders = "orders placed"
-- valid = "those that are not lost"
-- delivered = "those with status delivered"
-- canceled = "those with status canceled"
-- unavailable = "those with status unavailable"
-- open = "those neither delivered nor lost"
-- not_approved = "those whose payment was not approved"
-- customers = "different people with a valid order"
-- new_customers = "people whose first valid order it was"
-- second_orders = "people whose second valid order it was"
-- sellers = "different sellers of valid lines, known ones"
-- products = "different products of valid lines"
-- lines = "valid lines"
-- revenue = "price and freight of delivered lines"
-- gmv = "price of valid lines"
-- freight = "freight of delivered lines"
-- paid = "payments of valid orders"
-- valued_orders = "delivered orders with lines"
-- deliveries = "delivered orders whose time of delivery is known"
-- late_deliveries = "those delivered after the promised date; none without a promise"
-- days_late = "sum of the calendar days by which they were late"
-- delivery_seconds = "sum of the times from placing to delivery"
-- reviews = "reviews of the orders"
-- score_sum = "sum of their scores"
-- promoters = "those with score 5"
-- detractors = "those with score 1 to 3"
-- negative = "those with score 1 or 2"
-- position = "newest event that went in; 0 for a day without orders"

-- query:
WITH days AS (  -- of the calendar, and those beyond it on which something is said to have been placed
    SELECT date AS day FROM dim_date
    WHERE date BETWEEN (SELECT min(placed_on) FROM orders) AND (SELECT max(placed_on) FROM orders)
    UNION
    SELECT placed_on FROM orders
), placed AS (
    SELECT
        placed_on AS day,
        count(*) AS orders,
        count(*) FILTER (WHERE is_valid) AS valid,
        count(*) FILTER (WHERE is_delivered) AS delivered,
        count(*) FILTER (WHERE status = 'canceled') AS canceled,
        count(*) FILTER (WHERE status = 'unavailable') AS unavailable,
        count(*) FILTER (WHERE is_valid AND NOT is_delivered) AS open,
        count(*) FILTER (WHERE approved_at IS NULL) AS not_approved,
        count(DISTINCT customer_id) FILTER (WHERE is_valid) AS customers,
        count(*) FILTER (WHERE order_no = 1) AS new_customers,
        count(*) FILTER (WHERE order_no = 2) AS second_orders,
        sum(value) FILTER (WHERE is_delivered) AS revenue,
        sum(price) FILTER (WHERE is_valid) AS gmv,
        sum(freight) FILTER (WHERE is_delivered) AS freight,
        sum(paid) FILTER (WHERE is_valid) AS paid,
        count(value) FILTER (WHERE is_delivered) AS valued_orders,
        count(*) FILTER (WHERE is_delivery) AS deliveries,
        count(*) FILTER (WHERE days_late > 0) AS late_deliveries,
        sum(days_late) AS days_late,
        sum(delivery_seconds) AS delivery_seconds,
        max(position) AS position
    FROM orders
    GROUP BY placed_on
), sold AS (
    SELECT
        placed_on AS day,
        count(DISTINCT seller_id) AS sellers,
        count(DISTINCT product_id) AS products,
        count(*) AS lines,
        max(position) AS position
    FROM lines
    WHERE is_valid
    GROUP BY placed_on
), reviewed AS (
    SELECT
        placed_at::date AS day,
        count(*) AS reviews,
        sum(score) AS score_sum,
        count(*) FILTER (WHERE score = 5) AS promoters,
        count(*) FILTER (WHERE score <= 3) AS detractors,
        count(*) FILTER (WHERE score <= 2) AS negative,
        max(position) AS position
    FROM reviews
    GROUP BY placed_at::date
)
SELECT
    day,
    coalesce(orders, 0)::int AS orders,
    coalesce(valid, 0)::int AS valid,
    coalesce(delivered, 0)::int AS delivered,
    coalesce(canceled, 0)::int AS canceled,
    coalesce(unavailable, 0)::int AS unavailable,
    coalesce(open, 0)::int AS open,
    coalesce(not_approved, 0)::int AS not_approved,
    coalesce(customers, 0)::int AS customers,
    coalesce(new_customers, 0)::int AS new_customers,
    coalesce(second_orders, 0)::int AS second_orders,
    coalesce(sellers, 0)::int AS sellers,
    coalesce(products, 0)::int AS products,
    coalesce(lines, 0)::int AS lines,
    coalesce(revenue, 0)::numeric(14, 2) AS revenue,
    coalesce(gmv, 0)::numeric(14, 2) AS gmv,
    coalesce(freight, 0)::numeric(14, 2) AS freight,
    coalesce(paid, 0)::numeric(14, 2) AS paid,
    coalesce(valued_orders, 0)::int AS valued_orders,
    coalesce(deliveries, 0)::int AS deliveries,
    coalesce(late_deliveries, 0)::int AS late_deliveries,
    coalesce(days_late, 0)::bigint AS days_late,
    coalesce(delivery_seconds, 0)::bigint AS delivery_seconds,
    coalesce(reviews, 0)::int AS reviews,
    coalesce(score_sum, 0)::int AS score_sum,
    coalesce(promoters, 0)::int AS promoters,
    coalesce(detractors, 0)::int AS detractors,
    coalesce(negative, 0)::int AS negative,
    greatest(placed.position, sold.position, reviewed.position, 0) AS position
FROM days
LEFT JOIN placed USING (day)
LEFT JOIN sold USING (day)
LEFT JOIN reviewed USING (day)
ORDER BY day
