-- number = 90
-- group = "Payment Risk"
-- title = "What is the order value by payment method?"
-- columns = "methods* orders# orders_share_pct aov median_order_value lines_per_order"
-- key = ["methods"]
-- chart = { kind = "bar", x = "methods", y = ["aov"] }
-- finding = [
--   "Most orders, {first.orders_share_pct}, are paid by {first.methods} and are worth {first.aov} in the mean; those paid by {top(aov).methods} are worth most, {top(aov).aov}.",
-- ]
-- definition = """
-- Delivered orders with lines by the distinct methods of their payments, sorted and joined by '+', unknown without
-- any. Sort: -orders, methods.
-- """
-- caveat = ""
-- terms = ["delivered, lost, valid", "value, paid"]
-- [made_of]
-- orders_share_pct = ["orders", "all_orders"]
-- aov = ["value", "orders"]
-- median_order_value = ["value", "orders"]
-- lines_per_order = ["lines", "orders"]

-- answer:
WITH paid AS (
    SELECT order_id, string_agg(DISTINCT method COLLATE "C", '+' ORDER BY method COLLATE "C") AS methods
    FROM payments
    GROUP BY order_id
)
SELECT
    coalesce(p.methods, 'unknown') AS methods,
    count(*)::int AS orders,
    round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS orders_share_pct,
    round(sum(o.value) / count(*), 2) AS aov,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY o.value) AS median_order_value,
    round(1.0 * sum(o.item_count) / count(*), 2) AS lines_per_order
FROM orders AS o LEFT JOIN paid AS p USING (order_id)
WHERE o.is_delivered AND o.item_count > 0
GROUP BY coalesce(p.methods, 'unknown')
ORDER BY orders DESC, coalesce(p.methods, 'unknown') COLLATE "C"

-- rows:
WITH paid AS (
    SELECT order_id, string_agg(DISTINCT method COLLATE "C", '+' ORDER BY method COLLATE "C") AS methods
    FROM payments
    GROUP BY order_id
), sold AS (
    SELECT o.order_id, o.value, o.item_count, coalesce(p.methods, 'unknown') AS methods
    FROM orders AS o LEFT JOIN paid AS p USING (order_id)
    WHERE o.is_delivered AND o.item_count > 0
)
SELECT methods, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM sold
CROSS JOIN LATERAL (VALUES ('orders', 1), ('value', value), ('lines', item_count)) AS figure (measure, part)
WHERE part <> 0
UNION ALL
SELECT m.methods, 'all_orders', 'sales.fact_order', order_id::text, 1
FROM (SELECT DISTINCT methods FROM sold) AS m CROSS JOIN sold
