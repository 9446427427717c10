-- min_orders=20
-- All orders by category, those without lines under a name of their own.
WITH order_categories AS (
    SELECT DISTINCT order_id, category FROM q.lines
), counted AS (
    SELECT 0 AS place, 'all' AS category, count(*) AS orders,
        count(*) FILTER (status = 'canceled') AS canceled,
        count(*) FILTER (status = 'unavailable') AS unavailable
    FROM q.orders
    UNION ALL
    SELECT 1, coalesce(c.category, '(no lines)'), count(*),
        count(*) FILTER (status = 'canceled'),
        count(*) FILTER (status = 'unavailable')
    FROM q.orders LEFT JOIN order_categories AS c USING (order_id)
    GROUP BY c.category
    HAVING count(*) >= $min_orders
)
SELECT category,
    CAST(orders AS INTEGER) AS orders,
    CAST(canceled AS INTEGER) AS canceled,
    CAST(unavailable AS INTEGER) AS unavailable,
    q_pct(canceled, orders) AS canceled_pct,
    q_pct(canceled + unavailable, orders) AS lost_pct
FROM counted
ORDER BY place, lost_pct DESC, counted.orders DESC, category;
