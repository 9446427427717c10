-- number = 29
-- group = "Operational Efficiency"
-- title = "How many orders are stuck in each status, and how long?"
-- columns = "status* orders# share_pct avg_days_waiting median_days_waiting# max_days_waiting# stuck_orders#"
-- key = ["status"]
-- chart = { kind = "bar", x = "status", y = ["orders", "stuck_orders"] }
-- finding = [
--   "Most stuck orders have the status {top(stuck_orders).status}: {top(stuck_orders).stuck_orders} of the {top(stuck_orders).orders} in it, after a wait of {top(stuck_orders).avg_days_waiting} days on average and {top(stuck_orders).max_days_waiting} at most.",
--   "No order is under way.",
-- ]
-- definition = """
-- Orders with status created, approved, invoiced, processing, shipped; share of all orders. Days waiting: from the
-- date of the latest of placed_at, approved_at, shipped_at to the evaluation date. Stuck: above stuck_days.
-- """
-- caveat = ""
-- terms = ["close date, age, evaluation date"]
-- [parameters]
-- stuck_days = { default = 30, minimum = 0 }
-- [made_of]
-- share_pct = ["orders"]
-- avg_days_waiting = ["days_waiting", "orders"]
-- median_days_waiting = ["days_waiting"]
-- max_days_waiting = ["days_waiting"]

-- answer:
WITH listed (place, status) AS (
    VALUES (1, 'created'), (2, 'approved'), (3, 'invoiced'), (4, 'processing'), (5, 'shipped')
), waiting AS (
    SELECT status, evaluation_date - greatest(placed_at, approved_at, shipped_at)::date AS days
    FROM orders CROSS JOIN period
), counted AS (
    SELECT
        status,
        count(*) AS n,
        sum(count(*)) OVER () AS all_orders,
        sum(days) AS days,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY days) AS median_days,
        max(days) AS max_days,
        count(*) FILTER (WHERE days > :stuck_days) AS stuck
    FROM waiting
    GROUP BY status
)
SELECT
    status,
    coalesce(n, 0)::int AS orders,
    coalesce(round(100.0 * n / all_orders, 2), 0.00) AS share_pct,
    round(1.0 * days / n, 2) AS avg_days_waiting,
    median_days AS median_days_waiting,
    max_days AS max_days_waiting,
    coalesce(stuck, 0)::int AS stuck_orders
FROM listed LEFT JOIN counted USING (status)
ORDER BY place

-- rows:
SELECT status, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM orders
CROSS JOIN period
CROSS JOIN LATERAL (SELECT evaluation_date - greatest(placed_at, approved_at, shipped_at)::date) AS waiting (days)
CROSS JOIN LATERAL (
    VALUES ('orders', 1), ('days_waiting', days), ('stuck_orders', (days > :stuck_days)::int)
) AS figure (measure, part)
WHERE status IN ('created', 'approved', 'invoiced', 'processing', 'shipped') AND part <> 0
