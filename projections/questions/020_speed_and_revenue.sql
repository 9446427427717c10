-- number = 20
-- group = "Revenue Optimization"
-- title = "Does faster delivery go with more revenue?"
-- columns = "delivery_days* orders# revenue revenue_share_pct aov avg_score reordered_pct"
-- key = ["delivery_days"]
-- chart = { kind = "bar", x = "delivery_days", y = ["revenue_share_pct", "reordered_pct"] }
-- finding = [
--   "Deliveries that take {top(revenue).delivery_days} days bring most revenue, {top(revenue).revenue_share_pct}; within three days {is(0-3).reordered_pct} of the orders are followed by another, beyond thirty days {is(30+).reordered_pct}, and scores are {is(0-3).avg_score} against {is(30+).avg_score}.",
--   "Deliveries that take {top(revenue).delivery_days} days bring most revenue, {top(revenue).revenue_share_pct}.",
-- ]
-- definition = """
-- Deliveries by speed band. reordered_pct: those whose customer placed a valid order at a later time.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "value, paid", "revenue, GMV", "customer, first order", "delivery, late", "review"]
-- [made_of]
-- revenue_share_pct = ["revenue"]
-- aov = ["revenue", "valued_orders"]
-- avg_score = ["score", "reviews"]
-- reordered_pct = ["reordered", "orders"]

-- answer:
WITH band (place, delivery_days) AS (
    VALUES (0, '0-3'), (1, '3-7'), (2, '7-14'), (3, '14-21'), (4, '21-30'), (5, '30+')
), delivery AS (
    SELECT
        is_delivery,
        width_bucket(delivery_seconds / 86400, ARRAY[3, 7, 14, 21, 30]) AS place,
        value,
        max(placed_at) FILTER (WHERE is_valid) OVER (PARTITION BY customer_id) > placed_at AS is_reordered
    FROM orders
), counted AS (
    SELECT
        place,
        count(*) AS orders,
        sum(value) AS revenue,
        count(value) AS valued_orders,
        count(*) FILTER (WHERE is_reordered) AS reordered
    FROM delivery
    WHERE is_delivery
    GROUP BY place
), reviewed AS (
    SELECT
        width_bucket(delivery_seconds / 86400, ARRAY[3, 7, 14, 21, 30]) AS place,
        count(*) AS reviews,
        sum(score) AS score
    FROM reviews
    WHERE is_delivery
    GROUP BY 1
)
SELECT
    delivery_days,
    coalesce(c.orders, 0)::int AS orders,
    round(coalesce(revenue, 0), 2) AS revenue,
    CASE WHEN c.orders IS NULL THEN 0.00
        ELSE round(100 * coalesce(revenue, 0) / nullif(sum(revenue) OVER (), 0), 2)
    END AS revenue_share_pct,
    round(revenue / nullif(valued_orders, 0), 2) AS aov,
    round(1.0 * score / v.reviews, 2) AS avg_score,
    round(100.0 * reordered / c.orders, 2) AS reordered_pct
FROM band
LEFT JOIN counted AS c USING (place)
LEFT JOIN reviewed AS v USING (place)
ORDER BY place

-- rows:
WITH band (place, delivery_days) AS (
    VALUES (0, '0-3'), (1, '3-7'), (2, '7-14'), (3, '14-21'), (4, '21-30'), (5, '30+')
), delivery AS (
    SELECT
        order_id,
        is_delivery,
        width_bucket(delivery_seconds / 86400, ARRAY[3, 7, 14, 21, 30]) AS place,
        value,
        max(placed_at) FILTER (WHERE is_valid) OVER (PARTITION BY customer_id) > placed_at AS is_reordered
    FROM orders
)
SELECT delivery_days, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM delivery JOIN band USING (place)
CROSS JOIN LATERAL (
    VALUES
        ('orders', 1),
        ('revenue', value),
        ('valued_orders', (value IS NOT NULL)::int),
        ('reordered', is_reordered::int)
) AS figure (measure, part)
WHERE is_delivery AND part <> 0
UNION ALL
SELECT delivery_days, measure, 'customer.fact_review', review_id || '/' || order_id, part
FROM reviews JOIN band ON place = width_bucket(delivery_seconds / 86400, ARRAY[3, 7, 14, 21, 30])
CROSS JOIN LATERAL (VALUES ('reviews', 1), ('score', score)) AS figure (measure, part)
WHERE is_delivery
