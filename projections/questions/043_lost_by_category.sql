-- number = 43
-- group = "Product Performance"
-- title = "How often are orders lost, by category?"
-- columns = "category* orders# canceled# unavailable# canceled_pct lost_pct"
-- key = ["category"]
-- chart = { kind = "bar", x = "category", y = ["lost_pct"] }
-- finding = [
--   "{all.lost_pct} of all orders are lost; of the orders that kept lines, those with {low(lost_pct).category} are lost least often: {low(lost_pct).lost_pct}.",
--   "{all.lost_pct} of all orders are lost.",
--   "There are no orders yet.",
-- ]
-- definition = """
-- All orders by category, '(no lines)' for those without, and all. Sort: all, -lost_pct, -orders, category.
-- """
-- caveat = "No returns in the data; most lost orders have no lines left."
-- terms = ["delivered, lost, valid", "category"]
-- [parameters]
-- min_orders = { default = 20, minimum = 0 }
-- [made_of]
-- canceled_pct = ["canceled", "orders"]
-- lost_pct = ["canceled", "unavailable", "orders"]

-- answer:
WITH counted AS (
    SELECT
        0 AS place,
        'all' AS category,
        count(*) AS orders,
        count(*) FILTER (WHERE status = 'canceled') AS canceled,
        count(*) FILTER (WHERE status = 'unavailable') AS unavailable
    FROM orders
    UNION ALL
    SELECT
        1,
        coalesce(category, '(no lines)'),
        count(*),
        count(*) FILTER (WHERE status = 'canceled'),
        count(*) FILTER (WHERE status = 'unavailable')
    FROM orders LEFT JOIN (SELECT DISTINCT order_id, category FROM lines) AS sold USING (order_id)
    GROUP BY category
    HAVING count(*) >= :min_orders
)
SELECT
    category,
    orders::int AS orders,
    canceled::int AS canceled,
    unavailable::int AS unavailable,
    round(100.0 * canceled / nullif(orders, 0), 2) AS canceled_pct,
    round(100.0 * (canceled + unavailable) / nullif(orders, 0), 2) AS lost_pct
FROM counted
ORDER BY place, lost_pct DESC NULLS LAST, orders DESC, category COLLATE "C"

-- rows:
WITH sold AS (
    SELECT order_id, status, coalesce(category, '(no lines)') AS category
    FROM orders LEFT JOIN (SELECT DISTINCT order_id, category FROM lines) AS sold USING (order_id)
    UNION ALL
    SELECT order_id, status, 'all' FROM orders
)
SELECT category, measure, 'sales.fact_order' AS "table", order_id::text AS key, part
FROM sold
CROSS JOIN LATERAL (
    VALUES
        ('orders', 1),
        ('canceled', (status = 'canceled')::int),
        ('unavailable', (status = 'unavailable')::int)
) AS figure (measure, part)
WHERE part <> 0
