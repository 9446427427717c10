-- min_orders=20
-- Valid orders with lines of the two halves by region, then by state.
WITH half_lines AS (
    SELECT order_id, region, state, half, price
    FROM q.lines JOIN q.months USING (month_no)
    WHERE is_valid AND half IS NOT NULL
), places AS (
    SELECT 1 AS level_no, 'region' AS level, region AS place, order_id, half, price FROM half_lines
    UNION ALL
    SELECT 2, 'state', state, order_id, half, price FROM half_lines
), counted AS (
    SELECT level_no, level, place, count(DISTINCT order_id) AS orders,
        coalesce(sum(price) FILTER (half = 'year-ago'), 0) AS year_ago,
        coalesce(sum(price) FILTER (half = 'recent'), 0) AS recent
    FROM places
    GROUP BY level_no, level, place
)
SELECT level, place,
    CAST(orders AS INTEGER) AS orders,
    CAST(year_ago AS DECIMAL(14, 2)) AS year_ago_gmv,
    CAST(recent AS DECIMAL(14, 2)) AS recent_gmv,
    q_pct(recent - year_ago, year_ago) AS growth_pct
FROM counted
WHERE level_no = 1 OR counted.orders >= $min_orders
ORDER BY level_no, growth_pct DESC, place;
