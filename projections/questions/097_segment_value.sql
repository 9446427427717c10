-- number = 97
-- group = "Churn & Retention"
-- title = "What will each segment's customers be worth next year?"
-- columns = "segment* customers_then# bought_again# bought_again_pct value_next_12_months customers_now# value_to_date segment_value_next_12_months"
-- key = ["segment"]
-- chart = { kind = "bar", x = "segment", y = ["segment_value_next_12_months"] }
-- finding = [
--   "The {top(segment_value_next_12_months).customers_now} [customer|customers] of the segment {top(segment_value_next_12_months).segment} will bring most, {top(segment_value_next_12_months).segment_value_next_12_months} in twelve months if they buy as their like did; each brings most in {top(value_next_12_months).segment}, {top(value_next_12_months).value_next_12_months}.",
--   "{top(customers_now).customers_now} [customer is|customers are] in the segment {top(customers_now).segment}.",
-- ]
-- definition = """
-- Segments NEW, ONE_TIME, REGULAR, LOYAL, VIP, CHURNED; customers_now and value_to_date (mean spent) on the
-- evaluation date. customers_then: by segments on the cutoff, close date - 180 days (orders with the status they have
-- now). bought_again: with a delivered order placed after the cutoff up to the close date. value_next_12_months =
-- value of those orders / customers_then x 365 / 180; segment_value_...: that, unrounded, x customers_now.
-- """
-- caveat = ""
-- terms = ["segment", "close date, age, evaluation date", "customer, first order", "value, paid"]
-- [made_of]
-- bought_again_pct = ["bought_again", "customers_then"]
-- value_next_12_months = ["value_after", "customers_then"]
-- value_to_date = ["spent", "customers_now"]
-- segment_value_next_12_months = ["value_after", "customers_then", "customers_now"]

-- answer:
WITH listed (place, segment) AS (
    VALUES (1, 'NEW'), (2, 'ONE_TIME'), (3, 'REGULAR'), (4, 'LOYAL'), (5, 'VIP'), (6, 'CHURNED')
), person AS (
    SELECT
        customer_id,
        close_date - 180 AS cutoff,
        count(*) FILTER (WHERE is_delivered AND placed_on <= close_date - 180) AS delivered,
        max(placed_on) FILTER (WHERE is_delivered AND placed_on <= close_date - 180) AS last_purchase,
        coalesce(sum(value) FILTER (WHERE is_delivered AND placed_on <= close_date - 180), 0) AS spent,
        count(*) FILTER (WHERE is_delivered AND placed_on > close_date - 180) AS bought_after,
        sum(value) FILTER (WHERE is_delivered AND placed_on > close_date - 180) AS value_after
    FROM orders CROSS JOIN period
    WHERE placed_on <= close_date
    GROUP BY customer_id, close_date
    HAVING min(placed_on) <= close_date - 180
), earlier AS (
    SELECT
        CASE WHEN delivered = 0 THEN 'NEW'
            WHEN cutoff - last_purchase > 180 THEN 'CHURNED'
            WHEN delivered = 1 THEN 'ONE_TIME'
            WHEN delivered <= 5 THEN 'REGULAR'
            WHEN spent <= 1000 THEN 'LOYAL'
            ELSE 'VIP'
        END AS segment,
        count(*) AS customers_then,
        count(*) FILTER (WHERE bought_after > 0) AS bought_again,
        coalesce(sum(value_after), 0) AS value_after
    FROM person
    GROUP BY 1
), present AS (
    SELECT segment, count(*) AS customers_now, sum(monetary) AS spent FROM customer_rfm GROUP BY segment
)
SELECT
    segment,
    coalesce(customers_then, 0)::int AS customers_then,
    coalesce(bought_again, 0)::int AS bought_again,
    round(100.0 * bought_again / nullif(customers_then, 0), 2) AS bought_again_pct,
    round(value_after * 365 / nullif(180.0 * customers_then, 0), 2) AS value_next_12_months,
    coalesce(customers_now, 0)::int AS customers_now,
    round(spent / nullif(customers_now, 0), 2) AS value_to_date,
    round(
        value_after * 365 * coalesce(customers_now, 0) / nullif(180.0 * customers_then, 0), 2
    ) AS segment_value_next_12_months
FROM listed
LEFT JOIN earlier USING (segment)
LEFT JOIN present USING (segment)
ORDER BY place

-- rows:
WITH person AS (
    SELECT
        customer_id,
        close_date - 180 AS cutoff,
        count(*) FILTER (WHERE is_delivered AND placed_on <= close_date - 180) AS delivered,
        max(placed_on) FILTER (WHERE is_delivered AND placed_on <= close_date - 180) AS last_purchase,
        coalesce(sum(value) FILTER (WHERE is_delivered AND placed_on <= close_date - 180), 0) AS spent,
        count(*) FILTER (WHERE is_delivered AND placed_on > close_date - 180) AS bought_after
    FROM orders CROSS JOIN period
    WHERE placed_on <= close_date
    GROUP BY customer_id, close_date
    HAVING min(placed_on) <= close_date - 180
), earlier AS (
    SELECT
        customer_id,
        cutoff,
        bought_after,
        CASE WHEN delivered = 0 THEN 'NEW'
            WHEN cutoff - last_purchase > 180 THEN 'CHURNED'
            WHEN delivered = 1 THEN 'ONE_TIME'
            WHEN delivered <= 5 THEN 'REGULAR'
            WHEN spent <= 1000 THEN 'LOYAL'
            ELSE 'VIP'
        END AS segment
    FROM person
)
SELECT segment, measure, 'customer.dim_customer' AS "table", customer_id::text AS key, 1 AS part
FROM earlier
CROSS JOIN LATERAL (VALUES ('customers_then', true), ('bought_again', bought_after > 0)) AS figure (measure, counts)
WHERE counts
UNION ALL
SELECT segment, 'customers_now', 'customer.dim_customer', customer_id::text, 1
FROM customer_rfm
UNION ALL
SELECT e.segment, 'value_after', 'sales.fact_order', o.order_id::text, o.value
FROM earlier AS e JOIN orders AS o USING (customer_id)
WHERE o.is_delivered AND o.placed_on > e.cutoff AND o.placed_on <= e.cutoff + 180 AND o.value <> 0
UNION ALL
SELECT c.segment, 'spent', 'sales.fact_order', o.order_id::text, o.value
FROM customer_rfm AS c JOIN orders AS o USING (customer_id)
WHERE o.is_delivered AND o.value <> 0
