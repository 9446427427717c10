-- number = 86
-- group = "Payment Risk"
-- title = "How often does payment fail, by method?"
-- columns = "method* orders# not_approved# failure_pct canceled_pct avg_hours_to_approval"
-- key = ["method"]
-- chart = { kind = "bar", x = "method", y = ["failure_pct"] }
-- finding = [
--   "Payment fails most often with the method {first.method}: {first.not_approved} of {first.orders} [order is|orders are] not approved; the most used method, {top(orders).method}, fails for {top(orders).failure_pct}.",
-- ]
-- definition = """
-- All orders by method. failure_pct: not approved (no approved_at); avg_hours_to_approval: approved_at - placed_at
-- where known. Sort: -failure_pct, -orders, method.
-- """
-- caveat = "A missing approval stands for a failed payment."
-- terms = ["method, installments of an order", "delivered, lost, valid"]
-- [made_of]
-- failure_pct = ["not_approved", "orders"]
-- canceled_pct = ["canceled", "orders"]
-- avg_hours_to_approval = ["hours_to_approval", "approved"]

-- answer:
WITH figures AS (
    SELECT
        method,
        count(*)::int AS orders,
        (count(*) FILTER (WHERE approved_at IS NULL))::int AS not_approved,
        round(100.0 * count(*) FILTER (WHERE approved_at IS NULL) / count(*), 2) AS failure_pct,
        round(100.0 * count(*) FILTER (WHERE status = 'canceled') / count(*), 2) AS canceled_pct,
        round(
            sum(extract(epoch FROM approved_at - placed_at)::bigint) / nullif(3600.0 * count(approved_at), 0), 2
        ) AS avg_hours_to_approval
    FROM orders
    GROUP BY method
)
SELECT *
FROM figures
ORDER BY failure_pct DESC, orders DESC, method COLLATE "C"

-- rows:
SELECT method, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM orders
CROSS JOIN LATERAL (
    VALUES
        ('orders', 1),
        ('not_approved', (approved_at IS NULL)::int),
        ('canceled', (status = 'canceled')::int),
        ('approved', (approved_at IS NOT NULL)::int),
        ('hours_to_approval', extract(epoch FROM approved_at - placed_at)::bigint / 3600.0)
) AS figure (measure, part)
WHERE part <> 0
