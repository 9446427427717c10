-- number = 96
-- group = "Churn & Retention"
-- title = "Which customers are we most likely to lose?"
-- columns = "customer_id* segment* days_since_purchase# revenue last_score last_late* risk"
-- key = ["customer_id"]
-- chart = { kind = "table" }
-- finding = [
--   "The customer most likely to be lost reaches a risk of {first.risk}: {first.days_since_purchase} [day|days] since the last purchase, {first.revenue} spent so far.",
-- ]
-- definition = """
-- Customers neither NEW nor CHURNED on the evaluation date. last_score: mean over reviews of the latest delivered
-- order (placed_at, order_id); last_late: yes, no, unknown (no delivery, or none with a promise). risk = 50 x days
-- since last purchase / 180 + 25 if last_score <= 2 + 15 if last_late + 10 if only one delivered order. Sort: -risk,
-- -revenue, customer_id.
-- """
-- caveat = ""
-- terms = ["customer, first order", "segment", "review", "delivery, late"]
-- [parameters]
-- limit = { default = 50, minimum = 1 }
-- [made_of]
-- segment = ["delivered_orders", "revenue", "last_order"]
-- days_since_purchase = ["last_order"]
-- last_score = ["last_order_score", "last_order_reviews"]
-- last_late = ["last_delivery"]
-- risk = ["last_order", "last_order_score", "last_order_reviews", "last_delivery", "delivered_orders"]

-- answer:
WITH latest AS (
    SELECT DISTINCT ON (customer_id) customer_id, order_id, days_late
    FROM orders
    WHERE is_delivered
    ORDER BY customer_id, placed_at DESC, order_id DESC
), scored AS (
    SELECT l.customer_id, l.days_late, avg(v.score) AS score
    FROM latest AS l LEFT JOIN reviews AS v USING (order_id)
    GROUP BY l.customer_id, l.days_late
), figures AS (
    SELECT
        customer_id,
        c.segment,
        c.recency_days AS days_since_purchase,
        c.monetary AS revenue,
        round(s.score, 2) AS last_score,
        CASE WHEN s.days_late > 0 THEN 'yes' WHEN s.days_late = 0 THEN 'no' ELSE 'unknown' END AS last_late,
        round(
            50.0 * c.recency_days / 180
            + CASE WHEN s.score <= 2 THEN 25 ELSE 0 END
            + CASE WHEN s.days_late > 0 THEN 15 ELSE 0 END
            + CASE WHEN c.delivered = 1 THEN 10 ELSE 0 END,
            2
        ) AS risk
    FROM customer_rfm AS c JOIN scored AS s USING (customer_id)
    WHERE c.segment NOT IN ('NEW', 'CHURNED')
)
SELECT *
FROM figures
ORDER BY risk DESC, revenue DESC, customer_id
LIMIT :limit

-- rows:
WITH delivered AS (
    SELECT
        order_id,
        customer_id,
        value,
        is_delivery,
        row_number() OVER (PARTITION BY customer_id ORDER BY placed_at DESC, order_id DESC) = 1 AS is_last
    FROM orders
    WHERE is_delivered
)
SELECT customer_id, measure, "table", order_id::text AS key, part
FROM delivered
CROSS JOIN LATERAL (
    VALUES
        ('delivered_orders', 'sales.fact_order', 1),
        ('revenue', 'sales.fact_order', value),
        ('last_order', 'sales.fact_order', is_last::int),
        ('last_delivery', 'fulfillment.fact_delivery', (is_last AND is_delivery)::int)
) AS figure (measure, "table", part)
WHERE part <> 0
UNION ALL
SELECT d.customer_id, measure, 'customer.fact_review', v.review_id || '/' || order_id, part
FROM delivered AS d
JOIN reviews AS v USING (order_id)
CROSS JOIN LATERAL (VALUES ('last_order_reviews', 1), ('last_order_score', v.score)) AS figure (measure, part)
WHERE d.is_last
